#include "formats/chnative/block_reader.h"

#include <utility>

#include "formats/chnative/column_reader.h"

namespace levada::chnative {
namespace {

/// Pairs of a number and its value, up to a 0.
Status SkipBlockInfo(ByteReader& bytes) {
  constexpr uint64_t kEnd = 0, kOverflows = 1, kBucket = 2;
  for (int fields = 0; fields <= 2; ++fields) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t field, bytes.VarUInt());
    if (field == kEnd) return Status::OK();
    if (field == kOverflows) {
      ARROW_RETURN_NOT_OK(bytes.Flag().status());
    } else if (field == kBucket) {
      ARROW_RETURN_NOT_OK(bytes.Little<int32_t>().status());
    } else {
      break;
    }
  }
  return Fault(FaultCode::kSourceProtocol, "a block's head: expected its two fields, got others");
}

Status OfColumn(const Status& status, const std::string& name) {
  if (status.ok()) return status;
  const Fault cause = FaultOf(status);
  if (cause.code() == FaultCode::kStopped || IsRetryable(status)) return status;
  Fault fault(cause.code(), "column \"" + name + "\": " + cause.message());
  for (const auto& [key, value] : cause.details()) fault.With(key, value);
  if (!cause.help().empty()) fault.Help(cause.help());
  if (!cause.cause().ok()) fault.Because(cause.cause());
  return fault.With("column", name).ToStatus();
}

}  // namespace

struct BlockReader::Column {
  BlockColumn head;
  std::unique_ptr<ColumnReader> reader;
};

BlockReader::BlockReader(const BlockOptions& options, arrow::MemoryPool* pool)
    : options_(options), pool_(pool) {}
BlockReader::~BlockReader() = default;

Status BlockReader::ReadColumn(ByteReader& bytes, size_t index, int64_t rows, int64_t& bytes_left,
                               Block& block) {
  ARROW_ASSIGN_OR_RAISE(std::string name, bytes.Text(kNameBytesMax, "bytes of a column's name"));
  ARROW_ASSIGN_OR_RAISE(std::string type, bytes.Text(kTypeNameBytesMax, "bytes of a type's name"));
  if (index == columns_.size()) columns_.push_back(std::make_unique<Column>());
  Column& column = *columns_[index];
  if (column.reader == nullptr || column.head.type != type || column.head.name != name) {
    const Result<Type> parsed = ParseType(type);
    if (!parsed.ok()) return OfColumn(parsed.status(), name);
    column.head.field = FieldOf(name, *parsed, options_.types);
    column.reader = MakeColumnReader(*parsed, options_.types);
    column.head.name = std::move(name);
    column.head.type = std::move(type);
  }
  block.columns.push_back(column.head);
  if (options_.revision >= kRevisionWithSerializationFlag) {
    ARROW_ASSIGN_OR_RAISE(const bool special, bytes.Flag());
    if (special) {
      return OfColumn(
          Fault(FaultCode::kSourceUnsupported, "it is sent in a form of its own, sparse"),
          column.head.name);
    }
  }
  if (rows == 0) return Status::OK();
  ColumnInput in{bytes, pool_, bytes_left};
  ARROW_RETURN_NOT_OK(OfColumn(column.reader->ReadPrefix(in), column.head.name));
  Result<std::shared_ptr<arrow::Array>> array = column.reader->Read(in, rows, nullptr);
  if (!array.ok()) return OfColumn(array.status(), column.head.name);
  block.arrays.push_back(*std::move(array));
  bytes_left = in.bytes_left;
  return Status::OK();
}

Result<Block> BlockReader::Read(ByteReader& bytes) {
  if (options_.revision >= kRevisionWithBlockInfo) ARROW_RETURN_NOT_OK(SkipBlockInfo(bytes));
  Block block;
  ARROW_ASSIGN_OR_RAISE(const int64_t columns, bytes.Count(kColumnsMax, "columns of a block"));
  ARROW_ASSIGN_OR_RAISE(block.rows, bytes.Count(kBlockRowsMax, "rows of a block"));
  if (columns == 0 && block.rows > 0) {
    return Fault(FaultCode::kSourceProtocol, "a block of rows without columns");
  }
  int64_t bytes_left = options_.block_bytes_max;
  for (int64_t i = 0; i < columns; ++i) {
    ARROW_RETURN_NOT_OK(ReadColumn(bytes, static_cast<size_t>(i), block.rows, bytes_left, block));
  }
  return block;
}

}  // namespace levada::chnative
