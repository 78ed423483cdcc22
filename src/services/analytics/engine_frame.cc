#include "services/analytics/engine_frame.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/byte_order.h"

namespace levada::services::analytics {
namespace {

constexpr size_t kSizeBytes = 4;
constexpr size_t kHeadBytes = 8 + 1;
constexpr size_t kCodeBytes = 4;
constexpr const char* kCode = "code";

/// The beginning of a frame with `body_bytes` behind its head.
std::string Head(uint64_t id, uint8_t kind, size_t body_bytes) {
  std::string frame;
  frame.reserve(kSizeBytes + kHeadBytes + body_bytes);
  AppendBigEndian(frame, kHeadBytes + body_bytes, kSizeBytes);
  AppendBigEndian(frame, id, 8);
  frame.push_back(static_cast<char>(kind));
  return frame;
}

uint32_t NumberOf(std::string_view digits) {
  uint32_t number = 0;
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

std::string Encode(const EngineRequest& request) {
  const Statement& statement = request.statement;
  std::string frame = Head(request.id, static_cast<uint8_t>(statement.kind),
                           kSizeBytes + statement.sql.size() + statement.rows.size());
  AppendBigEndian(frame, statement.sql.size(), kSizeBytes);
  frame += statement.sql;
  frame += statement.rows;
  return frame;
}

std::string Encode(const EngineAnswer& answer) {
  return Head(answer.id, static_cast<uint8_t>(answer.outcome), answer.text.size()) + answer.text;
}

std::optional<EngineRequest> DecodeRequest(std::string_view frame) {
  if (frame.size() < kHeadBytes + kSizeBytes) return std::nullopt;
  const auto kind = static_cast<uint8_t>(frame[8]);
  if (kind > static_cast<uint8_t>(StatementKind::kCreate)) return std::nullopt;
  const std::string_view rest = frame.substr(kHeadBytes + kSizeBytes);
  const auto sql_bytes = static_cast<size_t>(ReadBigEndian(frame.substr(kHeadBytes, kSizeBytes)));
  if (sql_bytes > rest.size()) return std::nullopt;
  return EngineRequest{ReadBigEndian(frame.substr(0, 8)),
                       {static_cast<StatementKind>(kind), std::string(rest.substr(0, sql_bytes)),
                        std::string(rest.substr(sql_bytes))}};
}

std::optional<EngineAnswer> DecodeAnswer(std::string_view frame) {
  if (frame.size() < kHeadBytes) return std::nullopt;
  const auto outcome = static_cast<uint8_t>(frame[8]);
  if (outcome > static_cast<uint8_t>(Outcome::kUnsupported)) return std::nullopt;
  EngineAnswer answer{ReadBigEndian(frame.substr(0, 8)), static_cast<Outcome>(outcome),
                      std::string(frame.substr(kHeadBytes))};
  if (answer.outcome == Outcome::kFailed && answer.text.size() < kCodeBytes) return std::nullopt;
  return answer;
}

EngineAnswer AnswerOf(uint64_t id, Result<std::string> result) {
  if (result.ok()) return {id, Outcome::kOk, *std::move(result)};
  const Fault fault = FaultOf(result.status());
  if (fault.code() == FaultCode::kFileUnreadable) return {id, Outcome::kNoLibrary, fault.message()};
  if (fault.code() != FaultCode::kQueryFailed) return {id, Outcome::kUnsupported, fault.message()};
  EngineAnswer answer{id, Outcome::kFailed, {}};
  AppendBigEndian(answer.text, NumberOf(fault.Detail(kCode)), kCodeBytes);
  answer.text += fault.message();
  return answer;
}

Result<std::string> ResultOf(EngineAnswer answer) {
  switch (answer.outcome) {
    case Outcome::kOk:
      return std::move(answer.text);
    case Outcome::kNoLibrary:
      return Fault(FaultCode::kFileUnreadable, std::move(answer.text));
    case Outcome::kUnsupported:
      return Fault(FaultCode::kSourceUnsupported, std::move(answer.text));
    case Outcome::kFailed:
      break;
  }
  const std::string_view text(answer.text);
  return Fault(FaultCode::kQueryFailed, std::string(text.substr(kCodeBytes)))
      .With(kCode, std::to_string(ReadBigEndian(text.substr(0, kCodeBytes))));
}

Result<std::optional<std::string_view>> FrameCutter::Next() {
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  const bool has_size = rest.size() >= kSizeBytes;
  const auto size = has_size ? static_cast<size_t>(ReadBigEndian(rest.substr(0, kSizeBytes))) : 0;
  if (size > frame_bytes_max_) {
    return Fault(FaultCode::kSourceProtocol,
                 fmt::format("a frame of {} bytes, expected at most {}", size, frame_bytes_max_));
  }
  if (!has_size || rest.size() - kSizeBytes < size) {
    buffer_.erase(0, begin_);
    begin_ = 0;
    return std::nullopt;
  }
  begin_ += kSizeBytes + size;
  return rest.substr(kSizeBytes, size);
}

}  // namespace levada::services::analytics
