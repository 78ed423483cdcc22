#pragma once
// Decoder: PostgreSQL's COPY BINARY stream to Arrow record batches, as the bytes come in.
//
// Stands between whatever receives CopyData messages (or reads a file) and the first stage of a
// pipeline. It does no I/O, keeps no time and starts no thread. Types are decided before the first
// byte (types.h); values are exact or refused.
//
//     ARROW_ASSIGN_OR_RAISE(auto decoder, pgcopy::Decoder::Make(columns, {}, pool));
//     while (Receive(&chunk)) {
//       ARROW_RETURN_NOT_OK(decoder->Decode(chunk));
//       while (decoder->BatchReady()) { ARROW_ASSIGN_OR_RAISE(auto batch, decoder->TakeBatch());
//       ... }
//     }
//     ARROW_RETURN_NOT_OK(decoder->Finish());
//     while (decoder->BatchReady()) ...
//
// Source: PostgreSQL documentation, COPY, "Binary Format"; docs/wire/pgcopy.md.

#include <arrow/memory_pool.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/pgcopy/types.h"

namespace levada::pgcopy {

class RowDecoder;

/// Limits. Each has a bound of its own; Make refuses a value outside.
struct DecoderOptions {
  static constexpr int64_t kBatchRowsLimit = int64_t{1} << 24;
  static constexpr int64_t kBatchBytesLimit = int64_t{1}
                                              << 30;  // of 2 GiB that 32-bit offsets reach
  static constexpr int64_t kTupleBytesLimit = int64_t{1}
                                              << 30;  // what one CopyData message can carry
  static constexpr int64_t kColumnsLimit = 1664;      // MaxTupleAttributeNumber

  /// A batch is cut at this many rows,
  int64_t batch_rows_max = 16 * 1024;
  /// or after the row with which its values reach this many bytes.
  int64_t batch_bytes_max = 16 * 1024 * 1024;
  /// A longer tuple is refused. Bounds what is carried over from chunk to chunk.
  int64_t tuple_bytes_max = kTupleBytesLimit;
  /// Off only where the server guarantees it (server_encoding or client_encoding UTF8).
  bool validate_utf8 = true;
};

/// Use from one thread at a time. After an error every call returns that error again.
///
/// How the stream is cut into chunks changes nothing: not the batches, not the error. The fast way
/// is a chunk that holds whole tuples: one, as CopyData messages do, or many.
///
/// Memory: one batch being filled, the ready ones, and of a tuple that is split over chunks the
/// part that has come. So a chunk should be small against a batch: all rows of a chunk are decoded
/// before Decode returns.
///
/// Errors, all with details "row" (from 1) and "column" where one is known:
///   kSourceProtocol  bytes that are not the format, or not of the columns declared
///   kValueRefused    a value that the policy refuses, or that the Arrow type cannot hold
///   kInvalidUtf8     text that is not UTF-8
///   and those of the memory pool.
class Decoder final {
 public:
  /// Errors: those of FieldOf; kBadValue for options or a count of columns out of range.
  static Result<std::unique_ptr<Decoder>> Make(std::vector<Column> columns, DecoderOptions options,
                                               arrow::MemoryPool* pool);
  ~Decoder();

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// The next bytes of the stream, none of which are needed afterwards. May leave any number of
  /// batches ready.
  Status Decode(std::span<const uint8_t> chunk);

  /// No more bytes will come. Errors: kSourceProtocol when the trailer has not been seen.
  Status Finish();

  /// Whether a full batch waits, or the last one after Finish. False after an error.
  bool BatchReady() const;
  /// The oldest batch that is ready; when none is, the rows decoded since the last one, possibly
  /// none. Its buffers are the caller's alone. A column without a NULL has no validity bitmap.
  Result<std::shared_ptr<arrow::RecordBatch>> TakeBatch();

  /// Rows of complete tuples so far, taken or not.
  int64_t rows_decoded() const;
  /// Whether the trailer has been seen: the stream is complete, and a further byte is an error.
  bool finished() const { return state_ == State::kEnded; }

 private:
  enum class State : uint8_t { kHeader, kTuples, kEnded };

  Decoder(std::shared_ptr<arrow::Schema> schema, DecoderOptions options, arrow::MemoryPool* pool,
          std::unique_ptr<RowDecoder> rows);

  /// How far the frame at hand is known: the header, a tuple, or the trailer.
  struct Scanned {
    bool complete = false;
    int32_t fields = 0;  // of a tuple, whose length is known
    int64_t bytes = 0;   // up to the end of those fields
    int64_t needed = 0;  // bytes that must be there to know more; all of them belong to the frame
  };

  Status DecodeChunk(const uint8_t* from, const uint8_t* end);
  Result<const uint8_t*> DecodeCarried(const uint8_t* from, const uint8_t* end);
  Status Carry(const uint8_t* from, int64_t size);
  Status Scan(const uint8_t* frame, int64_t size);
  Status ScanHeader(const uint8_t* frame, int64_t size);
  Status ScanTuple(const uint8_t* frame, int64_t size);
  Status DecodeFrame(const uint8_t* frame, int64_t size);
  Status Cut();
  Fault Malformed(std::string what) const;
  Status Fail(Status failure);

  const std::shared_ptr<arrow::Schema> schema_;
  const DecoderOptions options_;
  arrow::MemoryPool* const pool_;
  const std::unique_ptr<RowDecoder> rows_;
  const int16_t field_count_;
  State state_ = State::kHeader;
  bool input_ended_ = false;
  int64_t frame_offset_ = 0;  // in the stream
  Scanned scanned_;
  std::unique_ptr<arrow::ResizableBuffer> carried_;  // a frame whose end has not come yet
  int64_t carried_bytes_ = 0;
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  Status failure_;
};

}  // namespace levada::pgcopy
