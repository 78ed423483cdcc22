#pragma once
// ByteReader: bounded reading of ClickHouse's primitive values from wherever bytes come from. The
// session reads packets by it, the codec blocks. It does no I/O of its own and trusts no length.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::chnative {

/// Where bytes come from: memory, a socket, compressed frames.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// At least one byte and at most `into.size()`, which is not 0. 0: there are no more.
  virtual Result<size_t> Read(std::span<uint8_t> into) = 0;
};

/// Bytes that are there already, which have to outlive it.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
  Result<size_t> Read(std::span<uint8_t> into) override;

 private:
  std::string_view rest_;
};

/// Buffers a source, which has to outlive it. Where bytes end in the middle of a value every method
/// fails with kSourceProtocol; behind a failure the reader is of no use.
class ByteReader {
 public:
  static constexpr size_t kBufferBytes = size_t{64} << 10;
  explicit ByteReader(ByteSource& source, size_t buffer_bytes = kBufferBytes)
      : source_(source), buffer_(buffer_bytes) {}
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  Result<uint8_t> Byte() {
    if (begin_ == end_) ARROW_RETURN_NOT_OK(Fill());
    return buffer_[begin_++];
  }
  /// 0 or 1, anything else is no flag.
  Result<bool> Flag();
  /// LEB128 of at most 64 bits.
  Result<uint64_t> VarUInt();
  /// A VarUInt that is at most `most`; `what` names it: "count of columns".
  Result<int64_t> Count(int64_t most, std::string_view what);
  template <typename T>
  Result<T> Little() {
    T value;
    ARROW_RETURN_NOT_OK(Bytes({reinterpret_cast<uint8_t*>(&value), sizeof value}));
    return value;
  }
  /// All of `into`.
  Status Bytes(std::span<uint8_t> into);
  /// A length and so many bytes.
  Result<std::string> Text(int64_t bytes_max, std::string_view what);
  /// Whether nothing follows; may wait for the source to say so.
  Result<bool> AtEnd();
  /// Bytes read so far.
  int64_t offset() const { return filled_ - static_cast<int64_t>(end_ - begin_); }
  /// What can be had without asking the source.
  std::span<const uint8_t> buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
  /// Precondition: size <= buffered().size().
  void Consume(size_t size) { begin_ += size; }

 private:
  Status Fill();
  Fault Truncated() const;

  ByteSource& source_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t filled_ = 0;  ///< taken from the source
};

/// As ClickHouse's writers have it; for requests and tests.
void AppendVarUInt(std::string& out, uint64_t value);
/// A length and the bytes.
void AppendText(std::string& out, std::string_view text);
template <typename T>
void AppendLittle(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace levada::chnative
