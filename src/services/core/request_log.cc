#include "services/core/request_log.h"

#include <algorithm>

#include "base/url.h"

namespace levada::services {
namespace {

constexpr size_t kPathBytesMax = 512;
constexpr size_t kMethodBytesMax = 32;
constexpr size_t kCauseBytesMax = 1000;
// What is longer, or has other characters, may be a value that somebody put in a name's place.
constexpr size_t kNameBytesMax = 32;
constexpr size_t kNamesMax = 8;

struct Kind {
  LogLevel level;
  std::string_view message;
};

/// What is said unasked; the others are debug.
Kind KindOf(const net::Exchange& exchange, std::chrono::milliseconds slow) {
  if (exchange.is_refusal) return {LogLevel::kDebug, "request refused"};
  // What a client asks for that is not here is no failure of the daemon.
  if (exchange.status == 501) return {LogLevel::kInfo, "not implemented"};
  if (exchange.status >= 500) return {LogLevel::kError, "request failed"};
  if (exchange.is_cut && !exchange.cause.empty()) return {LogLevel::kError, "answer cut short"};
  if (exchange.status == 401 || exchange.status == 403) return {LogLevel::kInfo, "request refused"};
  const bool is_lost = exchange.status == 404 || exchange.status == 405;
  if (is_lost && exchange.request.notes.route.empty()) return {LogLevel::kInfo, "no such route"};
  if (exchange.duration >= slow) return {LogLevel::kInfo, "slow request"};
  return {LogLevel::kDebug, exchange.is_cut ? "client went away" : "request"};
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string Cut(std::string_view text, size_t size_max) {
  if (text.size() <= size_max) return std::string(text);
  return std::string(text.substr(0, size_max)) + "...";
}

}  // namespace

std::string ShownTarget(const net::Request& request) {
  std::string shown = Cut(request.path, kPathBytesMax);
  size_t names = 0;
  for (const UrlParameter& parameter : UrlParameters(request.query)) {
    if (names == kNamesMax) break;
    shown += names++ == 0 ? '?' : '&';
    shown += IsName(parameter.name) ? parameter.name : std::string_view("...");
  }
  return shown;
}

void RequestLog::Note(std::string_view door, const net::Exchange& exchange) {
  Kind kind = KindOf(exchange, options_.slow);
  const bool is_asked = kind.level == LogLevel::kDebug;
  if (is_asked && options_.all) kind.level = LogLevel::kInfo;
  if (!log_.Enabled(kind.level)) return;
  if (!is_asked && !options_.all && !TakeLine()) return;
  const net::Request& request = exchange.request;
  const net::RequestNotes& notes = request.notes;
  log_.Write(kind.level, kind.message,
             {{"door", std::string(door)},
              {"method", Cut(request.method, kMethodBytesMax)},
              {"path", ShownTarget(request)},
              {"status", int64_t{exchange.status}},
              {"ms", static_cast<double>(exchange.duration.count() / 1000) / 1000},
              {"bytes_in", static_cast<int64_t>(exchange.bytes_in)},
              {"bytes_out", static_cast<int64_t>(exchange.bytes_out)},
              {"request", notes.id},
              {"account", notes.account},
              {"token", notes.credential},
              {"peer", request.peer_address},
              {"cause", Cut(exchange.cause, kCauseBytesMax)}});
}

bool RequestLog::TakeLine() {
  const SteadyTime now = clock_.Steady();
  if (now - second_began_ >= std::chrono::seconds(1)) {
    SayUnwritten();
    second_began_ = now;
    lines_of_second_ = 0;
  }
  if (lines_of_second_++ < options_.lines_per_second_max) return true;
  ++unwritten_;
  ++unwritten_total_;
  return false;
}

void RequestLog::SayUnwritten() {
  if (unwritten_ == 0) return;
  log_.Warning("more requests failed or were refused than are written one by one",
               {{"unwritten", static_cast<int64_t>(unwritten_)}});
  unwritten_ = 0;
}

}  // namespace levada::services
