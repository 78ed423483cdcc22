#include "formats/pgcopy/batch_encoder.h"

#include <arrow/type.h>

#include <utility>

#include "formats/pgcopy/column_writer.h"

namespace levada::pgcopy {

namespace {

const arrow::DataType& WithoutDictionary(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return type;
  return *static_cast<const arrow::DictionaryType&>(type).value_type();
}

Status OfColumn(const Status& status, const std::string& name) {
  const Fault fault = FaultOf(status);
  return Fault(fault.code(), "column \"" + name + "\": " + fault.message())
      .With("column", name)
      .Help(fault.help());
}

}  // namespace

Result<std::string> SqlTypeOf(const arrow::DataType& type) {
  const arrow::DataType& plain = WithoutDictionary(type);
  const std::shared_ptr<arrow::DataType> item = ItemTypeOf(plain);
  ARROW_ASSIGN_OR_RAISE(const ScalarType scalar, ScalarTypeOf(item == nullptr ? plain : *item));
  return item == nullptr ? scalar.sql : scalar.sql + "[]";
}

Result<Column> ColumnOf(const arrow::Field& field) {
  const arrow::DataType& plain = WithoutDictionary(*field.type());
  const std::shared_ptr<arrow::DataType> item = ItemTypeOf(plain);
  ARROW_ASSIGN_OR_RAISE(const ScalarType scalar, ScalarTypeOf(item == nullptr ? plain : *item));
  Column column{field.name(), scalar.column};
  column.type.array = item != nullptr;
  column.type.element_oid = item != nullptr ? scalar.oid : 0;
  column.type.nullable = field.nullable();
  return column;
}

BatchEncoder::BatchEncoder(std::vector<std::string> names,
                           std::vector<std::unique_ptr<ColumnWriter>> writers)
    : names_(std::move(names)), writers_(std::move(writers)) {}

BatchEncoder::~BatchEncoder() = default;

Result<std::unique_ptr<BatchEncoder>> BatchEncoder::Make(const arrow::Schema& schema) {
  std::vector<std::string> names;
  std::vector<std::unique_ptr<ColumnWriter>> writers;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    auto writer = MakeColumnWriter(*field->type());
    if (!writer.ok()) return OfColumn(writer.status(), field->name());
    names.push_back(field->name());
    writers.push_back(std::move(*writer));
  }
  return std::unique_ptr<BatchEncoder>(new BatchEncoder(std::move(names), std::move(writers)));
}

Status BatchEncoder::Encode(const arrow::RecordBatch& batch, int64_t first, int64_t count,
                            Encoder& out) {
  std::vector<std::shared_ptr<arrow::Array>> columns = batch.columns();  // kept while they are read
  for (size_t i = 0; i < writers_.size(); ++i) writers_[i]->Take(*columns[i]);
  for (int64_t row = first; row < first + count; ++row) {
    out.BeginTuple(static_cast<int16_t>(writers_.size()));
    for (size_t i = 0; i < writers_.size(); ++i) {
      if (writers_[i]->IsNull(row)) {
        out.Null();
        continue;
      }
      const Status written = writers_[i]->Write(row, out);
      if (!written.ok()) return OfColumn(written, names_[i]);
    }
  }
  return Status::OK();
}

}  // namespace levada::pgcopy
