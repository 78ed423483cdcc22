#include "formats/chnative/byte_reader.h"

#include <algorithm>
#include <bit>

namespace levada::chnative {

static_assert(std::endian::native == std::endian::little, "values are copied as they come");

Result<size_t> MemorySource::Read(std::span<uint8_t> into) {
  const size_t size = std::min(into.size(), rest_.size());
  std::copy_n(rest_.data(), size, into.data());
  rest_.remove_prefix(size);
  return size;
}

Fault ByteReader::Truncated() const {
  return Fault(FaultCode::kSourceProtocol, "the bytes end in the middle of a value")
      .With("byte_offset", std::to_string(offset()));
}

Status ByteReader::Fill() {
  ARROW_ASSIGN_OR_RAISE(const size_t got, source_.Read(buffer_));
  if (got == 0) return Truncated();
  begin_ = 0;
  end_ = got;
  filled_ += static_cast<int64_t>(got);
  return Status::OK();
}

Result<bool> ByteReader::Flag() {
  ARROW_ASSIGN_OR_RAISE(const uint8_t byte, Byte());
  if (byte <= 1) return byte == 1;
  return Fault(FaultCode::kSourceProtocol, "a flag: expected 0 or 1, got " + std::to_string(byte))
      .With("byte_offset", std::to_string(offset() - 1));
}

Result<uint64_t> ByteReader::VarUInt() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    ARROW_ASSIGN_OR_RAISE(const uint8_t byte, Byte());
    const uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return Fault(FaultCode::kSourceProtocol, "a number of more than 64 bits")
      .With("byte_offset", std::to_string(offset()));
}

Result<int64_t> ByteReader::Count(int64_t most, std::string_view what) {
  ARROW_ASSIGN_OR_RAISE(const uint64_t value, VarUInt());
  if (value <= static_cast<uint64_t>(most)) return static_cast<int64_t>(value);
  return Fault(FaultCode::kSourceProtocol, std::string(what) + ": expected at most " +
                                               std::to_string(most) + ", got " +
                                               std::to_string(value))
      .With("byte_offset", std::to_string(offset()));
}

Status ByteReader::Bytes(std::span<uint8_t> into) {
  while (!into.empty()) {
    if (begin_ == end_ && into.size() >= buffer_.size()) {
      // Past the buffer: columns are larger than it.
      ARROW_ASSIGN_OR_RAISE(const size_t got, source_.Read(into));
      if (got == 0) return Truncated();
      filled_ += static_cast<int64_t>(got);
      into = into.subspan(got);
      continue;
    }
    if (begin_ == end_) ARROW_RETURN_NOT_OK(Fill());
    const size_t size = std::min(into.size(), end_ - begin_);
    std::copy_n(buffer_.data() + begin_, size, into.data());
    begin_ += size;
    into = into.subspan(size);
  }
  return Status::OK();
}

Result<std::string> ByteReader::Text(int64_t bytes_max, std::string_view what) {
  ARROW_ASSIGN_OR_RAISE(int64_t left, Count(bytes_max, what));
  std::string text;
  // In steps, so that a length alone allocates nothing.
  while (left > 0) {
    if (begin_ == end_) ARROW_RETURN_NOT_OK(Fill());
    const size_t size = std::min(static_cast<size_t>(left), end_ - begin_);
    text.append(reinterpret_cast<const char*>(buffer_.data()) + begin_, size);
    begin_ += size;
    left -= static_cast<int64_t>(size);
  }
  return text;
}

Result<bool> ByteReader::AtEnd() {
  if (begin_ != end_) return false;
  ARROW_ASSIGN_OR_RAISE(const size_t got, source_.Read(buffer_));
  begin_ = 0;
  end_ = got;
  filled_ += static_cast<int64_t>(got);
  return got == 0;
}

void AppendVarUInt(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void AppendText(std::string& out, std::string_view text) {
  AppendVarUInt(out, text.size());
  out.append(text);
}

}  // namespace levada::chnative
