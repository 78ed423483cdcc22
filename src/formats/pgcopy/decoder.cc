#include "formats/pgcopy/decoder.h"

#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "formats/pgcopy/row_decoder.h"
#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

// No extension of the header is defined to this day; a longer one is no header.
constexpr int64_t kExtensionBytesMax = 64 * 1024;
constexpr uint32_t kCriticalFlags = 0xffff0000;
constexpr uint32_t kFlagOids = 0x00010000;
// What a tuple larger than this left behind is given back to the pool.
constexpr int64_t kCarryKeptBytes = 1024 * 1024;

Status CheckRange(const char* name, int64_t value, int64_t limit) {
  if (value >= 1 && value <= limit) return Status::OK();
  return Fault(FaultCode::kBadValue, std::string(name) + ": expected 1 to " +
                                         std::to_string(limit) + ", got " + std::to_string(value));
}

Status CheckOptions(const DecoderOptions& options, size_t columns) {
  ARROW_RETURN_NOT_OK(
      CheckRange("batch_rows_max", options.batch_rows_max, DecoderOptions::kBatchRowsLimit));
  ARROW_RETURN_NOT_OK(
      CheckRange("batch_bytes_max", options.batch_bytes_max, DecoderOptions::kBatchBytesLimit));
  ARROW_RETURN_NOT_OK(
      CheckRange("tuple_bytes_max", options.tuple_bytes_max, DecoderOptions::kTupleBytesLimit));
  if (columns <= static_cast<size_t>(DecoderOptions::kColumnsLimit)) return Status::OK();
  return Fault(FaultCode::kBadValue, "expected at most " +
                                         std::to_string(DecoderOptions::kColumnsLimit) +
                                         " columns, got " + std::to_string(columns));
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::Make(std::vector<Column> columns, DecoderOptions options,
                                               arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckOptions(options, columns.size()));
  arrow::util::InitializeUTF8();
  arrow::FieldVector fields;
  fields.reserve(columns.size());
  for (const Column& column : columns) {
    ARROW_ASSIGN_OR_RAISE(fields.emplace_back(), FieldOf(column));
  }
  std::shared_ptr<arrow::Schema> schema = arrow::schema(std::move(fields));
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<RowDecoder> rows,
                        RowDecoder::Make(columns, schema, options.batch_rows_max,
                                         options.batch_bytes_max, options.validate_utf8, pool));
  return std::unique_ptr<Decoder>(new Decoder(std::move(schema), options, pool, std::move(rows)));
}

Decoder::Decoder(std::shared_ptr<arrow::Schema> schema, DecoderOptions options,
                 arrow::MemoryPool* pool, std::unique_ptr<RowDecoder> rows)
    : schema_(std::move(schema)),
      options_(options),
      pool_(pool),
      rows_(std::move(rows)),
      field_count_(static_cast<int16_t>(schema_->num_fields())) {}

Decoder::~Decoder() = default;

Status Decoder::Decode(std::span<const uint8_t> chunk) {
  if (!failure_.ok()) return failure_;
  if (chunk.empty()) return Status::OK();
  Status status = DecodeChunk(chunk.data(), chunk.data() + chunk.size());
  if (!status.ok()) [[unlikely]] {
    return Fail(std::move(status));
  }
  return status;
}

Status Decoder::DecodeChunk(const uint8_t* from, const uint8_t* end) {
  if (carried_bytes_ > 0) {
    ARROW_ASSIGN_OR_RAISE(from, DecodeCarried(from, end));
  }
  while (from != end) {
    if (state_ == State::kTuples && end - from >= 2 &&
        static_cast<int16_t>(LoadBig16(from)) == field_count_) [[likely]] {
      const uint8_t* const tuple_end =
          from + std::min<int64_t>(end - from, options_.tuple_bytes_max);
      const uint8_t* const next = rows_->DecodeRow(from + 2, tuple_end);
      if (next != nullptr) [[likely]] {
        frame_offset_ += next - from;
        from = next;
        if (rows_->full()) ARROW_RETURN_NOT_OK(Cut());
        continue;
      }
      // Whether the tuple is wrong or only incomplete is for the scan below to say; a complete one
      // fails once more.
      (void)rows_->TakeFailure();
    }
    scanned_ = {};
    ARROW_RETURN_NOT_OK(Scan(from, end - from));
    if (!scanned_.complete) return Carry(from, end - from);
    ARROW_RETURN_NOT_OK(DecodeFrame(from, scanned_.bytes));
    from += scanned_.bytes;
  }
  return Status::OK();
}

Result<const uint8_t*> Decoder::DecodeCarried(const uint8_t* from, const uint8_t* end) {
  while (true) {
    ARROW_RETURN_NOT_OK(Scan(carried_->data(), carried_bytes_));
    if (scanned_.complete) break;
    if (from == end) return from;
    // Never more than is known to belong to this frame, so that what follows is decoded where it
    // lies.
    const int64_t taken = std::min<int64_t>(end - from, scanned_.needed - carried_bytes_);
    ARROW_RETURN_NOT_OK(Carry(from, taken));
    from += taken;
  }
  ARROW_RETURN_NOT_OK(DecodeFrame(carried_->data(), carried_bytes_));
  carried_bytes_ = 0;
  if (carried_->capacity() > kCarryKeptBytes) carried_.reset();
  return from;
}

