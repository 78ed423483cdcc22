#include "services/core/access.h"

#include <algorithm>
#include <array>
#include <utility>

namespace levada::services {
namespace {

constexpr std::array<std::pair<Service, std::string_view>, 9> kServices = {{
    {Service::kAccount, "account"},
    {Service::kKv, "kv"},
    {Service::kR2, "r2"},
    {Service::kD1, "d1"},
    {Service::kQueues, "queues"},
    {Service::kAnalytics, "analytics"},
    {Service::kHyperdrive, "hyperdrive"},
    {Service::kWorkers, "workers"},
    {Service::kMetrics, "metrics"},
}};

constexpr std::array<std::pair<Action, std::string_view>, 3> kActions = {{
    {Action::kRead, "read"},
    {Action::kWrite, "write"},
    {Action::kAdmin, "admin"},
}};

}  // namespace

std::string_view NameOf(Service service) { return kServices[static_cast<size_t>(service)].second; }

std::string_view NameOf(Action action) { return kActions[static_cast<size_t>(action)].second; }

std::string ServiceWords() {
  std::string words = "all";
  for (const Service served : {Service::kAccount, Service::kKv, Service::kR2, Service::kQueues,
                               Service::kD1, Service::kAnalytics, Service::kMetrics}) {
    words += ", " + std::string(NameOf(served));
  }
  return words;
}

std::optional<Scope> ParseScope(std::string_view text) {
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find(':', first + 1);
  Scope scope;
  const std::string_view service = text.substr(0, first);
  if (service != "all") {
    const auto* found =
        std::ranges::find(kServices, service, &std::pair<Service, std::string_view>::second);
    if (found == kServices.end()) return std::nullopt;
    scope.service = found->first;
  }
  const std::string_view action = text.substr(first + 1, second - first - 1);
  const auto* found =
      std::ranges::find(kActions, action, &std::pair<Action, std::string_view>::second);
  if (found == kActions.end()) return std::nullopt;
  scope.action = found->first;
  if (second != std::string_view::npos) {
    scope.resource = text.substr(second + 1);
    // A resource belongs to a service, and an empty name would mean all of them.
    if (scope.resource.empty() || !scope.service) return std::nullopt;
  }
  return scope;
}

std::string TextOf(const Scope& scope) {
  std::string text(scope.service ? NameOf(*scope.service) : "all");
  text += ":" + std::string(NameOf(scope.action));
  if (!scope.resource.empty()) text += ":" + scope.resource;
  return text;
}

std::string TextOf(const std::vector<Scope>& scopes) {
  std::string text;
  for (const Scope& scope : scopes) {
    if (!text.empty()) text += ",";
    text += TextOf(scope);
  }
  return text;
}

bool Principal::May(Service service, Action action, std::string_view resource) const {
  return std::ranges::any_of(scopes, [&](const Scope& scope) {
    return (!scope.service || *scope.service == service) && scope.action >= action &&
           (scope.resource.empty() || scope.resource == resource);
  });
}

}  // namespace levada::services
