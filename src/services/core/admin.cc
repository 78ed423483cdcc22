#include "services/core/admin.h"

#include <optional>
#include <utility>

#include "base/json.h"
#include "services/core/api.h"

namespace levada::services {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kTtlSecondsMax = int64_t{100} * 365 * 86400;
constexpr uint64_t kRequestBytesMax = 1 << 20;  // a statement of SQL, written as JSON
const Actor kOperator{"cli", ""};

Fault Refuse(std::string message) { return Fault(FaultCode::kBadValue, std::move(message)); }

std::string TextAt(const Json& request, const char* name) {
  return request.contains(name) && request[name].is_string() ? request[name].get<std::string>()
                                                             : std::string();
}

std::optional<int64_t> NumberAt(const Json& request, const char* name) {
  if (!request.contains(name) || !request[name].is_number_integer()) return std::nullopt;
  return request[name].get<int64_t>();
}

Json TimeOrNull(const std::optional<WallMicros>& time) {
  return time ? Json(FormatTimestamp(*time)) : Json(nullptr);
}

Json JsonOfAccount(const Account& account) {
  return {{"account_id", account.id},
          {"name", account.name},
          {"created_at", FormatTimestamp(account.created)}};
}

Json JsonOfToken(const Token& token, const Clock& clock) {
  Json scopes = Json::array();
  for (const Scope& scope : token.scopes) scopes.push_back(TextOf(scope));
  const bool expired = token.expires && *token.expires <= clock.Now();
  return {{"token_id", token.id},
          {"name", token.name},
          {"scopes", std::move(scopes)},
          {"state", token.revoked ? "revoked"
                    : expired     ? "expired"
                                  : "valid"},
          {"created_at", FormatTimestamp(token.created)},
          {"expires_at", TimeOrNull(token.expires)},
          {"revoked_at", TimeOrNull(token.revoked)}};
}

Result<Account> AccountOf(const Control& control, const Json& request) {
  const std::string said = TextAt(request, "account");
  if (!said.empty()) return NamedAccount(control, said);
  const std::vector<Account> accounts = control.Accounts();
  if (accounts.empty()) {
    return Refuse("there is no account yet").Help("`levada account create NAME` makes one");
  }
  if (accounts.size() > 1) {
    return Refuse("there are " + std::to_string(accounts.size()) + " accounts: which one?")
        .Help("name one with --account; `levada account list` shows them");
  }
  return accounts.front();
}

Result<std::optional<WallMicros>> ExpiryOf(const Clock& clock, const Json& request) {
  const std::optional<int64_t> ttl = NumberAt(request, "ttl_s");
  if (!ttl) return std::optional<WallMicros>();
  if (*ttl <= 0 || *ttl > kTtlSecondsMax) return Refuse("a token lives from 1 s to 100 years");
  return std::optional<WallMicros>(clock.Now() + *ttl * kSecond);
}

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// In lower case, as Control gives them.
bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !IsLowerHex(text[i])) return false;
  }
  return true;
}

bool IsOfBucketName(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
}

/// A scope that nothing could ever fit is a slip.
Status CheckResource(const Scope& scope) {
  const std::string& resource = scope.resource;
  if (resource.empty()) return Status::OK();
  const auto refuse = [&scope](const std::string& why) {
    return Refuse("\"" + TextOf(scope) + "\" can match nothing: " + why);
  };
  const bool is_id = resource.size() == 32 && std::ranges::all_of(resource, IsLowerHex);
  if (scope.service == Service::kKv && !is_id) {
    return refuse("a namespace is named by its id, 32 hex digits")
        .Help("`wrangler kv namespace list` shows the ids");
  }
  if (scope.service == Service::kQueues && !is_id) {
    return refuse("a queue is named by its id, 32 hex digits")
        .Help("`wrangler queues list` shows the ids");
  }
  if (scope.service == Service::kR2 && (resource.size() < 3 || resource.size() > 63 ||
                                        !std::ranges::all_of(resource, IsOfBucketName))) {
    return refuse("a bucket's name has 3 to 63 lower-case letters, digits, dashes and dots")
        .Help("such as r2:write:photos");
  }
  if (scope.service == Service::kD1 && !IsUuid(resource)) {
    return refuse("a database is named by its id, a UUID").Help("`wrangler d1 list` shows the ids");
  }
  if (scope.service == Service::kAccount || scope.service == Service::kAnalytics ||
      scope.service == Service::kMetrics) {
    const std::string service(NameOf(*scope.service));
    return refuse(service + " has no resources")
        .Help("write " + service + ":" + std::string(NameOf(scope.action)));
  }
  return Status::OK();
}

