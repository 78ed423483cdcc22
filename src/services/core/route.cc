#include "services/core/route.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"

namespace levada::services {
namespace {

constexpr std::string_view kBearer = "bearer ";
constexpr size_t kParametersUsual = 4;  // of a path: no route has more today

std::string_view NextSegment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  const size_t slash = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(slash);
  return segment;
}

size_t SlashesIn(std::string_view path) {
  return static_cast<size_t>(std::ranges::count(path, '/'));
}

// Of Cloudflare's API, below an account; "*" is any one segment.
constexpr std::string_view kNotHere[] = {"/queues/*/subscriptions",
                                         "/event_subscriptions",
                                         "/hyperdrive",
                                         "/vectorize",
                                         "/workers",
                                         "/pages",
                                         "/pipelines",
                                         "/r2-catalog",
                                         "/slurper",
                                         "/r2/buckets/*/domains/custom",
                                         "/r2/buckets/*/lock",
                                         "/r2/buckets/*/sippy"};

/// Whether `path` begins with the segments of `pattern`.
bool BeginsWith(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (!path.starts_with('/')) return false;
    const std::string_view expected = NextSegment(pattern);
    const std::string_view got = NextSegment(path);
    if (expected != "*" && expected != got) return false;
  }
  return true;
}

/// Whether Cloudflare has it and this version has not.
bool IsNotHere(std::string_view path) {
  if (!path.starts_with(kApiPrefix)) return false;
  path.remove_prefix(kApiPrefix.size());
  return std::ranges::any_of(kNotHere, [path](std::string_view service) {
    return BeginsWith(path, "/accounts/*" + std::string(service));
  });
}

ApiError NoRoute(std::string_view path) {
  return {404, kNoRoute,
          "Could not route to " + std::string(path) +
              (IsNotHere(path) ? "; it is not in this version of levada"
                               : ", perhaps your object identifier is invalid?"),
          std::nullopt};
}

/// A request that was signed for S3.
bool IsOfS3(const net::Request& request) {
  if (request.headers.Find("Authorization").value_or("").starts_with("AWS4-")) return true;
  return std::ranges::any_of(UrlParameters(request.query), [](const UrlParameter& each) {
    return each.name == "X-Amz-Signature";
  });
}

/// In the words that its client can read; 400, for on 404 it would believe that it asked S3.
net::Response SendToS3(const Call& call, const std::string& s3_url) {
  const std::string where = s3_url.empty() ? "levada serve names it when it is ready" : s3_url;
  net::Response response;
  response.status = 400;
  response.headers.Add("Content-Type", "application/xml");
  response.headers.Add("x-amz-request-id", call.id);
  // Nothing of the request stands in it, and nothing that had to be escaped.
  response.body =
      R"(<?xml version="1.0" encoding="UTF-8"?>)"
      "\n<Error><Code>InvalidRequest</Code><Message>This is the address of the API; S3 is "
      "at another one: " +
      where + "</Message><RequestId>" + call.id + "</RequestId></Error>";
  return response;
}

}  // namespace

Need Need::Nothing(std::string_view why) {
  Need need;
  need.why_ = why;
  return need;
}

Need Need::AnyToken() {
  Need need;
  need.needs_token_ = true;
  return need;
}

Need Need::ScopeOf(Service service, Action action, std::string_view parameter) {
  Need need;
  need.needs_token_ = true;
  need.scope_ = {service, action};
  need.parameter_ = parameter;
  return need;
}

const std::string& Call::Parameter(std::string_view name) const {
  static const std::string kNone;
  for (const auto& [known, value] : parameters) {
    if (known == name) return value;
  }
  return kNone;
}

std::optional<std::string> Call::Query(std::string_view name) const {
  for (const UrlParameter& parameter : UrlParameters(request.query)) {
    const std::optional<std::string> known = FormDecoded(parameter.name);
    if (known != name) continue;
    return parameter.value ? FormDecoded(*parameter.value) : std::string();
  }
  return std::nullopt;
}

size_t Call::QueryCount(std::string_view name, size_t otherwise, size_t most) const {
  const std::string text = Query(name).value_or("");
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return otherwise;
  return std::clamp<size_t>(count, 1, most);
}

Actor Call::actor() const { return {"token " + principal.token_id, request.peer_address}; }

std::optional<std::vector<std::pair<std::string_view, std::string_view>>> MatchPath(
    std::string_view pattern, std::string_view path) {
  std::vector<std::pair<std::string_view, std::string_view>> found;
  found.reserve(kParametersUsual);
  while (!pattern.empty()) {
    if (path.empty() || path.front() != '/') return std::nullopt;
    const std::string_view at = path;
    const std::string_view expected = NextSegment(pattern);
    if (expected.ends_with("*}")) {
      if (at.size() < 2) return std::nullopt;
      found.emplace_back(expected.substr(1, expected.size() - 3), at.substr(1));
      return found;
    }
    const std::string_view got = NextSegment(path);
    if (expected.starts_with('{')) {
      if (got.empty()) return std::nullopt;
      found.emplace_back(expected.substr(1, expected.size() - 2), got);
    } else if (expected != got) {
      return std::nullopt;
    }
  }
  if (!path.empty() && path != "/") return std::nullopt;
  return found;
}

