#include "formats/parquet/restore.h"

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace levada::parquet_format {
namespace {

using arrow::ArrayData;
using arrow::Type;
using DataPtr = std::shared_ptr<ArrayData>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Fault Differs(const std::string& path, const arrow::DataType& expected,
              const arrow::DataType& got) {
  return Fault(FaultCode::kReadbackMismatch, "column \"" + path + "\": expected " +
                                                 expected.ToString() + ", the file holds " +
                                                 got.ToString())
      .With("column", path);
}

DataPtr WithType(const DataPtr& data, const TypePtr& type) {
  DataPtr out = data->Copy();
  out->type = type;
  return out;
}

bool IsLarge(Type::type id) {
  return id == Type::LARGE_STRING || id == Type::LARGE_BINARY || id == Type::LARGE_LIST;
}

/// One letter per family whose members differ only in the width of their offsets; 0 for others.
char OffsetFamily(Type::type id) {
  switch (id) {
    case Type::STRING:
    case Type::LARGE_STRING:
      return 's';
    case Type::BINARY:
    case Type::LARGE_BINARY:
      return 'b';
    case Type::LIST:
    case Type::LARGE_LIST:
      return 'l';
    default:
      return 0;
  }
}

template <typename From, typename To>
Result<DataPtr> ConvertOffsets(const DataPtr& data, const TypePtr& type, const std::string& path,
                               arrow::MemoryPool* pool) {
  const int64_t count = data->offset + data->length + 1;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer(count * sizeof(To), pool));
  auto* out = reinterpret_cast<To*>(offsets->mutable_data());
  const bool empty = data->buffers[1] == nullptr || data->buffers[1]->size() == 0;
  const auto* in = empty ? nullptr : reinterpret_cast<const From*>(data->buffers[1]->data());
  for (int64_t i = 0; i < count; ++i) {
    const From offset = in == nullptr ? 0 : in[i];
    if (static_cast<int64_t>(offset) > std::numeric_limits<To>::max())
      return Differs(path, *type, *data->type);
    out[i] = static_cast<To>(offset);
  }
  DataPtr converted = WithType(data, type);
  converted->buffers[1] = std::move(offsets);
  return converted;
}

Result<DataPtr> RestoreOffsets(const DataPtr& data, const TypePtr& type, const std::string& path,
                               arrow::MemoryPool* pool) {
  const bool from_large = IsLarge(data->type->id());
  const bool to_large = IsLarge(type->id());
  if (from_large == to_large) return WithType(data, type);
  return to_large ? ConvertOffsets<int32_t, int64_t>(data, type, path, pool)
                  : ConvertOffsets<int64_t, int32_t>(data, type, path, pool);
}

/// Two's complement, least significant byte first: to widen repeats the sign, to narrow drops
/// copies of it.
Result<DataPtr> RestoreDecimal(const DataPtr& data, const TypePtr& type, const std::string& path,
                               arrow::MemoryPool* pool) {
  const auto& from = static_cast<const arrow::DecimalType&>(*data->type);
  const auto& to = static_cast<const arrow::DecimalType&>(*type);
  if (from.precision() != to.precision() || from.scale() != to.scale())
    return Differs(path, *type, *data->type);
  const int from_width = from.byte_width();
  const int to_width = to.byte_width();
  if (from_width == to_width) return WithType(data, type);
  const int64_t count = data->offset + data->length;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(count * to_width, pool));
  uint8_t* out = values->mutable_data();
  const uint8_t* in = count == 0 ? nullptr : data->buffers[1]->data();
  const int copied = std::min(from_width, to_width);
  for (int64_t i = 0; i < count; ++i, in += from_width, out += to_width) {
    std::memcpy(out, in, copied);
    std::memset(out + copied, (in[from_width - 1] & 0x80) != 0 ? 0xff : 0, to_width - copied);
  }
  DataPtr converted = WithType(data, type);
  converted->buffers[1] = std::move(values);
  return converted;
}

Result<DataPtr> RestoreTimestamp(const DataPtr& data, const TypePtr& type,
                                 const std::string& path) {
  const auto& from = static_cast<const arrow::TimestampType&>(*data->type);
  const auto& to = static_cast<const arrow::TimestampType&>(*type);
  if (from.unit() != to.unit() || from.timezone().empty() != to.timezone().empty()) {
    return Differs(path, *type, *data->type);
  }
  return WithType(data, type);
}

Result<DataPtr> RestoreChildren(DataPtr data, const TypePtr& type, const std::string& path,
                                arrow::MemoryPool* pool) {
  if (data->type->num_fields() != type->num_fields()) return Differs(path, *type, *data->type);
  for (int i = 0; i < type->num_fields(); ++i) {
    const auto& field = type->field(i);
    if (type->id() == Type::STRUCT && field->name() != data->type->field(i)->name()) {
      return Differs(path, *type, *data->type);
    }
    ARROW_ASSIGN_OR_RAISE(data->child_data[i], RestoreType(data->child_data[i], field->type(),
                                                           path + "." + field->name(), pool));
    if (!field->nullable() && type->id() != Type::STRUCT &&
        data->child_data[i]->GetNullCount() != 0) {
      return Differs(path, *type, *data->type);
    }
  }
  data->type = type;
  return data;
}

}  // namespace

Result<DataPtr> RestoreType(const DataPtr& data, const TypePtr& type, const std::string& path,
                            arrow::MemoryPool* pool) {
  const Type::type from = data->type->id();
  const Type::type to = type->id();
  if (data->type->Equals(*type)) return WithType(data, type);
  if (OffsetFamily(from) != 0 && OffsetFamily(from) == OffsetFamily(to)) {
    ARROW_ASSIGN_OR_RAISE(DataPtr converted, RestoreOffsets(data, type, path, pool));
    if (OffsetFamily(to) != 'l') return converted;
    converted->type = data->type;  // RestoreChildren compares it with the wanted one
    return RestoreChildren(std::move(converted), type, path, pool);
  }
  if (arrow::is_decimal(from) && arrow::is_decimal(to))
    return RestoreDecimal(data, type, path, pool);
  if (from == Type::TIMESTAMP && to == Type::TIMESTAMP) return RestoreTimestamp(data, type, path);
  if (from == to && (from == Type::STRUCT || from == Type::MAP)) {
    return RestoreChildren(data->Copy(), type, path, pool);
  }
  return Differs(path, *type, *data->type);
}

}  // namespace levada::parquet_format
