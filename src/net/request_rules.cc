#include "net/request_rules.h"

#include <algorithm>
#include <array>

#include "net/ascii.h"

namespace levada::net {
namespace {

Refusal Bad(std::string problem) { return {400, std::move(problem)}; }

bool IsNumber(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsDigit); }

/// By byte: whether it may stand in a host and port (RFC 3986 section 3.2.2).
constexpr std::array<bool, 256> kHostBytes = [] {
  std::array<bool, 256> allowed{};
  for (size_t byte = 0; byte < allowed.size(); ++byte) {
    const char letter = static_cast<char>(byte);
    allowed[byte] = IsLetterOrDigit(letter) ||
                    std::string_view("-._~!$&'()*+,;=:%[]").find(letter) != std::string_view::npos;
  }
  return allowed;
}();

bool IsHost(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char letter) { return kHostBytes[static_cast<uint8_t>(letter)]; });
}

}  // namespace

std::optional<Refusal> CheckFraming(const Headers& headers, const RequestFraming& framing) {
  const size_t lengths = headers.Count("Content-Length");
  const size_t encodings = headers.Count("Transfer-Encoding");
  if (lengths > 1) return Bad("more than one Content-Length");
  if (encodings > 1) return Bad("more than one Transfer-Encoding");
  if (lengths > 0 && encodings > 0) return Bad("both Content-Length and Transfer-Encoding");
  if (lengths > 0 && !IsNumber(*headers.Find("Content-Length"))) {
    return Bad("a Content-Length that is no number");
  }
  if (encodings > 0) {
    if (framing.is_http_1_0) return Bad("Transfer-Encoding in HTTP/1.0");
    if (!EqualsIgnoringCase(*headers.Find("Transfer-Encoding"), "chunked")) {
      return Refusal{501, "a Transfer-Encoding other than chunked"};
    }
  }
  const auto expectation = headers.Find("Expect");
  if (expectation && !framing.is_http_1_0 && !EqualsIgnoringCase(*expectation, "100-continue")) {
    return Refusal{417, "an Expect other than 100-continue"};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckHost(const Headers& headers, const RequestFraming& framing) {
  const size_t hosts = headers.Count("Host");
  if (hosts > 1) return Bad("more than one Host");
  if (hosts == 0) {
    if (framing.is_http_1_0) return std::nullopt;
    return Bad("no Host");
  }
  if (!IsHost(*headers.Find("Host"))) return Bad("a Host that is none");
  return std::nullopt;
}

std::optional<Refusal> ReduceTarget(Request& request) {
  const std::string_view target = request.target;
  if (target.starts_with('/')) return std::nullopt;
  if (target == "*") {
    if (request.method == "OPTIONS") return std::nullopt;
    return Bad("the target * of a method other than OPTIONS");
  }
  size_t scheme_size = 0;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (StartsIgnoringCase(target, scheme)) scheme_size = scheme.size();
  }
  if (scheme_size == 0) return Bad("a target that is neither a path nor an http URL");
  const size_t host_end = std::min(target.find_first_of("/?#", scheme_size), target.size());
  const std::string host(target.substr(scheme_size, host_end - scheme_size));
  if (host.empty() || !IsHost(host)) return Bad("a target with a host that is none");
  std::string path(target.substr(host_end));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  request.target = std::move(path);
  request.headers.Set("Host", host);
  return std::nullopt;
}

std::optional<Refusal> ApplyRules(Request& request, const RequestFraming& framing) {
  if (auto refusal = CheckFraming(request.headers, framing)) return refusal;
  if (auto refusal = CheckHost(request.headers, framing)) return refusal;
  if (auto refusal = ReduceTarget(request)) return refusal;
  SplitTarget(request);
  return std::nullopt;
}

void SplitTarget(Request& request) {
  const std::string_view target = request.target;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

}  // namespace levada::net
