#include "services/core/audit_rest.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/timestamp.h"
#include "services/core/identity_rest.h"
#include "services/core/on_thread.h"

namespace levada::services {
namespace {

using net::Response;
using net::Task;

constexpr std::string_view kTokenPrefix = "token ";
constexpr int64_t kPageMax = 1'000'000;
constexpr int64_t kPerPageMax = 1000;
constexpr int64_t kPerPage = 100;

/// A query as it came in, or the first thing that is wrong with it.
class QueryReader {
 public:
  explicit QueryReader(const Call& call) : call_(call) {}

  std::string Text(std::string_view name) const { return call_.Query(name).value_or(""); }

  int64_t Number(std::string_view name, int64_t otherwise, int64_t most) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= 1 && number <= most) {
      return number;
    }
    Refuse(name, "a number from 1 to " + std::to_string(most));
    return otherwise;
  }

  std::optional<WallMicros> Time(std::string_view name) {
    const std::string text = Text(name);
    if (text.empty()) return std::nullopt;
    const std::optional<WallMicros> time = ParseTimestamp(text);
    if (!time) Refuse(name, "a date such as 2026-11-30, or 2026-11-30T05:48:55Z");
    return time;
  }

  void Refuse(std::string_view name, const std::string& expected) {
    if (refusal_) return;
    refusal_ = ApiError{
        400, kBadRequest,
        "\"" + std::string(name) + "\": expected " + expected + ", got \"" + Text(name) + "\"",
        std::nullopt};
  }
  const std::optional<ApiError>& refusal() const { return refusal_; }

 private:
  const Call& call_;
  std::optional<ApiError> refusal_;
};

struct Page {
  AuditQuery query;
  int64_t number = 1;
  bool is_empty = false;  ///< whatever the log holds
};

Page PageOf(const Call& call, QueryReader& reader) {
  Page page;
  AuditQuery& query = page.query;
  page.number = reader.Number("page", 1, kPageMax);
  query.count = reader.Number("per_page", kPerPage, kPerPageMax);
  query.skip = (page.number - 1) * query.count;
  query.row = reader.Number("id", 0, INT64_MAX);
  query.account = call.account.id;
  query.since = reader.Time("since");
  query.until = reader.Time("before");
  query.action = reader.Text("action.type");
  query.address = reader.Text("actor.ip");
  if (query.address.find('/') != std::string::npos) reader.Refuse("actor.ip", "one address");
  if (const std::string email = reader.Text("actor.email"); !email.empty()) {
    const std::optional<std::string> id = TokenOfEmail(email);
    page.is_empty = !id;
    query.who = std::string(kTokenPrefix) + id.value_or("");
  }
  if (!reader.Text("zone.name").empty()) page.is_empty = true;
  const std::string direction = reader.Text("direction");
  if (!direction.empty() && direction != "asc" && direction != "desc") {
    reader.Refuse("direction", "asc or desc");
  }
  query.oldest_first = direction == "asc";
  if (reader.Text("export") == "true") reader.Refuse("export", "false: JSON is all there is");
  return page;
}

Task<Response> ListAuditLogs(AuditAccess access, Call& call) {
  QueryReader reader(call);
  const Page page = PageOf(call, reader);
  if (reader.refusal()) co_return Failure(*reader.refusal());
  std::vector<AuditEntry> entries;
  if (!page.is_empty) {
    auto found = co_await OnThread(access.loop, access.workers,
                                   [&] { return access.control.Audit(page.query); });
    if (!found.ok()) co_return Failure(ErrorOf(found.status()));
    entries = *std::move(found);
  }
  std::string result = "[";
  for (const AuditEntry& entry : entries) {
    if (result.size() > 1) result += ",";
    result += JsonOf(entry);
  }
  co_return Success(result + "]", R"({"page":)" + std::to_string(page.number) + R"(,"per_page":)" +
                                      std::to_string(page.query.count) + R"(,"count":)" +
                                      std::to_string(entries.size()) + "}");
}

std::string ActorJson(const AuditEntry& entry) {
  std::string id, email, type = entry.who == "cli" ? "admin" : "Cloudflare";
  if (entry.who.starts_with(kTokenPrefix)) {
    id = entry.who.substr(kTokenPrefix.size());
    email = TokenEmail(id);
    type = "user";
  }
  return R"({"id":)" + QuoteJson(id) + R"(,"email":)" + QuoteJson(email) + R"(,"ip":)" +
         QuoteJson(entry.address) + R"(,"type":)" + QuoteJson(type) + "}";
}

}  // namespace

std::string JsonOf(const AuditEntry& entry) {
  // "token.revoke" of "0f0c...", "bucket.create" of "5d1e... photos".
  const std::string kind = entry.action.substr(0, entry.action.find('.'));
  const std::string id =
      kind == "account" ? entry.account : entry.subject.substr(0, entry.subject.find(' '));
  const char* interface = entry.who.starts_with(kTokenPrefix) ? "API"
                          : entry.who == "cli"                ? "CLI"
                                                              : "";
  return R"({"id":")" + std::to_string(entry.row) + R"(","when":)" +
         QuoteJson(FormatTimestamp(entry.at)) + R"(,"action":{"type":)" + QuoteJson(entry.action) +
         R"(,"result":true},"actor":)" + ActorJson(entry) + R"(,"interface":")" + interface +
         R"(","metadata":{"subject":)" + QuoteJson(entry.subject) +
         R"(},"newValue":"","oldValue":"","owner":{"id":)" + QuoteJson(entry.account) +
         R"(},"resource":{"type":)" + QuoteJson(kind) + R"(,"id":)" + QuoteJson(id) + "}}";
}

std::vector<RouteOf<AuditAccess>> AuditRoutes() {
  return {{"GET", "/accounts/{account}/audit_logs", Need::ScopeOf(Service::kAccount, Action::kRead),
           "who changed what in the account", ListAuditLogs}};
}

}  // namespace levada::services
