#pragma once
// Grants: what a Worker's binding may do, as a value nobody can guess. The daemon issues one for
// each binding of a generation of a Worker, writes it into the configuration of its workerd, and
// gets it back with each call in the header X-Levada-Binding, which a Worker can neither read nor
// set. Grants live in memory and end with their generation.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "net/http.h"
#include "services/core/access.h"
#include "services/core/control.h"

namespace levada::services {

struct Grant {
  int64_t account = 0;
  ResourceKind kind = ResourceKind::kNamespace;
  uint64_t resource = 0;  ///< its number
  Action action = Action::kWrite;
  std::string generation;  ///< whose it is
};

/// Thread-safe.
class Grants final {
 public:
  explicit Grants(Random& random) : random_(random) {}

  /// 64 hex digits.
  std::string Issue(Grant grant);
  std::optional<Grant> Find(std::string_view value) const;
  /// All of one generation.
  void End(std::string_view generation);

 private:
  Random& random_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Grant> by_value_;
};

inline constexpr std::string_view kBindingHeader = "X-Levada-Binding";

/// The listener of workerds: each call goes to the service of its grant. 403 without a valid one.
/// A refusal waits until the body has come: workerd takes an answer in the midst of what it sends
/// for a lost connection.
class BindingDoor final : public net::Handler {
 public:
  using Serve = std::function<net::Task<net::Response>(net::Request&, const Grant&)>;

  /// `grants` outlives it.
  explicit BindingDoor(const Grants& grants) : grants_(grants) {}
  /// Before it serves.
  void Add(ResourceKind kind, Serve serve) { by_kind_[kind] = std::move(serve); }
  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  const Grants& grants_;
  std::map<ResourceKind, Serve> by_kind_;
};

}  // namespace levada::services