Result<std::vector<Scope>> ScopesOf(const Json& request) {
  std::vector<Scope> scopes;
  if (!request.contains("scopes") || !request["scopes"].is_array()) return scopes;
  for (const Json& text : request["scopes"]) {
    std::optional<Scope> scope =
        text.is_string() ? ParseScope(text.get<std::string>()) : std::nullopt;
    if (!scope) {
      return Refuse("\"" + (text.is_string() ? text.get<std::string>() : Dump(text)) +
                    "\" is not a scope")
          .Help("a scope is SERVICE:ACTION or SERVICE:ACTION:RESOURCE, with a service of " +
                ServiceWords() + " and read, write or admin");
    }
    ARROW_RETURN_NOT_OK(CheckResource(*scope));
    scopes.push_back(*std::move(scope));
  }
  return scopes;
}

/// What a scope names and nobody has: it may come, or be a slip.
Json NotesOf(const Control& control, const Account& account, const std::vector<Scope>& scopes) {
  Json notes = Json::array();
  for (const Scope& scope : scopes) {
    if (scope.resource.empty()) continue;
    if (scope.service == Service::kKv &&
        !control.FindResource(account.row, ResourceKind::kNamespace, scope.resource)) {
      notes.push_back(TextOf(scope) + ": no namespace with this id is there yet");
    }
    if (scope.service == Service::kQueues &&
        !control.FindResource(account.row, ResourceKind::kQueue, scope.resource)) {
      notes.push_back(TextOf(scope) + ": no queue with this id is there yet");
    }
    if (scope.service == Service::kD1 &&
        !control.FindResource(account.row, ResourceKind::kDatabase, scope.resource)) {
      notes.push_back(TextOf(scope) + ": no database with this id is there yet");
    }
    if (scope.service == Service::kR2 &&
        !control.FindResourceByName(account.row, ResourceKind::kBucket, scope.resource)) {
      notes.push_back(TextOf(scope) + ": no bucket with this name is there yet");
    }
  }
  return notes;
}

Json JsonOf(const Control& control, const IssuedToken& issued) {
  std::string account_id;
  for (const Account& account : control.Accounts()) {
    if (account.row == issued.token.account) account_id = account.id;
  }
  return {{"account_id", account_id},
          {"token", issued.text.Reveal()},
          {"token_id", issued.token.id},
          {"s3_access_key_id", issued.token.id},
          {"s3_secret_access_key", issued.s3_secret.Reveal()},
          {"expires_at", TimeOrNull(issued.token.expires)}};
}

Result<std::string> CreateToken(Control& control, const Clock& clock, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Account account, AccountOf(control, request));
  ARROW_ASSIGN_OR_RAISE(std::vector<Scope> scopes, ScopesOf(request));
  if (scopes.empty()) {
    return Refuse("a token needs a scope").Help("such as kv:read, r2:write:photos or all:admin");
  }
  ARROW_ASSIGN_OR_RAISE(const auto expires, ExpiryOf(clock, request));
  const Json notes = NotesOf(control, account, scopes);
  ARROW_ASSIGN_OR_RAISE(
      const IssuedToken issued,
      control.CreateToken(account, TextAt(request, "name"), std::move(scopes), expires, kOperator));
  Json answer = JsonOf(control, issued);
  if (!notes.empty()) answer["notes"] = notes;
  return Dump(answer);
}

Result<std::string> ListTokens(const Control& control, const Clock& clock, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Account account, AccountOf(control, request));
  Json tokens = Json::array();
  for (const Token& token : control.Tokens(account)) tokens.push_back(JsonOfToken(token, clock));
  return Dump({{"account_id", account.id}, {"tokens", std::move(tokens)}});
}

Fault NoToken(const std::string& id) {
  return Refuse("no valid token \"" + id + "\" in this account")
      .Help("`levada token list` shows them; it is the token's id that is asked for");
}

Result<std::string> RevokeToken(Control& control, const Clock& clock, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Account account, AccountOf(control, request));
  const std::string id = TextAt(request, "id");
  ARROW_ASSIGN_OR_RAISE(const std::optional<Token> token,
                        control.RevokeToken(account, id, kOperator));
  if (!token) return NoToken(id);
  return Dump(JsonOfToken(*token, clock));
}

