#include "services/d1/d1_rest.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/timestamp.h"
#include "os/disk.h"
#include "services/core/on_thread.h"
#include "services/d1/d1_transfer_rest.h"

namespace levada::services::d1 {
namespace {

using net::Response;
using net::Task;

constexpr uint64_t kSmallBodyMax = 1024 * 1024;
constexpr uint64_t kQueryBodyMax = 32 * 1024 * 1024;
constexpr int64_t kPerPageMax = 10'000;

Response Refuse(int status, int64_t code, std::string message) {
  return Failure({status, code, std::move(message), std::nullopt});
}

Response BadBody(const Status& status) {
  return Refuse(status.IsInvalid() ? 413 : 400, kD1BadRequest, status.message());
}

int64_t NumberOr(const std::optional<std::string>& text, int64_t otherwise, int64_t most) {
  if (!text || text->empty() || text->size() > 9 ||
      !std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; })) {
    return otherwise;
  }
  return std::clamp<int64_t>(std::stoll(*text), 1, most);
}

/// What is known of a database without opening it. `more`: members that follow.
std::string JsonOf(const Resource& database, const std::string& more = {}) {
  return R"({"uuid":)" + QuoteJson(database.id) + R"(,"name":)" + QuoteJson(database.name) +
         R"(,"created_at":)" + QuoteJson(FormatTimestamp(database.created)) +
         R"(,"version":"production")" + more + "}";
}

// ---- databases

Task<Response> ListDatabases(const D1Access& access, Call& call) {
  std::vector<Resource> found = access.control.Resources(call.account.row, ResourceKind::kDatabase);
  const std::string name = call.Query("name").value_or("");
  std::erase_if(found, [&name](const Resource& each) {
    return !Databases::IsReady(each) || each.name.find(name) == std::string::npos;
  });
  const int64_t per_page = NumberOr(call.Query("per_page"), 1000, kPerPageMax);
  const int64_t page = NumberOr(call.Query("page"), 1, 1'000'000);
  const auto total = static_cast<int64_t>(found.size());
  const int64_t begin = std::min(total, (page - 1) * per_page);
  const int64_t end = std::min(total, begin + per_page);
  std::string result = "[";
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) result += ",";
    result += JsonOf(found[static_cast<size_t>(i)]);
  }
  co_return Success(result + "]", R"({"page":)" + std::to_string(page) + R"(,"per_page":)" +
                                      std::to_string(per_page) + R"(,"count":)" +
                                      std::to_string(end - begin) + R"(,"total_count":)" +
                                      std::to_string(total) + "}");
}

Task<Response> CreateDatabase(const D1Access& access, Call& call) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kSmallBodyMax);
  if (!body.ok()) co_return BadBody(body.status());
  const Json json = ParseJson(*body);
  const bool has_name = json.is_object() && json.contains("name") && json["name"].is_string();
  const std::string name = has_name ? json["name"].get<std::string>() : std::string();
  if (!IsDatabaseName(name)) {
    co_return Refuse(
        400, kD1BadRequest,
        "a database needs a name of 1 to 64 letters, digits, '-' and '_', which begins "
        "with a letter or digit and is no UUID");
  }
  Databases& databases = access.databases;
  const Account account = call.account;
  const Actor actor = call.actor();
  const auto made = co_await OnThread(access.loop, access.workers,
                                      [&] { return databases.Create(account, name, actor); });
  if (!made.ok()) co_return Failure(D1ErrorOf(made.status()));
  if (!*made) {
    co_return Refuse(400, kD1NameTaken, "A database with that name already exists");
  }
  co_return Success(JsonOf(**made, R"(,"num_tables":0,"read_replication":{"mode":"disabled"})"));
}

Task<Response> GetDatabase(const D1Access& access, Call& call, Resource database) {
  // Who asks for what is known anyway has nothing opened: wrangler does, of each name it is given.
  const std::optional<std::string> fields = call.Query("fields");
  if (fields && fields->find("num_tables") == std::string::npos &&
      fields->find("file_size") == std::string::npos) {
    co_return Success(JsonOf(database));
  }
  std::vector<db::sqlite::SqlText> count(1);
  count[0].sql =
      "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
  const Result<Answered> answered =
      co_await RunRequest(access, database, std::move(count), RequestOptions());
  if (!answered.ok()) co_return Failure(D1ErrorOf(answered.status()));
  const Json rows = ParseJson(answered->json);
  const std::string tables = answered->error ? "null" : Dump(rows[0]["results"][0]["n"]);
  co_return Success(
      JsonOf(database, R"(,"num_tables":)" + tables + R"(,"file_size":)" +
                           std::to_string(answered->size_bytes) +
                           R"(,"running_in_region":null,"read_replication":{"mode":"disabled"})"));
}

