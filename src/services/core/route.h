#pragma once
// Routes: the table of a door is its API reference. Each route says what it needs from whoever
// calls, and cannot be written without: a Need has no default. The door turns the token into a
// Principal, checks the need, and only then calls the handler.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"
#include "services/core/access.h"
#include "services/core/api.h"
#include "services/core/control.h"

namespace levada::services {

/// What every path of the v4 door begins with.
inline constexpr std::string_view kApiPrefix = "/client/v4";

/// What a call needs before its handler runs.
class Need {
 public:
  /// Anybody. `why` stands in the reference.
  static Need Nothing(std::string_view why);
  /// A valid token, of any scope.
  static Need AnyToken();
  /// A token of the account in the path with a scope. `parameter`: the path's parameter that names
  /// the resource; empty for something of the service as a whole.
  static Need ScopeOf(Service service, Action action, std::string_view parameter = {});

  bool needs_token() const { return needs_token_; }
  const std::optional<std::pair<Service, Action>>& scope() const { return scope_; }
  std::string_view parameter() const { return parameter_; }
  std::string_view why() const { return why_; }

 private:
  Need() = default;
  bool needs_token_ = false;
  std::optional<std::pair<Service, Action>> scope_;
  std::string_view parameter_;
  std::string_view why_;
};

/// One request on its way to a handler. Lives until the handler's task has ended.
struct Call {
  net::Request& request;
  const std::string& id;  ///< of the request, as in the log and the cf-ray header
  std::vector<std::pair<std::string_view, std::string>> parameters;  ///< of the path, decoded
  Principal principal;  ///< empty where the need is nothing
  Account account;      ///< of the path; for routes with a scope

  /// The parameter named in the route's pattern.
  const std::string& Parameter(std::string_view name) const;
  /// Of the query, decoded as forms are: '+' is a blank. The first of that name.
  std::optional<std::string> Query(std::string_view name) const;
  /// A whole number of the query, brought between 1 and `most`; `otherwise` where there is none.
  size_t QueryCount(std::string_view name, size_t otherwise, size_t most) const;
  Actor actor() const;
};

/// A route of a service `Services`, which its handler is given with each call: the table is there
/// without them, for the reference.
template <typename Services>
struct RouteOf {
  std::string_view method;
  /// "/accounts/{account}/storage/kv/namespaces/{namespace}/values/{key*}": a parameter is one
  /// segment, one with a star all that is left.
  std::string_view pattern;
  Need need;
  std::string_view summary;  ///< one line for the reference
  std::function<net::Task<net::Response>(const Services&, Call&)> handle;
};

/// Of any service: bound to what it works with.
struct Route {
  std::string_view method;
  std::string_view pattern;
  Need need;
  std::function<net::Task<net::Response>(Call&)> handle;
};

/// `services` outlives the routes.
template <typename Services>
std::vector<Route> Bind(std::vector<RouteOf<Services>> table, const Services& services) {
  std::vector<Route> bound;
  for (RouteOf<Services>& route : table) {
    bound.push_back({route.method, route.pattern, route.need,
                     [&services, handle = std::move(route.handle)](Call& call) {
                       return handle(services, call);
                     }});
  }
  return bound;
}

/// Whose token a request brings. The request's notes are told.
struct Bearer {
  Principal principal;              ///< of a valid token
  std::optional<ApiError> refusal;  ///< of another, or of none
};
Bearer AuthenticateBearer(const Control& control, net::Request& request);

/// The v4 door: routes below /client/v4.
class V4Door final : public net::Handler {
 public:
  /// All outlive it; `ids` of requests, which are no secrets.
  V4Door(const Control& control, Random& ids);
  /// Before it serves.
  void Add(std::vector<Route> routes);
  /// Where S3 is, for whoever asks for it here: "http://127.0.0.1:8788"; it has to need no escaping
  /// in XML. Unless it is told, they are told where to look.
  void set_s3_url(std::string url) { s3_url_ = std::move(url); }
  const std::vector<Route>& routes() const { return routes_; }

  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  struct Match {
    const Route* route = nullptr;
    bool path_known = false;  ///< another method has this path
    std::vector<std::pair<std::string_view, std::string>> parameters;
  };
  Match Find(std::string_view method, std::string_view path) const;
  /// The reason why not, or nullopt.
  std::optional<ApiError> Admit(const Route& route, Call& call) const;

  const Control& control_;
  Random& ids_;
  std::vector<Route> routes_;
  std::vector<size_t> slashes_;  // of each route's pattern; 0: it takes any number
  std::string s3_url_;
};

/// The parameters of `path` in `pattern`, still encoded; nullopt when it does not fit.
std::optional<std::vector<std::pair<std::string_view, std::string_view>>> MatchPath(
    std::string_view pattern, std::string_view path);

}  // namespace levada::services
