#include "services/core/identity_rest.h"

#include <optional>

#include "base/json.h"

namespace levada::services {
namespace {

using net::Response;
using net::Task;

constexpr std::string_view kEmailPrefix = "token-";
constexpr std::string_view kEmailSuffix = "@levada.local";
constexpr size_t kEmailDigits = 8;  // of a token's id

std::string AccountJson(const Account& account) {
  return R"({"id":)" + QuoteJson(account.id) + R"(,"name":)" + QuoteJson(account.name) +
         R"(,"type":"standard","settings":{"enforce_twofactor":false},"created_on":)" +
         QuoteJson(FormatTimestamp(account.created)) + "}";
}

/// Nobody's token is of more than one account.
bool IsFirstPage(const Call& call) { return call.Query("page").value_or("1") == "1"; }

Response ListOfOne(const Call& call, const std::string& element) {
  const bool first = IsFirstPage(call);
  return Success("[" + (first ? element : std::string()) + "]",
                 std::string(R"({"page":)") + (first ? "1" : "2") +
                     R"(,"per_page":20,"total_pages":1,"count":)" + (first ? "1" : "0") +
                     R"(,"total_count":1})");
}

Task<Response> VerifyToken(const Control& control, Call& call) {
  const std::optional<Account> account = control.FindAccount(call.principal.account_id);
  for (const Token& token : account ? control.Tokens(*account) : std::vector<Token>()) {
    if (token.id != call.principal.token_id) continue;
    std::string result = R"({"id":)" + QuoteJson(token.id) + R"(,"status":"active")";
    if (token.expires) result += R"(,"expires_on":)" + QuoteJson(FormatTimestamp(*token.expires));
    co_return Success(result + "}");
  }
  co_return Failure({401, kInvalidToken, "Invalid API Token", std::nullopt});
}

/// A token is no person: its id stands where Cloudflare has a user.
Task<Response> ShowUser(const Control&, Call& call) {
  const std::string id = QuoteJson(call.principal.token_id);
  co_return Success(R"({"id":)" + id + R"(,"email":)" +
                    QuoteJson(TokenEmail(call.principal.token_id)) +
                    R"(,"first_name":null,"last_name":null,"suspended":false})");
}

Task<Response> ListAccounts(const Control& control, Call& call) {
  const std::optional<Account> account = control.FindAccount(call.principal.account_id);
  co_return ListOfOne(call, account ? AccountJson(*account) : "");
}

Task<Response> ShowAccount(const Control&, Call& call) {
  co_return Success(AccountJson(call.account));
}

Task<Response> ListMemberships(const Control& control, Call& call) {
  const std::optional<Account> account = control.FindAccount(call.principal.account_id);
  co_return ListOfOne(call, R"({"id":)" + QuoteJson(call.principal.token_id) +
                                R"(,"status":"accepted","roles":[],"permissions":{},"account":)" +
                                (account ? AccountJson(*account) : "null") + "}");
}

}  // namespace

std::string TokenEmail(std::string_view token_id) {
  std::string email(kEmailPrefix);
  return email.append(token_id.substr(0, kEmailDigits)).append(kEmailSuffix);
}

std::optional<std::string> TokenOfEmail(std::string_view email) {
  if (email.size() != kEmailPrefix.size() + kEmailDigits + kEmailSuffix.size() ||
      !email.starts_with(kEmailPrefix) || !email.ends_with(kEmailSuffix)) {
    return std::nullopt;
  }
  return std::string(email.substr(kEmailPrefix.size(), kEmailDigits));
}

std::vector<RouteOf<Control>> IdentityRoutes() {
  return {
      {"GET", "/user/tokens/verify", Need::AnyToken(), "whether the token is valid", VerifyToken},
      {"GET", "/user", Need::AnyToken(), "whose the token is", ShowUser},
      {"GET", "/accounts", Need::AnyToken(), "the token's account", ListAccounts},
      {"GET", "/accounts/{account}", Need::ScopeOf(Service::kAccount, Action::kRead), "one account",
       ShowAccount},
      {"GET", "/memberships", Need::AnyToken(), "the token's account as a membership",
       ListMemberships},
  };
}

}  // namespace levada::services
