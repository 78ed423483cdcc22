#include "formats/arrow_ipc/stream_reader.h"

#include <arrow/buffer.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/quantity.h"
#include "formats/arrow_ipc/accepted_types.h"
#include "formats/arrow_ipc/batch_layout.h"

namespace levada::arrow_ipc {
namespace {

using arrow::ipc::Message;
using arrow::ipc::MessageDecoder;
using arrow::ipc::MessageType;

constexpr size_t kWordSize = 4;

Fault Broken(std::string message) { return Fault(FaultCode::kSourceProtocol, std::move(message)); }

/// Why the first four bytes of a stream are none of one.
Fault NotAStream(std::string_view word) {
  Fault fault = Broken("expected a stream of Arrow's IPC format, got something else");
  if (word == "ARRO") {
    return Broken("expected a stream of Arrow's IPC format, got an Arrow file")
        .Help("write the streaming format (pyarrow: pa.ipc.new_stream instead of new_file)");
  }
  const bool is_text = std::ranges::all_of(
      word, [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t' || c == '\r'; });
  if (!is_text) return fault;
  return Broken("expected a stream of Arrow's IPC format, got text")
      .Help("standard output is for rows; what a program says belongs on standard error");
}

std::string_view NameOf(MessageType type) {
  switch (type) {
    case MessageType::SCHEMA:
      return "a schema";
    case MessageType::DICTIONARY_BATCH:
      return "a dictionary";
    case MessageType::RECORD_BATCH:
      return "a record batch";
    default:
      return "another message";
  }
}

/// Arrow's error as ours; ours as it is.
Status Decoded(const Status& status, std::string_view what) {
  if (status.ok() || AttachedFault(status) != nullptr) return status;
  return Broken(std::string(what) + ": not what Arrow's IPC format allows").Because(status);
}

}  // namespace

/// Bytes into messages.
class StreamReader::Frames {
 public:
  Frames(ByteSource source, const ReadLimits& limits, arrow::MemoryPool* pool)
      : source_(std::move(source)),
        limits_(limits),
        pool_(pool),
        decoder_(std::make_shared<arrow::ipc::AssignMessageDecoderListener>(&message_), pool) {}

  /// Null at the end of the stream.
  Result<std::unique_ptr<Message>> Next() {
    while (message_ == nullptr && decoder_.state() != MessageDecoder::State::EOS) {
      ARROW_RETURN_NOT_OK(Step());
    }
    if (message_ == nullptr) {
      ARROW_RETURN_NOT_OK(ExpectNothing());
      return nullptr;
    }
    std::unique_ptr<Message> message = std::move(message_);
    ++messages_;
    ARROW_RETURN_NOT_OK(CheckMessage(*message));
    return message;
  }

  int64_t bytes_read() const { return bytes_read_; }

 private:
  /// What the decoder needs next, no more and no less.
  Status Step() {
    const int64_t size = decoder_.next_required_size();
    if (size <= 0) return Broken("a message of no or negative size");
    switch (decoder_.state()) {
      case MessageDecoder::State::INITIAL:
      case MessageDecoder::State::METADATA_LENGTH:
        return StepWord(static_cast<size_t>(size));
      case MessageDecoder::State::METADATA:
        if (size > limits_.metadata_bytes) {
          if (messages_ == 0 && is_legacy_) return NotAStream({first_.data(), kWordSize});
          return Broken("the description of a message: expected at most " +
                        FormatBytes(limits_.metadata_bytes) + ", got " + FormatBytes(size));
        }
        break;
      default:
        if (size > limits_.batch_bytes) return TooLarge(messages_, size);
    }
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::Buffer> buffer,
                          arrow::AllocateBuffer(size, pool_));
    ARROW_RETURN_NOT_OK(Fill({buffer->mutable_data(), static_cast<size_t>(size)}));
    return Decoded(decoder_.Consume(std::shared_ptr<arrow::Buffer>(std::move(buffer))),
                   "a message");
  }

  Status StepWord(size_t size) {
    std::array<uint8_t, kWordSize> word{};
    if (size > word.size()) return Broken("a message of unknown framing");
    const bool is_first = bytes_read_ == 0;
    ARROW_RETURN_NOT_OK(Fill({word.data(), size}));
    if (is_first) {
      std::copy(word.begin(), word.end(), first_.begin());
      is_legacy_ = word != std::array<uint8_t, kWordSize>{0xff, 0xff, 0xff, 0xff};
    }
    const Status taken = decoder_.Consume(word.data(), static_cast<int64_t>(size));
    if (!taken.ok() && is_legacy_ && messages_ == 0) return NotAStream({first_.data(), kWordSize});
    return Decoded(taken, "a message");
  }

  /// All of `out`, or kSourceProtocol.
  Status Fill(std::span<uint8_t> out) {
    while (!out.empty()) {
      ARROW_ASSIGN_OR_RAISE(const size_t count, source_(out));
      if (count == 0) return EndedEarly();
      bytes_read_ += static_cast<int64_t>(count);
      out = out.subspan(count);
    }
    return Status::OK();
  }

  Status EndedEarly() const {
    if (bytes_read_ == 0) return Broken("expected a stream of Arrow's IPC format, got nothing");
    return Broken("the stream ended without its end marker")
        .With("bytes", std::to_string(bytes_read_))
        .Help("close the writer of the stream, which writes the marker (pyarrow: writer.close())");
  }

  Status ExpectNothing() {
    std::array<uint8_t, 64> more{};
    ARROW_ASSIGN_OR_RAISE(const size_t count, source_(more));
    if (count == 0) return Status::OK();
    return Broken("more bytes behind the end of the stream")
        .Help("write one stream; what a program says belongs on standard error");
  }

  Status CheckMessage(const Message& message) const {
    const MessageType expected = messages_ == 1 ? MessageType::SCHEMA : MessageType::RECORD_BATCH;
    if (message.type() != expected) {
      return Broken("message " + std::to_string(messages_) + ": expected " +
                    std::string(NameOf(expected)) + ", got " + std::string(NameOf(message.type())));
    }
    if (expected == MessageType::SCHEMA) return Status::OK();
    const arrow::Buffer& metadata = *message.metadata();
    const auto body = message.body();
    ARROW_ASSIGN_OR_RAISE(
        const BatchLayout layout,
        ReadBatchLayout({metadata.data(), static_cast<size_t>(metadata.size())},
                        body == nullptr
                            ? std::span<const uint8_t>()
                            : std::span(body->data(), static_cast<size_t>(body->size()))));
    if (layout.decoded_bytes > limits_.batch_bytes) {
      return TooLarge(messages_ - 1, layout.decoded_bytes);
    }
    return Status::OK();
  }

  /// `batch` counts from 1; the schema was message 1.
  Status TooLarge(int64_t batch, int64_t size) const {
    return Broken("record batch " + std::to_string(batch) + ": expected at most " +
                  FormatBytes(limits_.batch_bytes) + ", got " + FormatBytes(size))
        .With("bytes", std::to_string(size))
        .Help(
            "write smaller batches (pyarrow: writer.write_table(table, max_chunksize=10_000)), or "
            "raise batch_bytes:");
  }

  const ByteSource source_;
  const ReadLimits limits_;
  arrow::MemoryPool* const pool_;
  std::unique_ptr<Message> message_;
  MessageDecoder decoder_;
  std::array<char, kWordSize> first_{};
  bool is_legacy_ = false;  ///< the stream does not begin as since Arrow 0.15
  int64_t messages_ = 0;
  int64_t bytes_read_ = 0;
};

/// The frames for Arrow's reader, which wants to own what it reads from.
class StreamReader::Messages final : public arrow::ipc::MessageReader {
 public:
  explicit Messages(Frames* frames) : frames_(frames) {}
  Result<std::unique_ptr<Message>> ReadNextMessage() override { return frames_->Next(); }

