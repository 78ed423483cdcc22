#pragma once
// What a request must keep to beyond the grammar, before a handler sees it: one length, one host, a
// target of this server. RFC 9112 sections 3.2, 6 and 11; where it leaves a choice, the strict one,
// since what two programs read differently is how requests are smuggled.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace levada::net {

/// Why the server answers by itself, and with which status.
struct Refusal {
  int status = 400;
  std::string problem;
};

/// How the message goes on behind its header.
struct RequestFraming {
  bool is_http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;
  bool is_chunked = false;
  uint64_t content_length = 0;
};

/// nullopt when nothing is wrong. Headers alone: `framing` says only the version.
std::optional<Refusal> CheckFraming(const Headers& headers, const RequestFraming& framing);
/// Exactly one Host, or at most one in HTTP/1.0, of letters that a host has.
std::optional<Refusal> CheckHost(const Headers& headers, const RequestFraming& framing);
/// Brings the target to origin form; an absolute one names the host too, whatever Host said.
std::optional<Refusal> ReduceTarget(Request& request);
/// All of the above.
std::optional<Refusal> ApplyRules(Request& request, const RequestFraming& framing);

/// Sets path and query from target.
void SplitTarget(Request& request);

}  // namespace levada::net
