#include "transformers/flatten/flatten_transformer.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "conversions/column_cast.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"

namespace levada::flatten {
namespace {

using conversions::ColumnCast;

struct BoundField {
  std::string name;
  std::string type;
  std::unique_ptr<ColumnCast> cast;  ///< from text; null where the column is text
};

/// Row `row` of `column` has no value.
struct Failure {
  int64_t row = 0;
  std::string_view column;
  std::string reason;
};

class BoundFlatten final : public elt::BoundTransformer {
 public:
  BoundFlatten(elt::SchemaPtr schema, int column, std::string column_name, bool keep,
               std::vector<Path> paths, std::vector<BoundField> fields, elt::OnError on_error)
      : schema_(std::move(schema)),
        column_(column),
        column_name_(std::move(column_name)),
        keep_(keep),
        paths_(std::move(paths)),
        fields_(std::move(fields)),
        on_error_(on_error) {}

  const elt::SchemaPtr& schema() const override { return schema_; }

  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    std::vector<Failure> failures;
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector found, Extract(*batch, ctx.pool, failures));
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].cast == nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(conversions::CastColumn cast,
                            fields_[i].cast->Convert(found[i], ctx.pool));
      found[i] = std::move(cast.values);
      for (const conversions::CastFailure& failure : cast.failures) {
        failures.push_back(
            {failure.row, fields_[i].name, "not " + fields_[i].type + ": " + failure.reason});
      }
    }
    // By row, and of one row the document before its fields.
    std::ranges::stable_sort(failures, {}, &Failure::row);
    if (on_error_ == elt::OnError::kFail && !failures.empty()) return Failed(failures.front());
    elt::RowFates fates;
    for (const Failure& failure : failures) {
      fates.Add(failure.row, on_error_, failure.column, failure.reason);
    }
    arrow::ArrayVector arrays = batch->columns();
    if (!keep_) arrays.erase(arrays.begin() + column_);
    std::ranges::move(found, std::back_inserter(arrays));
    auto whole = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays));
    return fates.Apply("flatten", batch, std::move(whole), rejects, ctx.pool);
  }

 private:
  // The texts of all fields.
  Result<arrow::ArrayVector> Extract(const arrow::RecordBatch& batch, arrow::MemoryPool* pool,
                                     std::vector<Failure>& failures) const {
    std::vector<std::unique_ptr<arrow::StringBuilder>> builders;
    for (size_t i = 0; i < fields_.size(); ++i) {
      builders.push_back(std::make_unique<arrow::StringBuilder>(pool));
      ARROW_RETURN_NOT_OK(builders.back()->Reserve(batch.num_rows()));
    }
    JsonFields fields(paths_);
    const arrow::Array& array = *batch.column(column_);
    const bool is_large = array.type_id() == arrow::Type::LARGE_STRING;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const std::vector<JsonValue>* values = nullptr;
      if (array.IsValid(row)) {
        values =
            fields.Find(is_large ? static_cast<const arrow::LargeStringArray&>(array).GetView(row)
                                 : static_cast<const arrow::StringArray&>(array).GetView(row));
        if (values == nullptr) failures.push_back({row, column_name_, fields.problem()});
      }
      for (size_t i = 0; i < builders.size(); ++i) {
        if (values == nullptr || (*values)[i].is_null) {
          builders[i]->UnsafeAppendNull();
        } else {
          ARROW_RETURN_NOT_OK(builders[i]->Append((*values)[i].text));
        }
      }
    }
    arrow::ArrayVector arrays(builders.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(arrays[i], builders[i]->Finish());
    }
    return arrays;
  }

  static Status Failed(const Failure& failure) {
    const std::string row = std::to_string(failure.row + 1);
    Fault fault(FaultCode::kCastFailed, "column \"" + std::string(failure.column) + "\": " +
                                            failure.reason + " (row " + row + " of its batch)");
    fault.With("column", std::string(failure.column)).With("batch_row", row);
    fault.Help(
        "correct the value, or say what such rows get, on_error: discard_value | "
        "discard_row | quarantine");
    return fault;
  }

  const elt::SchemaPtr schema_;
  const int column_;
  const std::string column_name_;
  const bool keep_;
  const std::vector<Path> paths_;
  const std::vector<BoundField> fields_;
  const elt::OnError on_error_;
};

Result<std::unique_ptr<ColumnCast>> FromText(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::STRING) return nullptr;
  conversions::CastTarget target;
  target.type = type;
  return conversions::MakeColumnCast(arrow::utf8(), target);
}

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> FlattenTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  const std::string& name = options_.Text("column");
  std::vector<Diagnostic> problems;
  const int column = elt::FindColumn(*input, name, options_, "column", problems);
  const auto type = column < 0 ? arrow::utf8() : input->field(column)->type();
  if (type->id() != arrow::Type::STRING && type->id() != arrow::Type::LARGE_STRING) {
    problems.push_back(options_.ErrorAt(
        "column", FaultCode::kBadCast,
        "column \"" + name + "\": expected JSON as text, got " + elt::TypeName(*type),
        "cast it to text before"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("flatten", problems));
  const bool keep = options_.Bool("keep");
  arrow::FieldVector fields = input->fields();
  if (!keep) fields.erase(fields.begin() + column);
  std::vector<Path> paths;
  std::vector<BoundField> bound;
  for (const FlattenField& field : fields_) {
    auto cast = FromText(field.type);
    if (!cast.ok()) {
      const Fault fault = FaultOf(cast.status());
      problems.push_back(
          field.options.ErrorAt("type", fault.code(), fault.message(), fault.help()));
      continue;
    }
    const int same = elt::FindIgnoringCase(fields, field.name);
    if (same >= 0) {
      problems.push_back(
          field.options.ErrorAt("path", FaultCode::kDuplicateColumn,
                                "two columns named \"" + field.name + "\": \"" +
                                    fields[same]->name() + "\" is there already",
                                "give it another name; they must differ in more than case"));
      continue;
    }
    fields.push_back(arrow::field(field.name, field.type));
    paths.push_back(field.path);
    bound.push_back({field.name, elt::TypeName(*field.type), *std::move(cast)});
  }
  ARROW_RETURN_NOT_OK(elt::Refused("flatten", std::move(problems)));
  return std::make_unique<BoundFlatten>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), column, name, keep,
      std::move(paths), std::move(bound), elt::OnErrorOf(options_));
}

}  // namespace levada::flatten
