#include "transformers/cast/cast.h"

#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "elt/row_json.h"
#include "elt/type_name.h"
#include "transformers/cast/convert.h"

namespace levada::cast {
namespace {

using elt::BatchPtr;
using elt::SchemaPtr;

enum class OnError : uint8_t { kFail, kDiscardValue, kDiscardRow, kQuarantine };

struct ColumnCast {
  std::string column;
  std::shared_ptr<arrow::DataType> type;
  OnError on_error = OnError::kFail;
  int index = -1;  ///< in the schema, once bound
};

OnError OnErrorOf(const std::string& word) {
  if (word == "discard_value") return OnError::kDiscardValue;
  if (word == "discard_row") return OnError::kDiscardRow;
  if (word == "quarantine") return OnError::kQuarantine;
  return OnError::kFail;
}

class BoundCast final : public elt::BoundTransformer {
 public:
  BoundCast(SchemaPtr schema, std::vector<ColumnCast> casts)
      : schema_(std::move(schema)), casts_(std::move(casts)) {}

  const SchemaPtr& schema() const override { return schema_; }

  Result<elt::Mapped> Map(Context& ctx, const BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    const int64_t first_row = rows_seen_.fetch_add(batch->num_rows(), std::memory_order_relaxed);
    auto columns = batch->columns();
    std::vector<bool> dropped;  // empty: none
    for (const ColumnCast& cast : casts_) {
      const auto at = static_cast<size_t>(cast.index);
      ARROW_ASSIGN_OR_RAISE(Converted converted, Convert(ctx, columns[at], cast.type));
      columns[at] = converted.array;
      ARROW_RETURN_NOT_OK(Handle(cast, converted.failures, *batch, first_row, rejects, dropped));
    }
    elt::Mapped mapped;
    mapped.batch = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
    if (!dropped.empty()) {
      ARROW_ASSIGN_OR_RAISE(mapped.batch, Without(ctx, mapped.batch, dropped));
      mapped.rejected = batch->num_rows() - mapped.batch->num_rows();
    }
    return mapped;
  }

 private:
  Status Handle(const ColumnCast& cast, const std::vector<Failure>& failures,
                const arrow::RecordBatch& input, int64_t first_row, elt::RejectBuffer& rejects,
                std::vector<bool>& dropped) const {
    for (const Failure& failure : failures) {
      if (cast.on_error == OnError::kFail) {
        return Fault(FaultCode::kCastFailed,
                     fmt::format("column \"{}\": a value is not {}: {} (row {})", cast.column,
                                 elt::TypeName(*cast.type), failure.reason,
                                 first_row + failure.row + 1))
            .With("column", cast.column)
            .With("row", std::to_string(first_row + failure.row + 1))
            .Help(
                "mend it at the source, or say what to do: on_error: discard_value | discard_row | "
                "quarantine");
      }
      if (cast.on_error == OnError::kDiscardValue) continue;
      if (dropped.empty()) dropped.resize(static_cast<size_t>(input.num_rows()), false);
      if (dropped[static_cast<size_t>(failure.row)]) continue;
      dropped[static_cast<size_t>(failure.row)] = true;
      if (cast.on_error != OnError::kQuarantine) continue;
      ARROW_ASSIGN_OR_RAISE(std::string row, elt::RowJson(input, failure.row));
      ARROW_RETURN_NOT_OK(rejects.Add(
          {"cast", cast.column,
           fmt::format("not {}: {}", elt::TypeName(*cast.type), failure.reason), std::move(row)}));
    }
    return Status::OK();
  }

  static Result<BatchPtr> Without(const Context& ctx, const BatchPtr& batch,
                                  const std::vector<bool>& dropped) {
    arrow::BooleanBuilder keep(ctx.pool);
    for (bool drop : dropped) ARROW_RETURN_NOT_OK(keep.Append(!drop));
    ARROW_ASSIGN_OR_RAISE(auto mask, keep.Finish());
    arrow::compute::ExecContext exec(ctx.pool);
    exec.set_use_threads(false);
    ARROW_ASSIGN_OR_RAISE(
        arrow::Datum kept,
        arrow::compute::Filter(batch, mask, arrow::compute::FilterOptions::Defaults(), &exec));
    return kept.record_batch();
  }

