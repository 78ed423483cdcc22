#include "bench/http_reply.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"

namespace levada::bench {
namespace {

constexpr size_t kHeadBytesMax = 64 * 1024;
constexpr size_t kLineBytesMax = 8 * 1024;
constexpr size_t kToldBytesMax = 400;
constexpr std::string_view kBlanks = " \t\r";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<uint64_t> NumberOf(std::string_view text, int base) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The first field of the name; nullopt without one.
std::optional<std::string_view> FieldOf(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(head.size(), line.size() + 1));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (EqualsIgnoringCase(line.substr(0, colon), name)) return Trimmed(line.substr(colon + 1));
  }
  return std::nullopt;
}

}  // namespace

void ReplyReader::Tell(std::string_view bytes) {
  told_ += bytes.substr(0, kToldBytesMax - std::min(kToldBytesMax, told_.size()));
}

// ---- HTTP

void HttpReply::Reset() {
  Begin();
  at_ = At::kHead;
  head_.clear();
  line_.clear();
  left_ = 0;
}

bool HttpReply::Feed(std::string_view bytes) {
  while (!bytes.empty() && !is_complete_) {
    if (at_ == At::kHead) {
      const size_t before = head_.size();
      head_ += bytes.substr(0, kHeadBytesMax);
      const size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
      if (end == std::string::npos) return head_.size() < kHeadBytesMax;
      head_.resize(end + 2);
      bytes.remove_prefix(end + 4 - before);
      if (!ReadHead()) return false;
    } else if (at_ == At::kBody) {
      Take(bytes, left_);
      is_complete_ = left_ == 0;
    } else if (at_ == At::kChunkData) {
      Take(bytes, left_);
      if (left_ == 0) at_ = At::kChunkEnd;
    } else if (!FeedLine(bytes)) {
      return false;
    }
  }
  return bytes.empty();
}

bool HttpReply::ReadHead() {
  const std::string_view head = head_;
  const std::optional<uint64_t> status =
      NumberOf(head.substr(std::min<size_t>(9, head.size()), 3), 10);
  if (!head.starts_with("HTTP/1.") || !status || *status < 100) return false;
  if (*status < 200) {  // "continue": the reply is still to come
    Reset();
    return true;
  }
  is_success_ = *status < 300;
  const std::optional<std::string_view> connection = FieldOf(head, "Connection");
  is_last_ =
      head.starts_with("HTTP/1.0") || (connection && EqualsIgnoringCase(*connection, "close"));
  if (!is_success_) Tell(head.substr(0, head.find('\r')));
  const std::optional<std::string_view> coding = FieldOf(head, "Transfer-Encoding");
  if (coding) {
    at_ = At::kChunkSize;
    return EqualsIgnoringCase(*coding, "chunked");
  }
  at_ = At::kBody;
  const std::optional<std::string_view> length = FieldOf(head, "Content-Length");
  const bool has_none = *status == 204 || *status == 304;
  const std::optional<uint64_t> size = has_none ? 0 : NumberOf(length.value_or(""), 10);
  left_ = size.value_or(0);
  is_complete_ = left_ == 0;
  return size.has_value();
}

/// Up to the end of a line, which may come later.
bool HttpReply::FeedLine(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  bytes.remove_prefix(std::min(bytes.size(), end == std::string_view::npos ? end : end + 1));
  if (line_.size() > kLineBytesMax) return false;
  return end == std::string_view::npos || EndLine();
}

bool HttpReply::EndLine() {
  const std::string line(Trimmed(line_));
  line_.clear();
  if (at_ == At::kChunkEnd) {
    at_ = At::kChunkSize;
    return line.empty();
  }
  if (at_ == At::kTrailer) {
    is_complete_ = line.empty();
    return true;
  }
  const std::optional<uint64_t> size = NumberOf(Trimmed(line.substr(0, line.find(';'))), 16);
  left_ = size.value_or(0);
  at_ = left_ == 0 ? At::kTrailer : At::kChunkData;
  return size.has_value();
}

void HttpReply::Take(std::string_view& bytes, uint64_t& left) {
  const std::string_view piece = bytes.substr(0, left);
  if (!is_success_) Tell(piece);
  bytes.remove_prefix(piece.size());
  body_bytes_ += piece.size();
  left -= piece.size();
}

// ---- Redis

void RedisReply::Reset() {
  Begin();
  line_.clear();
}

bool RedisReply::Feed(std::string_view bytes) {
  line_ += bytes.substr(0, kLineBytesMax);
  is_complete_ = line_.ends_with("\r\n");
  is_success_ = line_ == "+OK\r\n";
  if (is_complete_ && !is_success_) Tell(line_);
  return line_.starts_with('+') || line_.starts_with('-')
             ? line_.size() < kLineBytesMax && line_.find('\n') >= line_.size() - 1
             : false;
}

}  // namespace levada::bench