Status Decoder::Carry(const uint8_t* from, int64_t size) {
  if (carried_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(carried_, arrow::AllocateResizableBuffer(0, pool_));
  }
  const int64_t needed = carried_bytes_ + size;
  if (needed > carried_->capacity()) {
    ARROW_RETURN_NOT_OK(carried_->Reserve(std::max(needed, 2 * carried_->capacity())));
  }
  ARROW_RETURN_NOT_OK(carried_->Resize(needed, /*shrink_to_fit=*/false));
  std::memcpy(carried_->mutable_data() + carried_bytes_, from, static_cast<size_t>(size));
  carried_bytes_ = needed;
  return Status::OK();
}

Status Decoder::Scan(const uint8_t* frame, int64_t size) {
  switch (state_) {
    case State::kHeader:
      return ScanHeader(frame, size);
    case State::kTuples:
      return ScanTuple(frame, size);
    case State::kEnded:
      break;
  }
  return Malformed("expected nothing after the trailer, got more bytes");
}

Status Decoder::ScanHeader(const uint8_t* frame, int64_t size) {
  scanned_.needed = kHeaderBytes;
  if (size < kHeaderBytes) return Status::OK();
  if (std::memcmp(frame, kSignature, sizeof(kSignature)) != 0) {
    return Malformed("expected the signature of COPY BINARY, got other bytes");
  }
  const uint32_t extension_bytes = LoadBig32(frame + kHeaderBytes - 4);
  if (extension_bytes > kExtensionBytesMax) {
    return Malformed("expected a header extension of at most " +
                     std::to_string(kExtensionBytesMax) + " bytes, got " +
                     std::to_string(extension_bytes));
  }
  scanned_.bytes = scanned_.needed = kHeaderBytes + extension_bytes;
  scanned_.complete = size >= scanned_.bytes;
  return Status::OK();
}

Status Decoder::ScanTuple(const uint8_t* frame, int64_t size) {
  scanned_.needed = 2;
  if (size < 2) return Status::OK();
  if (scanned_.bytes == 0) {
    const int16_t fields = static_cast<int16_t>(LoadBig16(frame));
    scanned_.bytes = 2;
    if (fields == kTrailer) {
      scanned_.complete = true;
      return Status::OK();
    }
    if (fields != field_count_) {
      return Malformed("expected a tuple of " + std::to_string(field_count_) + " fields, got " +
                       std::to_string(fields));
    }
  }
  while (scanned_.fields < field_count_ && size - scanned_.bytes >= 4) {
    const int32_t length = static_cast<int32_t>(LoadBig32(frame + scanned_.bytes));
    if (length < kNullLength) {
      return Malformed("expected a field length of at least -1, got " + std::to_string(length))
          .With("column", schema_->field(scanned_.fields)->name());
    }
    scanned_.bytes += int64_t{4} + std::max(length, 0);
    if (scanned_.bytes > options_.tuple_bytes_max) {
      return Malformed("expected a tuple of at most " + std::to_string(options_.tuple_bytes_max) +
                       " bytes, got a field of " + std::to_string(length))
          .With("column", schema_->field(scanned_.fields)->name());
    }
    ++scanned_.fields;
  }
  scanned_.needed = scanned_.bytes + (scanned_.fields < field_count_ ? 4 : 0);
  scanned_.complete = scanned_.fields == field_count_ && size >= scanned_.bytes;
  return Status::OK();
}

Status Decoder::DecodeFrame(const uint8_t* frame, int64_t size) {
  if (state_ == State::kHeader) {
    const uint32_t flags = LoadBig32(frame + sizeof(kSignature));
    if ((flags & kCriticalFlags) != 0) {
      return Malformed(flags & kFlagOids ? "rows with object ids, as before PostgreSQL 12"
                                         : "a flag in the header that this format does not have");
    }
    state_ = State::kTuples;
  } else if (static_cast<int16_t>(LoadBig16(frame)) == kTrailer) {
    state_ = State::kEnded;
  } else if (rows_->DecodeRow(frame + 2, frame + size) == nullptr) {
    Status failure = rows_->TakeFailure();
    if (!failure.ok()) return failure;
    return Fault(FaultCode::kInternal, "copy stream: a whole tuple was taken for a part of one");
  } else if (rows_->full()) {
    ARROW_RETURN_NOT_OK(Cut());
  }
  frame_offset_ += size;
  return Status::OK();
}

Status Decoder::Cut() {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, rows_->Cut());
  ready_.push_back(std::move(batch));
  return Status::OK();
}

Status Decoder::Finish() {
  if (!failure_.ok()) return failure_;
  if (state_ != State::kEnded) return Fail(Malformed("the stream ends before its trailer"));
  input_ended_ = true;
  return Status::OK();
}

bool Decoder::BatchReady() const {
  return failure_.ok() && (!ready_.empty() || (input_ended_ && rows_->rows() > 0));
}

Result<std::shared_ptr<arrow::RecordBatch>> Decoder::TakeBatch() {
  if (!failure_.ok()) return failure_;
  if (ready_.empty()) {
    Status status = Cut();
    if (!status.ok()) return Fail(std::move(status));
  }
  std::shared_ptr<arrow::RecordBatch> batch = std::move(ready_.front());
  ready_.pop_front();
  return batch;
}

int64_t Decoder::rows_decoded() const { return rows_->rows_cut() + rows_->rows(); }

Fault Decoder::Malformed(std::string what) const {
  Fault fault(FaultCode::kSourceProtocol, "copy stream: " + std::move(what));
  fault.With("byte_offset", std::to_string(frame_offset_));
  if (state_ == State::kTuples) fault.With("row", std::to_string(rows_decoded() + 1));
  return fault;
}

Status Decoder::Fail(Status failure) {
  failure_ = std::move(failure);
  ready_.clear();
  return failure_;
}

}  // namespace levada::pgcopy