Result<std::string> RotateToken(Control& control, const Clock& clock, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Account account, AccountOf(control, request));
  ARROW_ASSIGN_OR_RAISE(const auto expires, ExpiryOf(clock, request));
  const std::string id = TextAt(request, "id");
  const int64_t overlap_s = NumberAt(request, "overlap_s").value_or(0);
  if (overlap_s < 0 || overlap_s > kTtlSecondsMax) return Refuse("the overlap is out of bounds");
  ARROW_ASSIGN_OR_RAISE(
      const std::optional<IssuedToken> issued,
      control.RotateToken(account, id, std::chrono::seconds(overlap_s), expires, kOperator));
  if (!issued) return NoToken(id);
  return Dump(JsonOf(control, *issued));
}

Result<std::string> ListAudit(const Control& control, const Json& request) {
  AuditQuery query;
  query.before = NumberAt(request, "before").value_or(0);
  query.count =
      std::clamp<int64_t>(NumberAt(request, "count").value_or(query.count), 1, kAuditEntriesMax);
  if (!TextAt(request, "account").empty()) {
    ARROW_ASSIGN_OR_RAISE(const Account account, AccountOf(control, request));
    query.account = account.id;
  }
  ARROW_ASSIGN_OR_RAISE(const auto entries, control.Audit(query));
  Json list = Json::array();
  for (const AuditEntry& entry : entries) {
    list.push_back({{"row", entry.row},
                    {"at", FormatTimestamp(entry.at)},
                    {"who", entry.who},
                    {"from", entry.address},
                    {"account_id", entry.account},
                    {"action", entry.action},
                    {"subject", entry.subject}});
  }
  return Dump({{"entries", std::move(list)}});
}

}  // namespace

Result<Account> NamedAccount(const Control& control, const std::string& said) {
  if (std::optional<Account> account = control.FindAccount(said)) return *std::move(account);
  std::vector<Account> named = control.Accounts();
  std::erase_if(named, [&said](const Account& account) { return account.name != said; });
  if (named.empty()) {
    return Refuse("no account \"" + said + "\"").Help("`levada account list` shows them");
  }
  if (named.size() > 1) {  // an older levada has made several
    return Refuse("there are " + std::to_string(named.size()) + " accounts \"" + said + "\"")
        .Help("name the one by its id; `levada account list` shows them");
  }
  return std::move(named.front());
}

Result<std::string> RunAdmin(Control& control, const Clock& clock, std::string_view text) {
  const Json request = ParseJson(text);
  const std::string command = request.is_object() ? TextAt(request, "do") : std::string();
  if (command == "account.create") {
    const std::string name = TextAt(request, "name");
    if (name.empty() || name.size() > 100)
      return Refuse("an account needs a name of 1 to 100 bytes");
    ARROW_ASSIGN_OR_RAISE(const Account account, control.CreateAccount(name, kOperator));
    return Dump(JsonOfAccount(account));
  }
  if (command == "account.list") {
    Json accounts = Json::array();
    for (const Account& account : control.Accounts()) accounts.push_back(JsonOfAccount(account));
    return Dump({{"accounts", std::move(accounts)}});
  }
  if (command == "token.create") return CreateToken(control, clock, request);
  if (command == "token.list") return ListTokens(control, clock, request);
  if (command == "token.revoke") return RevokeToken(control, clock, request);
  if (command == "token.rotate") return RotateToken(control, clock, request);
  if (command == "audit.list") return ListAudit(control, request);
  return Refuse("no such command \"" + command + "\"");
}

Result<std::string> RunAdmin(Control& control, const Clock& clock, const AdminCommands& more,
                             std::string_view request) {
  const Json parsed = ParseJson(request);
  const auto found = more.find(parsed.is_object() ? TextAt(parsed, "do") : std::string());
  if (found != more.end()) return found->second(request);
  return RunAdmin(control, clock, request);
}

net::Task<net::Response> AdminDoor::Handle(net::Request& request) {
  request.notes.route = "/";
  const Result<std::string> body = co_await net::ReadAll(*request.body, kRequestBytesMax);
  if (!body.ok()) co_return JsonResponse(400, Dump({{"error", body.status().message()}}));
  const std::optional<Result<std::string>> answer = co_await net::Blocking(
      loop_, workers_, [&] { return RunAdmin(control_, clock_, more_, *body); });
  if (!answer) co_return JsonResponse(503, Dump({{"error", TooBusy().message}}));
  if (answer->ok()) co_return JsonResponse(200, **answer);
  const Fault fault = FaultOf(answer->status());
  net::Response response = JsonResponse(
      fault.code() == FaultCode::kBadValue ? 400 : 500,
      Dump({{"error", fault.message()}, {"help", fault.help()}, {"code", CodeName(fault.code())}}));
  if (response.status == 500) response.cause = answer->status().ToString();
  co_return response;
}

}  // namespace levada::services
