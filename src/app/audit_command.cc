#include <fmt/format.h>

#include <algorithm>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/table.h"
#include "base/json.h"
#include "services/core/admin.h"

namespace levada::app {
namespace {

std::string Text(const Json& entry, const char* name) { return entry[name].get<std::string>(); }

/// At most `count` of those before row `before`.
Result<Json> AskFor(AdminClient& client, const CommandLine& line, int64_t before, int64_t count) {
  Json request = {{"do", "audit.list"}, {"before", before}, {"count", count}};
  if (!line.account.empty()) request["account"] = line.account;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, client.Ask(Dump(request)));
  return ParseJson(answer)["entries"];
}

Table EmptyTable() {
  return Table({{"row", Align::kRight},
                {"when"},
                {"who", Align::kLeft, true},
                {"from", Align::kLeft, false, true},
                {"account", Align::kLeft, true, true},
                {"action"},
                {"subject", Align::kLeft, false, false, true}});
}

/// The account's column is for more than one.
std::string TextOf(const Json& entries, const TableStyle& style) {
  const bool has_accounts = std::ranges::any_of(entries, [&entries](const Json& entry) {
    return entry["account_id"] != entries.front()["account_id"];
  });
  Table table = EmptyTable();
  for (const Json& entry : entries) {
    table.AddRow({std::to_string(entry["row"].get<int64_t>()), Text(entry, "at"),
                  Text(entry, "who"), Text(entry, "from"),
                  has_accounts ? Text(entry, "account_id") : "", Text(entry, "action"),
                  Text(entry, "subject")});
  }
  return table.Render(style);
}

Status DoShowAudit(Session& session) {
  const CommandLine& line = session.line();
  ARROW_ASSIGN_OR_RAISE(const auto client, AdminClient::Open(session));
  int64_t before = line.before;
  int64_t left = line.limit;
  Json shown = Json::array();
  while (left > 0) {
    const int64_t count = std::min(left, services::kAuditEntriesMax);
    ARROW_ASSIGN_OR_RAISE(Json entries, AskFor(*client, line, before, count));
    if (entries.empty()) break;
    before = entries.back()["row"].get<int64_t>();
    left -= static_cast<int64_t>(entries.size());
    for (Json& entry : entries) {
      if (line.json) {
        ARROW_RETURN_NOT_OK(WriteOutput(Dump(entry) + "\n"));
      } else {
        shown.push_back(std::move(entry));
      }
    }
  }
  if (line.json) return Status::OK();
  if (shown.empty()) return WriteOutput("no entries\n");
  ARROW_RETURN_NOT_OK(WriteOutput(TextOf(shown, OutputStyle(session.terminal()))));
  if (left > 0 || before <= 1 || line.quiet) return Status::OK();
  return WriteOutput(fmt::format("\nolder ones: levada audit --before {}\n", before));
}

}  // namespace

Outcome ShowAudit(Session& session) {
  Outcome outcome;
  outcome.Note(DoShowAudit(session));
  return outcome;
}

}  // namespace levada::app
