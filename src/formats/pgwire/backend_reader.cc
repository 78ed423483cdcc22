#include "formats/pgwire/backend_reader.h"

#include <charconv>

namespace levada::pgwire {
namespace {

std::string Printable(char type) {
  if (type >= 0x21 && type < 0x7f) return std::string(1, type);
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<uint8_t>(type);
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

Fault ProtocolFault(char type, const std::string& problem) {
  return Fault(FaultCode::kSourceProtocol,
               "message \"" + Printable(type) + "\" of the server: " + problem)
      .With("message", Printable(type));
}

/// 0: no such message may come while we read.
uint32_t LengthMax(char type) {
  switch (type) {
    case 'd':
      return kCopyDataBytesMax;
    case 'E':
    case 'N':
      return kErrorBytesMax;
    case 'H':
    case 'c':
    case 'C':
    case 'Z':
    case 'S':
    case 'A':
      return kOtherBytesMax;
    default:
      return 0;
  }
}

uint16_t LoadBig16(const uint8_t* from) { return static_cast<uint16_t>(from[0] << 8 | from[1]); }

}  // namespace

Status BackendReader::Expect(State state, char type) const {
  if (state_ == state) return Status::OK();
  constexpr std::string_view kNames[] = {"before the copy",   "inside the copy", "after the copy",
                                         "after the command", "after an error",  "at the end"};
  return ProtocolFault(type, "does not belong " + std::string(kNames[static_cast<size_t>(state_)]));
}

Status BackendReader::ReadCopyOutResponse(std::span<const uint8_t> body) {
  if (body.size() < 3) {
    return ProtocolFault('H', "expected 3 bytes or more, got " + std::to_string(body.size()));
  }
  const size_t count = LoadBig16(&body[1]);
  if (body.size() != 3 + 2 * count) {
    return ProtocolFault('H', "expected " + std::to_string(3 + 2 * count) + " bytes, got " +
                                  std::to_string(body.size()));
  }
  constexpr uint16_t kBinary = 1;
  bool binary = body[0] == kBinary;
  for (size_t i = 0; i < count; ++i) binary = binary && LoadBig16(&body[3 + 2 * i]) == kBinary;
  if (!binary) return ProtocolFault('H', "expected format binary, got another");
  column_count_ = static_cast<int>(count);
  return Status::OK();
}

Status BackendReader::ReadTag(std::span<const uint8_t> body) {
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  constexpr std::string_view kCopy = "COPY ";
  if (!text.starts_with(kCopy) || text.back() != '\0') {
    return ProtocolFault('C', "expected the tag \"COPY <rows>\"");
  }
  const std::string_view digits = text.substr(kCopy.size(), text.size() - kCopy.size() - 1);
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, rows_sent_);
  if (parsed.ec != std::errc() || parsed.ptr != end || rows_sent_ < 0) {
    rows_sent_ = -1;
    return ProtocolFault('C', "expected a number of rows in the tag");
  }
  return Status::OK();
}

Result<BackendEvent> BackendReader::Read(char type, std::span<const uint8_t> body) {
  switch (type) {
    case 'H':
      ARROW_RETURN_NOT_OK(Expect(State::kBeforeCopy, type));
      ARROW_RETURN_NOT_OK(ReadCopyOutResponse(body));
      state_ = State::kCopying;
      return BackendEvent::kCopyStarted;
    case 'd':
      ARROW_RETURN_NOT_OK(Expect(State::kCopying, type));
      return BackendEvent::kCopyData;
    case 'c':
      ARROW_RETURN_NOT_OK(Expect(State::kCopying, type));
      if (!body.empty()) return ProtocolFault(type, "expected no content");
      state_ = State::kCopyDone;
      return BackendEvent::kCopyDone;
    case 'C':
      ARROW_RETURN_NOT_OK(Expect(State::kCopyDone, type));
      ARROW_RETURN_NOT_OK(ReadTag(body));
      state_ = State::kComplete;
      return BackendEvent::kComplete;
    case 'Z':
      if (state_ != State::kFailed) ARROW_RETURN_NOT_OK(Expect(State::kComplete, type));
      if (body.size() != 1) return ProtocolFault(type, "expected one byte of content");
      state_ = State::kReady;
      return BackendEvent::kReady;
    case 'E': {
      // Also after kComplete: a deferred error of the transaction, or the server shutting down.
      if (state_ == State::kReady) return Expect(State::kFailed, type);
      ARROW_ASSIGN_OR_RAISE(error_, ParseErrorFields(body));
      state_ = State::kFailed;
      failed_ = true;
      return BackendEvent::kError;
    }
    default:  // N, S, A
      return BackendEvent::kIgnored;
  }
}

Result<BackendMessage> BackendReader::Next(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return BackendMessage{BackendEvent::kNeedBytes, kHeaderBytes, {}};
  const char type = static_cast<char>(bytes[0]);
  const uint32_t length_max = LengthMax(type);
  if (length_max == 0) return ProtocolFault(type, "not expected in the answer to COPY");
  if (bytes.size() < kHeaderBytes)
    return BackendMessage{BackendEvent::kNeedBytes, kHeaderBytes, {}};
  const uint32_t length = LengthOf(bytes);
  if (length < 4 || length > length_max) {
    return ProtocolFault(type, "expected a length of 4 to " + std::to_string(length_max) +
                                   ", got " + std::to_string(length));
  }
  // Checked before the body is there: a peer that is not a server shall not make us buffer for it.
  if (type == 'd') ARROW_RETURN_NOT_OK(Expect(State::kCopying, type));
  const size_t size = size_t{length} + 1;
  if (bytes.size() < size) return BackendMessage{BackendEvent::kNeedBytes, size, {}};
  const std::span<const uint8_t> body = bytes.subspan(kHeaderBytes, size - kHeaderBytes);
  ARROW_ASSIGN_OR_RAISE(const BackendEvent event, Read(type, body));
  return BackendMessage{event, size,
                        event == BackendEvent::kCopyData ? body : std::span<const uint8_t>()};
}

Result<std::string> EncodeQuery(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos) {
    return Fault(FaultCode::kBadValue, "query: expected text, got a zero byte in it");
  }
  const uint64_t length = sql.size() + 4 + 1;
  if (length > kCopyDataBytesMax) {
    return Fault(FaultCode::kBadValue, "query: expected at most 1 GiB of text");
  }
  std::string message = "Q";
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(length >> shift & 0xff);
  message.append(sql);
  message += '\0';
  return message;
}

}  // namespace levada::pgwire