 private:
  Frames* const frames_;
};

StreamReader::StreamReader() = default;
StreamReader::~StreamReader() = default;

Result<std::unique_ptr<StreamReader>> StreamReader::Open(ByteSource source,
                                                         const ReadLimits& limits,
                                                         arrow::MemoryPool* pool) {
  std::unique_ptr<StreamReader> reader(new StreamReader());
  reader->frames_ = std::make_unique<Frames>(std::move(source), limits, pool);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;           // Arrow's own are outside of what we count
  options.ensure_native_endian = false;  // the other order is refused
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  auto opened = arrow::ipc::RecordBatchStreamReader::Open(
      std::make_unique<Messages>(reader->frames_.get()), options);
  ARROW_RETURN_NOT_OK(Decoded(opened.status(), "the schema"));
  reader->batches_ = *std::move(opened);
  ARROW_ASSIGN_OR_RAISE(reader->schema_, AcceptedSchema(*reader->batches_->schema()));
  return reader;
}

const std::shared_ptr<arrow::Schema>& StreamReader::schema() const { return schema_; }

Result<std::shared_ptr<arrow::RecordBatch>> StreamReader::Next() {
  if (is_over_) return nullptr;
  is_over_ = true;  // until this batch is whole
  std::shared_ptr<arrow::RecordBatch> batch;
  ARROW_RETURN_NOT_OK(Decoded(batches_->ReadNext(&batch), "a record batch"));
  if (batch == nullptr) return nullptr;
  for (int i = 0; i < batch->num_columns(); ++i) {
    if (batch->column(i)->length() != batch->num_rows()) {
      return Broken("column \"" + schema_->field(i)->name() + "\": expected " +
                    std::to_string(batch->num_rows()) + " values, got " +
                    std::to_string(batch->column(i)->length()));
    }
    ARROW_RETURN_NOT_OK(CheckColumn(*schema_->field(i), *batch->column(i)));
  }
  is_over_ = false;
  return arrow::RecordBatch::Make(schema_, batch->num_rows(), batch->columns());
}

int64_t StreamReader::bytes_read() const { return frames_->bytes_read(); }

}  // namespace levada::arrow_ipc
