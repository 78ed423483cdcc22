#include "services/d1/d1_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/binary_text.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "services/d1/d1_access.h"
#include "services/d1/sql_dump.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::Blob;
using db::sqlite::SqlResult;
using db::sqlite::SqlText;
using db::sqlite::SqlValue;

constexpr const char* kCountTables =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

Fault Refuse(std::string message) { return Fault(FaultCode::kBadValue, std::move(message)); }

std::string TextAt(const Json& request, const char* name) {
  return request.is_object() && request.contains(name) && request[name].is_string()
             ? request[name].get<std::string>()
             : std::string();
}

std::vector<Resource> Found(const Control& control, int64_t account, const std::string& said) {
  std::vector<Resource> found = control.Resources(account, ResourceKind::kDatabase);
  std::erase_if(found, [&said](const Resource& each) {
    return !Databases::IsReady(each) || (each.id != said && each.name != said);
  });
  return found;
}

Result<Resource> NamedIn(const D1AdminAccess& access, const Json& request) {
  return DatabaseOf(access.control, TextAt(request, "database"), TextAt(request, "account"));
}

void AddValue(const SqlValue& value, std::string& out) {
  const auto end = std::back_inserter(out);
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    fmt::format_to(end, "{}", *integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    if (std::isinf(*real)) {
      out += *real > 0 ? R"({"real":"Inf"})" : R"({"real":"-Inf"})";
    } else {
      out += Dump(Json(*real));  // 2.0 stays one
    }
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out += QuoteJson(*text);
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    const std::string_view bytes(reinterpret_cast<const char*>(blob->data()), blob->size());
    fmt::format_to(end, R"({{"hex":"{}"}})", HexOf(bytes));
  } else {
    out += "null";
  }
}

void AddResult(const SqlResult& result, std::string& out) {
  const auto end = std::back_inserter(out);
  out += R"({"columns":)" + Dump(Json(result.columns)) + R"(,"rows":[)";
  for (size_t row = 0; row < result.rows.size(); ++row) {
    const size_t before = out.size();
    if (row > 0) out += ',';
    out += '[';
    for (size_t i = 0; i < result.rows[row].size(); ++i) {
      if (i > 0) out += ',';
      AddValue(result.rows[row][i], out);
    }
    out += ']';
    if (out.size() > kAdminRowsBytesMax) {
      out.resize(before);
      break;
    }
  }
  fmt::format_to(end,
                 R"(],"row_count":{},"changes":{},"last_row_id":{},"rows_read":{},)"
                 R"("rows_written":{},"duration_us":{}}})",
                 result.rows.size(), result.changes, result.last_row_id, result.rows_read,
                 result.rows_written, result.duration_us);
}

Result<Ran> RunText(const D1AdminAccess& access, const Resource& database, std::string sql,
                    bool may_write) {
  std::vector<SqlText> texts(1);
  texts[0].sql = std::move(sql);
  Result<Ran> ran = WaitFor<Ran>([&](Done<Ran> done) {
    access.databases.Of(database)->Run(std::move(texts), may_write, std::move(done));
  });
  if (!ran.ok()) return ForOperator(ran.status());
  return ran;
}

Result<std::string> Query(const D1AdminAccess& access, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Resource database, NamedIn(access, request));
  ARROW_ASSIGN_OR_RAISE(const Ran ran, RunText(access, database, TextAt(request, "sql"), true));
  if (const auto& error = ran.answer.error) {
    return Dump(
        {{"error", {{"message", error->message}, {"code", error->code}, {"offset", error->offset}}},
         {"database_id", database.id}});
  }
  std::string out = R"({"results":[)";
  for (const SqlResult& result : ran.answer.results) {
    if (&result != &ran.answer.results.front()) out += ',';
    AddResult(result, out);
  }
  return out + fmt::format(R"(],"size":{},"bookmark":{},"database_id":{}}})", ran.answer.size_bytes,
                           QuoteJson(ran.bookmark), QuoteJson(database.id));
}

/// Of a file that may not be there yet.
Json SizeOf(os::Disk& disk, const std::string& path) {
  const auto entry = disk.Stat(path);
  return entry.ok() && *entry ? Json((*entry)->size_bytes) : Json(nullptr);
}

Json SizeOfAll(os::Disk& disk, const std::string& directory) {
  const auto entries = disk.List(directory);
  if (!entries.ok()) return nullptr;
  int64_t bytes = 0;
  for (const os::DirectoryEntry& entry : *entries) bytes += entry.size_bytes;
  return bytes;
}