  SchemaPtr schema_;
  std::vector<ColumnCast> casts_;
  mutable std::atomic<int64_t> rows_seen_{0};  // for the row number in messages only
};

class Cast final : public elt::Transformer {
 public:
  Cast(elt::Options options, std::vector<ColumnCast> casts)
      : options_(std::move(options)), casts_(std::move(casts)) {}

  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const SchemaPtr& input) const override {
    std::vector<Diagnostic> problems;
    arrow::FieldVector fields = input->fields();
    std::vector<ColumnCast> casts = casts_;
    for (ColumnCast& cast : casts) {
      cast.index = input->GetFieldIndex(cast.column);
      if (cast.index < 0) {
        problems.push_back(UnknownColumn(cast.column, input->field_names()));
        continue;
      }
      auto& field = fields[static_cast<size_t>(cast.index)];
      const std::string why = WhyNot(*field->type(), *cast.type);
      if (!why.empty()) {
        problems.push_back(
            At(cast.column, FaultCode::kBadCast,
               fmt::format("cast: column \"{}\" cannot become {} from {}", cast.column,
                           elt::TypeName(*cast.type), elt::TypeName(*field->type())),
               why));
        continue;
      }
      field = field->WithType(cast.type);
      if (cast.on_error == OnError::kDiscardValue) field = field->WithNullable(true);
    }
    if (!problems.empty()) {
      return Fault(problems.front().code, problems.front().message).At(std::move(problems));
    }
    return std::make_unique<BoundCast>(arrow::schema(std::move(fields), input->metadata()),
                                       std::move(casts));
  }

 private:
  Diagnostic At(const std::string& key, FaultCode code, std::string message,
                std::string help) const {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message = std::move(message);
    diagnostic.source = options_.source();
    diagnostic.span = options_.KeySpanOf(key);
    diagnostic.help = std::move(help);
    return diagnostic;
  }

  Diagnostic UnknownColumn(const std::string& name, const std::vector<std::string>& columns) const {
    const std::string nearest = NearestName(name, columns);
    return At(name, FaultCode::kUnknownColumn,
              fmt::format("cast: no column \"{}\" arrives here", name),
              nearest.empty() ? fmt::format("the columns are {}", fmt::join(columns, ", "))
                              : fmt::format("did you mean \"{}\"?", nearest));
  }

  elt::Options options_;
  std::vector<ColumnCast> casts_;
};

}  // namespace

const elt::OptionSpec& CastSpec() {
  static const elt::OptionSpec spec{
      .name = "cast",
      .type = elt::OptionType::kMap,
      .doc = "columns and the types they become",
      .required = true,
      .example = "{ amount: decimal(18,2) }",
      .fields = {{.name = "column",
                  .type = elt::OptionType::kGroup,
                  .doc = "the new type of the column",
                  .fields = {{.name = "type",
                              .doc = "bool, int8..int64, uint8..uint64, float32, float64, "
                                     "decimal(p,s), text, binary, date, time, timestamp, "
                                     "timestamp(us, UTC)",
                              .required = true,
                              .example = "decimal(18,2)"},
                             {.name = "on_error",
                              .type = elt::OptionType::kChoice,
                              .doc = "what happens to a value that does not convert exactly",
                              .default_text = "fail",
                              .choices = {"fail", "discard_value", "discard_row", "quarantine"}}},
                  .shorthand = "type"}}};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> MakeCast(const elt::Options& options) {
  ARROW_RETURN_NOT_OK(arrow::compute::Initialize());
  std::vector<Diagnostic> problems;
  std::vector<ColumnCast> casts;
  for (const auto& [column, wanted] : options.Map("")) {
    Result<std::shared_ptr<arrow::DataType>> type = elt::ParseTypeName(wanted.Text("type"));
    if (!type.ok()) {
      const Fault fault = FaultOf(type.status());
      problems.push_back(wanted.ErrorAt("type", fault.code(), fault.message(), fault.help()));
      continue;
    }
    casts.push_back({column, *type, OnErrorOf(wanted.Text("on_error")), -1});
  }
  if (!problems.empty()) {
    return Fault(problems.front().code, problems.front().message).At(std::move(problems));
  }
  return std::make_unique<Cast>(options, std::move(casts));
}

}  // namespace levada::cast
