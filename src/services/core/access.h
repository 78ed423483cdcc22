#pragma once
// Who may do what: scopes, and the principal a token stands for. A route names the scope it needs
// (route.h), a handler gets a Principal and reaches data only through it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace levada::services {

enum class Service : uint8_t {
  kAccount,  ///< tokens, the audit log
  kKv,
  kR2,
  kD1,
  kQueues,
  kAnalytics,
  kHyperdrive,
  kWorkers,
  kMetrics,  ///< of the daemon as a whole
};

/// Each holds the ones before it.
enum class Action : uint8_t {
  kRead,
  kWrite,
  kAdmin,  ///< makes and removes what others read and write: namespaces, buckets, tokens
};

/// "kv:read", "r2:write:photos", "all:admin".
struct Scope {
  std::optional<Service> service;  ///< none: every service, as "all"
  Action action = Action::kRead;
  std::string resource;  ///< a namespace's id, a bucket's name; empty: every one

  friend bool operator==(const Scope&, const Scope&) = default;
};

std::optional<Scope> ParseScope(std::string_view text);
std::string TextOf(const Scope& scope);
/// Comma-separated.
std::string TextOf(const std::vector<Scope>& scopes);
/// The services of scopes that something is served for, for messages: "all, account, kv, ...".
std::string ServiceWords();
std::string_view NameOf(Service service);
std::string_view NameOf(Action action);

/// Whoever presented a valid token. A copy of what was true when the request began.
struct Principal {
  int64_t account = 0;     ///< the row
  std::string account_id;  ///< 32 hex digits
  std::string token_id;    ///< 32 hex digits; also the S3 access key id
  std::vector<Scope> scopes;

  /// `resource` empty: something of the service as a whole (listing namespaces), for which a scope
  /// of one resource does not do.
  bool May(Service service, Action action, std::string_view resource) const;
};

}  // namespace levada::services