V4Door::V4Door(const Control& control, Random& ids) : control_(control), ids_(ids) {}

void V4Door::Add(std::vector<Route> routes) {
  for (const Route& route : routes) {
    slashes_.push_back(route.pattern.ends_with("*}") ? 0 : SlashesIn(route.pattern));
  }
  std::ranges::move(routes, std::back_inserter(routes_));
}

V4Door::Match V4Door::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with(kApiPrefix)) return match;
  path.remove_prefix(kApiPrefix.size());
  const size_t slashes = SlashesIn(path.ends_with('/') ? path.substr(0, path.size() - 1) : path);
  for (size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    if (slashes_[i] != 0 && slashes_[i] != slashes) continue;
    const auto found = MatchPath(route.pattern, path);
    if (!found) continue;
    match.path_known = true;
    if (route.method != method && !(method == "HEAD" && route.method == "GET")) continue;
    match.parameters.reserve(found->size());
    for (const auto& [name, encoded] : *found) {
      std::optional<std::string> decoded = PercentDecoded(encoded);
      if (!decoded) return {};  // nobody knows what such a path means
      match.parameters.emplace_back(name, *std::move(decoded));
    }
    match.route = &route;
    return match;
  }
  return match;
}

Bearer AuthenticateBearer(const Control& control, net::Request& request) {
  const auto refuse = [](int64_t code, const char* message) {
    return Bearer{{}, ApiError{401, code, message, std::nullopt}};
  };
  const std::optional<std::string_view> header = request.headers.Find("Authorization");
  if (!header || !StartsIgnoringCase(*header, kBearer)) {
    return refuse(kAuthenticationError,
                  "Authentication error: send a token as \"Authorization: Bearer <token>\"");
  }
  Authentication found = control.Authenticate(Secret(std::string(header->substr(kBearer.size()))));
  switch (found.state) {
    case TokenState::kValid:
      break;
    case TokenState::kUnknown:
      return refuse(kInvalidToken, "Invalid API Token");
    case TokenState::kExpired:
      return refuse(kInvalidToken, "Invalid API Token: it has expired");
    case TokenState::kRevoked:
      return refuse(kInvalidToken, "Invalid API Token: it was revoked");
  }
  request.notes.account = found.principal.account_id;
  request.notes.credential = found.principal.token_id;
  return {std::move(found.principal), std::nullopt};
}

std::optional<ApiError> V4Door::Admit(const Route& route, Call& call) const {
  if (!route.need.needs_token()) return std::nullopt;
  Bearer bearer = AuthenticateBearer(control_, call.request);
  if (bearer.refusal) return bearer.refusal;
  call.principal = std::move(bearer.principal);
  if (!route.need.scope()) return std::nullopt;
  const auto [service, action] = *route.need.scope();
  const std::string& account = call.Parameter("account");
  // Another account's id and one that does not exist are told apart by nobody.
  const std::optional<Account> own =
      account == call.principal.account_id ? control_.FindAccount(account) : std::nullopt;
  const std::string resource =
      route.need.parameter().empty() ? std::string() : call.Parameter(route.need.parameter());
  if (!own || !call.principal.May(service, action, resource)) {
    return ApiError{403, kAuthenticationError,
                    own ? "Authentication error: this token lacks the scope " +
                              TextOf(Scope{service, action, resource})
                        : "Authentication error: this token is not of that account",
                    std::nullopt};
  }
  call.account = *own;
  return std::nullopt;
}

net::Task<net::Response> V4Door::Handle(net::Request& request) {
  Match match = Find(request.method, request.path);
  request.notes.id = NewId(ids_);
  if (match.route != nullptr) request.notes.route = match.route->pattern;
  Call call{request, request.notes.id, std::move(match.parameters), {}, {}};
  net::Response response;
  if (match.route == nullptr && IsOfS3(request)) {
    response = SendToS3(call, s3_url_);
  } else if (match.route == nullptr) {
    response =
        Failure(match.path_known ? ApiError{405, kNoRoute, "Method not allowed", std::nullopt}
                                 : NoRoute(request.path));
  } else if (const std::optional<ApiError> refusal = Admit(*match.route, call)) {
    response = Failure(*refusal);
  } else {
    response = co_await match.route->handle(call);
  }
  response.headers.Add("cf-ray", call.id);
  co_return response;
}

}  // namespace levada::services