/// There is one of each database: whatever is asked for, reads are answered by it.
Task<Response> ChangeDatabase(const D1Access&, Call& call, Resource database) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kSmallBodyMax);
  if (!body.ok()) co_return BadBody(body.status());
  const Json json = ParseJson(*body);
  if (!json.is_object()) co_return Refuse(400, kD1BadRequest, "the body is not a JSON object");
  co_return Success(JsonOf(database, R"(,"read_replication":{"mode":"disabled"})"));
}

Task<Response> DeleteDatabase(const D1Access& access, Call& call, Resource database) {
  Databases& databases = access.databases;
  const Actor actor = call.actor();
  const Status deleted = co_await OnThread(access.loop, access.workers,
                                           [&] { return databases.Delete(database, actor); });
  if (!deleted.ok()) co_return Failure(D1ErrorOf(deleted));
  co_return Success("null");
}

// ---- queries

Task<Response> RunQuery(const D1Access& access, Call& call, Resource database, RowShape shape) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kQueryBodyMax);
  if (!body.ok()) co_return BadBody(body.status());
  ParsedRequest parsed = ParseRequest(*body);
  if (parsed.refusal) co_return Refuse(400, kD1BadRequest, *parsed.refusal);
  RequestOptions options;
  options.may_write = call.principal.May(Service::kD1, Action::kWrite, call.Parameter("database"));
  options.shape = shape;
  Result<Answered> answered =
      co_await RunRequest(access, std::move(database), std::move(parsed.texts), options);
  if (!answered.ok()) co_return Failure(D1ErrorOf(answered.status()));
  if (answered->error) co_return Refuse(400, kD1QueryFailed, answered->error->message);
  co_return Success(std::move(answered->json));
}

Task<Response> Query(const D1Access& access, Call& call, Resource database) {
  return RunQuery(access, call, std::move(database), RowShape::kObjects);
}

Task<Response> Raw(const D1Access& access, Call& call, Resource database) {
  return RunQuery(access, call, std::move(database), RowShape::kColumns);
}

// ---- time travel

/// Milliseconds of ?timestamp=, or why there are none.
struct Moment {
  std::optional<Response> refusal;
  std::optional<int64_t> ms;
};

Moment MomentOf(const D1Access& access, const Call& call) {
  const std::optional<std::string> text = call.Query("timestamp");
  if (!text || text->empty()) return {};
  const std::optional<WallMicros> time = ParseTimestamp(*text);
  if (!time) {
    return {Refuse(400, kD1BadRequest, "\"timestamp\" is no moment of ISO 8601"), std::nullopt};
  }
  if (*time > access.clock.Now()) {
    return {Refuse(400, kD1BadRequest, "\"timestamp\" is not in the past"), std::nullopt};
  }
  return {std::nullopt, *time / 1000};
}

Task<Response> GetBookmark(const D1Access& access, Call& call, Resource database) {
  Moment moment = MomentOf(access, call);
  if (moment.refusal) co_return *std::move(moment.refusal);
  const std::shared_ptr<Database> live = access.databases.Of(database);
  const Result<std::string> bookmark = co_await Await<std::string>(
      access.loop, [&](Done<std::string> done) { live->FindBookmark(moment.ms, std::move(done)); });
  if (!bookmark.ok()) co_return Failure(D1ErrorOf(bookmark.status()));
  co_return Success(R"({"bookmark":)" + QuoteJson(*bookmark) + "}");
}

