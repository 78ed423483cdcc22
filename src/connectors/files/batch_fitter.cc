#include "connectors/files/batch_fitter.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "connectors/files/text_evidence.h"
#include "elt/type_name.h"
#include "formats/arrow_ipc/accepted_types.h"

namespace levada::files {
namespace {

Fault Drift(const std::string& path, const std::string& column, const std::string& problem) {
  return Fault(FaultCode::kSchemaDrift,
               "file \"" + path + "\": column \"" + column + "\" " + problem)
      .With("path", path)
      .With("column", column)
      .Help("say schema: union, types: { " + column +
            ": ... } or columns: [...]; or leave the file "
            "out of path:");
}

/// One value of a directory's name.
Result<std::shared_ptr<arrow::Scalar>> CastValue(const std::optional<std::string>& value,
                                                 const arrow::Field& field, const std::string& path,
                                                 arrow::MemoryPool* pool) {
  if (!value) return arrow::MakeNullScalar(field.type());
  if (field.type()->id() == arrow::Type::STRING) return arrow::MakeScalar(*value);
  ARROW_ASSIGN_OR_RAISE(const auto text,
                        arrow::MakeArrayFromScalar(*arrow::MakeScalar(*value), 1, pool));
  conversions::CastTarget target;
  target.type = field.type();
  ARROW_ASSIGN_OR_RAISE(const auto cast, conversions::MakeColumnCast(arrow::utf8(), target));
  ARROW_ASSIGN_OR_RAISE(const conversions::CastColumn made, cast->Convert(text, pool));
  if (made.failures.empty()) return made.values->GetScalar(0);
  return Fault(FaultCode::kValueRefused, "file \"" + path + "\": directory \"" + field.name() +
                                             "=\": expected " + elt::TypeName(*field.type()) +
                                             ": " + made.failures.front().reason)
      .With("path", path)
      .With("column", field.name())
      .Help("say another type, types: { " + field.name() + ": text }");
}

Fault Refused(const arrow::Field& field, int64_t row, const std::string& reason) {
  const std::string at = std::to_string(row);
  return Fault(FaultCode::kValueRefused, "row " + at + ": column \"" + field.name() +
                                             "\": expected " + elt::TypeName(*field.type()) + ": " +
                                             reason)
      .With("column", field.name())
      .With("row", at)
      .Help("say the column's type, types: { " + field.name() +
            ": text }, or what stands for NULL, csv: { null_values: [...] }; or correct it");
}

}  // namespace

Result<BatchFitter> BatchFitter::Make(const ConsumerOptions& options, const Table& table,
                                      const elt::SchemaPtr& file_schema,
                                      const PartitionBounds& bounds, const std::string& path,
                                      arrow::MemoryPool* pool) {
  BatchFitter fitter;
  fitter.path_ = path;
  fitter.schema_ = table.schema;
  ARROW_ASSIGN_OR_RAISE(const auto values, HiveValues(path, bounds.keys));
  for (const TableColumn& column : table.columns) {
    const arrow::Field& field = *column.field;
    Column fitted;
    if (column.from == TableColumn::From::kPath) {
      fitted.constant = arrow::MakeScalar(path);
    } else if (column.from == TableColumn::From::kDirectory) {
      ARROW_ASSIGN_OR_RAISE(fitted.constant, CastValue(values.at(static_cast<size_t>(column.key)),
                                                       field, path, pool));
    } else {
      const auto own =
          file_schema == nullptr ? column.field : file_schema->GetFieldByName(field.name());
      if (own == nullptr) {
        if (options.schema != SchemaRule::kUnion || !field.nullable()) {
          return Drift(path, field.name(), "is missing");
        }
        fitted.constant = arrow::MakeNullScalar(field.type());
      } else {
        const auto type = Decoded(own->type());
        if (!IsText(bounds.format) && options.Find(field.name()) == nullptr &&
            !type->Equals(*field.type())) {
          return Drift(path, field.name(),
                       "has another type: expected " + elt::TypeName(*field.type()) + ", got " +
                           elt::TypeName(*type));
        }
        fitted.read = static_cast<int>(fitter.read_.size());
        fitted.is_inferred = bounds.format == Format::kCsv && options.Find(field.name()) == nullptr;
        fitter.read_.push_back(own);
      }
    }
    fitter.columns_.push_back(std::move(fitted));
  }
  if (file_schema == nullptr || !options.columns.empty()) return fitter;
  for (const auto& field : file_schema->fields()) {
    if (table.schema->GetFieldIndex(field->name()) >= 0) continue;
    return Drift(path, field->name(), "is not one that the plan found");
  }
  return fitter;
}

Result<elt::BatchPtr> BatchFitter::Fit(const Context& ctx, const arrow::RecordBatch& batch,
                                       int64_t row) const {
  arrow::ArrayVector arrays;
  for (size_t c = 0; c < columns_.size(); ++c) {
    const arrow::Field& field = *schema_->field(static_cast<int>(c));
    std::shared_ptr<arrow::Array> array;
    if (columns_[c].read < 0) {
      ARROW_ASSIGN_OR_RAISE(
          array, arrow::MakeArrayFromScalar(*columns_[c].constant, batch.num_rows(), ctx.pool));
    } else {
      auto fitted =
          FitColumn(ctx, batch.column(columns_[c].read), field, row, columns_[c].is_inferred);
      if (!fitted.ok()) return InFile(fitted.status(), path_);
      array = *std::move(fitted);
    }
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(arrays));
}

Result<std::shared_ptr<arrow::Array>> BatchFitter::FitColumn(const Context& ctx,
                                                             std::shared_ptr<arrow::Array> values,
                                                             const arrow::Field& field, int64_t row,
                                                             bool is_inferred) const {
  // Before anything follows an index or an offset of it.
  const arrow::Field own(field.name(), values->type());
  ARROW_RETURN_NOT_OK(arrow_ipc::CheckColumn(own, *values));
  if (values->type_id() == arrow::Type::DICTIONARY) {
    const auto& coded = static_cast<const arrow::DictionaryArray&>(*values);
    arrow::compute::ExecContext context(ctx.pool);
    ARROW_ASSIGN_OR_RAISE(values,
                          arrow::compute::Take(*coded.dictionary(), *coded.indices(),
                                               arrow::compute::TakeOptions::Defaults(), &context));
  }
  if (!values->type()->Equals(*field.type())) {
    conversions::CastTarget target;
    target.type = field.type();
    ARROW_ASSIGN_OR_RAISE(const auto cast, conversions::MakeColumnCast(values->type(), target));
    ARROW_ASSIGN_OR_RAISE(const conversions::CastColumn made, cast->Convert(values, ctx.pool));
    if (!made.failures.empty()) {
      const conversions::CastFailure& failure = made.failures.front();
      return Refused(field, row + failure.row, failure.reason);
    }
    if (is_inferred) {
      const auto& texts = static_cast<const arrow::StringArray&>(*values);
      for (int64_t i = 0; i < texts.length(); ++i) {
        if (texts.IsNull(i) || KeepsItsDigits(*field.type(), texts.GetView(i))) continue;
        return Refused(field, row + i, "not all digits that are written would be kept");
      }
    }
    values = made.values;
  }
  if (!field.nullable() && values->null_count() > 0) {
    return Fault(FaultCode::kSchemaDrift,
                 "column \"" + field.name() + "\": NULL where the plan found that there is none")
        .With("column", field.name())
        .Help("run it again with --replace, under the new schema");
  }
  return values;
}

}  // namespace levada::files