Json TablesOf(const D1AdminAccess& access, const Resource& database) {
  // Whose files are closed is not opened for that: there may be thousands.
  if (!access.databases.Of(database)->counts().is_open) return nullptr;
  const Result<Ran> ran = RunText(access, database, kCountTables, false);
  if (!ran.ok() || ran->answer.error || ran->answer.results.empty()) return nullptr;
  return std::get<int64_t>(ran->answer.results[0].rows.at(0).at(0));
}

Result<std::string> List(const D1AdminAccess& access, const Json& request) {
  int64_t account = 0;
  if (!TextAt(request, "account").empty()) {
    ARROW_ASSIGN_OR_RAISE(const Account named,
                          NamedAccount(access.control, TextAt(request, "account")));
    account = named.row;
  }
  Json list = Json::array();
  for (const Account& owner : access.control.Accounts()) {
    if (account != 0 && owner.row != account) continue;
    for (const Resource& each : access.control.Resources(owner.row, ResourceKind::kDatabase)) {
      if (!Databases::IsReady(each)) continue;
      const std::string directory =
          os::JoinPath(access.databases.directory(), std::to_string(each.number));
      list.push_back({{"account_id", owner.id},
                      {"account", owner.name},
                      {"id", each.id},
                      {"name", each.name},
                      {"created_at", FormatTimestamp(each.created)},
                      {"size", SizeOf(access.disk, os::JoinPath(directory, "database"))},
                      {"history_size", SizeOfAll(access.disk, os::JoinPath(directory, "history"))},
                      {"tables", TablesOf(access, each)}});
    }
  }
  return levada::Dump({{"databases", std::move(list)}});
}

Result<std::string> DumpTo(const D1AdminAccess& access, const Json& request, uint64_t number) {
  ARROW_ASSIGN_OR_RAISE(const Resource database, NamedIn(access, request));
  DumpOptions options;
  if (request.contains("tables") && request["tables"].is_array()) {
    for (const Json& table : request["tables"]) {
      if (table.is_string()) options.tables.push_back(table.get<std::string>());
    }
  }
  // The clock tells those of two commands apart that had the directory one behind the other.
  const std::string path = os::JoinPath(access.databases.transfers_directory(),
                                        fmt::format("dump-{}-{}.sql", access.clock.Now(), number));
  const std::string copy = path + ".database";
  const auto write = [&]() -> Status {
    ARROW_RETURN_NOT_OK(WaitFor<std::string>([&](Done<std::string> done) {
                          access.databases.Of(database)->Export(copy, std::move(done));
                        }).status());
    Context ctx;
    ctx.clock = &access.clock;
    ctx.log = &access.log;
    return DumpSql(ctx, copy, access.disk, path, options);
  };
  const Status written = write();
  (void)access.disk.Remove(copy);
  if (!written.ok()) {
    (void)access.disk.Remove(path);
    return ForOperator(written);
  }
  return levada::Dump({{"path", path}, {"bytes", SizeOf(access.disk, path)}});
}

}  // namespace

Result<Resource> DatabaseOf(const Control& control, const std::string& said,
                            const std::string& account) {
  if (said.empty()) return Refuse("no database is named");
  int64_t row = 0;
  if (!account.empty()) {
    ARROW_ASSIGN_OR_RAISE(const Account named, NamedAccount(control, account));
    row = named.row;
  }
  std::vector<Resource> found = Found(control, row, said);
  if (found.empty()) {
    return Refuse("there is no database \"" + said + "\"").Help("`levada d1 list` shows them");
  }
  if (found.size() > 1) {
    return Refuse(fmt::format("{} accounts have a database \"{}\": which one?", found.size(), said))
        .Help("name the account with --account, or the database by its id");
  }
  return std::move(found.front());
}

Status ForOperator(const Status& status) {
  if (status.ok()) return status;
  const Fault* fault = AttachedFault(status);
  if (fault != nullptr && fault->code() != FaultCode::kStopped) return status;
  return Fault(FaultCode::kTargetIo, D1ErrorOf(status).message);
}

AdminCommands D1AdminCommands(const D1AdminAccess& access) {
  const auto dumps = std::make_shared<std::atomic<uint64_t>>(0);
  return {
      {"d1.list", [access](std::string_view text) { return List(access, ParseJson(text)); }},
      {"d1.query", [access](std::string_view text) { return Query(access, ParseJson(text)); }},
      {"d1.dump", [access, dumps](
                      std::string_view text) { return DumpTo(access, ParseJson(text), ++*dumps); }},
  };
}

}  // namespace levada::services::d1