Task<Response> RestoreDatabase(const D1Access& access, Call& call, Resource database) {
  Moment moment = MomentOf(access, call);
  if (moment.refusal) co_return *std::move(moment.refusal);
  const std::string bookmark = call.Query("bookmark").value_or("");
  if (bookmark.empty() == !moment.ms) {
    co_return Refuse(400, kD1BadRequest, "say either \"bookmark\" or \"timestamp\"");
  }
  RestoreTarget target = bookmark;
  if (moment.ms) target = *moment.ms;
  const std::shared_ptr<Database> live = access.databases.Of(database);
  const Result<Restored> restored = co_await Await<Restored>(
      access.loop, [&](Done<Restored> done) { live->Restore(std::move(target), std::move(done)); });
  if (!restored.ok()) co_return Failure(D1ErrorOf(restored.status()));
  co_return Success(R"({"bookmark":)" + QuoteJson(restored->bookmark) + R"(,"previous_bookmark":)" +
                    QuoteJson(restored->previous) +
                    R"(,"message":"The database is restored; to undo it, restore to )" +
                    restored->previous + R"("})");
}

using DatabaseHandler = Task<Response> (*)(const D1Access&, Call&, Resource);

Task<Response> NoDatabase() {
  co_return Refuse(404, kD1NotFound, "The database could not be found");
}

Task<Response> InDatabase(const D1Access& access, Call& call, DatabaseHandler handler) {
  const std::string& named = call.Parameter("database");
  std::optional<Resource> database =
      access.control.FindResource(call.account.row, ResourceKind::kDatabase, named);
  if (!database) {
    database = access.control.FindResourceByName(call.account.row, ResourceKind::kDatabase, named);
  }
  const bool is_there = database && Databases::IsReady(*database);
  return is_there ? handler(access, call, *std::move(database)) : NoDatabase();
}

}  // namespace

std::vector<RouteOf<D1Access>> D1Routes() {
  const auto in = [](DatabaseHandler handler) {
    return
        [handler](const D1Access& access, Call& call) { return InDatabase(access, call, handler); };
  };
  constexpr std::string_view kAll = "/accounts/{account}/d1/database";
  constexpr std::string_view kOne = "/accounts/{account}/d1/database/{database}";
  constexpr std::string_view kQuery = "/accounts/{account}/d1/database/{database}/query";
  constexpr std::string_view kRaw = "/accounts/{account}/d1/database/{database}/raw";
  constexpr std::string_view kImport = "/accounts/{account}/d1/database/{database}/import";
  constexpr std::string_view kExport = "/accounts/{account}/d1/database/{database}/export";
  constexpr std::string_view kBookmark =
      "/accounts/{account}/d1/database/{database}/time_travel/bookmark";
  constexpr std::string_view kRestore =
      "/accounts/{account}/d1/database/{database}/time_travel/restore";
  const Need list = Need::ScopeOf(Service::kD1, Action::kRead);
  const Need make = Need::ScopeOf(Service::kD1, Action::kAdmin);
  const Need own = Need::ScopeOf(Service::kD1, Action::kAdmin, "database");
  const Need read = Need::ScopeOf(Service::kD1, Action::kRead, "database");
  const Need write = Need::ScopeOf(Service::kD1, Action::kWrite, "database");
  const Need secret =
      Need::Nothing("its query has a secret that was given out and ends in an hour");
  return {
      {"POST", kQuery, read, "runs statements as one transaction; to write needs d1:write",
       in(Query)},
      {"POST", kRaw, read, "as query, with rows as lists", in(Raw)},
      {"POST", kImport, write, "runs a file of statements, all or none", in(Import)},
      {"POST", kExport, read, "writes a file of statements", in(Export)},
      {"GET", kBookmark, read, "the bookmark of now, or of a time", in(GetBookmark)},
      {"POST", kRestore, write, "makes a database what it was", in(RestoreDatabase)},
      {"PUT", kTransferPath, secret, "takes the file of an import", PutTransfer},
      {"GET", kTransferPath, secret, "the file of an export", GetTransfer},
      {"GET", kAll, list, "lists databases", ListDatabases},
      {"POST", kAll, make, "makes a database", CreateDatabase},
      {"GET", kOne, read, "one database", in(GetDatabase)},
      {"PUT", kOne, own, "sets read replication, of which there is none", in(ChangeDatabase)},
      {"PATCH", kOne, own, "sets read replication, of which there is none", in(ChangeDatabase)},
      {"DELETE", kOne, own, "deletes a database with its history", in(DeleteDatabase)},
  };
}

}  // namespace levada::services::d1
