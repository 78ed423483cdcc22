#include "app/sql_shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "app/commands.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/text_columns.h"
#include "os/disk.h"

namespace levada::app {
namespace {

using std::chrono::milliseconds;

// D1's limit is 100,000: what is a little longer SQLite itself refuses, in its words.
constexpr size_t kStatementBytesMax = 150'000;
constexpr int kReadingMax = 10;
// A request may wait for others, and runs for 30 s at most.
constexpr milliseconds kQueryPatience{120'000};
constexpr milliseconds kDumpPatience{3'600'000};
constexpr size_t kPieceBytes = 1 << 20;

Fault BadCommand(std::string message, const std::string& help) {
  return Fault(FaultCode::kBadValue, std::move(message)).Help(help);
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream rest(text);
  for (std::string word; rest >> word;) words.push_back(std::move(word));
  return words;
}

std::string QuotedSql(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

/// What asks for `what` of the shell's database.
std::string RequestOf(const SqlShellOptions& options, const char* what, Json request) {
  request["do"] = what;
  request["database"] = options.database;
  if (!options.account.empty()) request["account"] = options.account;
  return Dump(request);
}

Status WriteFileOut(os::Disk& disk, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Open(path));
  std::string piece;
  for (int64_t offset = 0;; offset += static_cast<int64_t>(piece.size())) {
    piece.resize(kPieceBytes);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t got,
        file->ReadAt(offset, {reinterpret_cast<uint8_t*>(piece.data()), piece.size()}));
    if (got == 0) return Status::OK();
    piece.resize(static_cast<size_t>(got));
    ARROW_RETURN_NOT_OK(WriteOutput(piece));
  }
}

}  // namespace

struct SqlShell::Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view about;
  size_t words_max;  ///< behind the name
  Status (SqlShell::*run)(const std::vector<std::string>& words);
};

const SqlShell::Command SqlShell::kCommands[] = {
    {".databases", "", "list the databases of the data directory", 0, &SqlShell::Databases},
    {".dump", "[TABLE]...", "write the database, or tables of it, as SQL", 100, &SqlShell::DumpSql},
    {".exit", "", "leave, as Ctrl-D", 0, &SqlShell::Quit},
    {".headers", "on|off", "names of columns above a table and in CSV", 1, &SqlShell::Headers},
    {".help", "", "this list", 0, &SqlShell::Help},
    {".mode", "table|csv|json|line", "how rows are shown", 1, &SqlShell::Mode},
    {".quit", "", "leave, as Ctrl-D", 0, &SqlShell::Quit},
    {".read", "FILE", "run the statements of a file, to its first error", 1, &SqlShell::Read},
    {".schema", "[TABLE]", "the statements that made the tables, or one", 1, &SqlShell::Schema},
    {".tables", "", "list tables and views", 0, &SqlShell::Tables},
};

SqlShell::SqlShell(Session& session, AdminClient& client, SqlShellOptions options)
    : session_(session), client_(client), options_(std::move(options)) {
  style_.mode = options_.mode;
  style_.table = OutputStyle(session_.terminal(), 0);
}

Result<QueryAnswer> SqlShell::Query(const std::string& sql, const QueryStyle& style) {
  ARROW_ASSIGN_OR_RAISE(
      const std::string answer,
      client_.Ask(RequestOf(options_, "d1.query", {{"sql", sql}}), kQueryPatience));
  return ReadQueryAnswer(answer, style);
}

Result<std::string> SqlShell::ValuesOf(const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(
      const std::string text,
      client_.Ask(RequestOf(options_, "d1.query", {{"sql", sql}}), kQueryPatience));
  const Json answer = ParseJson(text);
  if (answer.contains("error")) {
    return Fault(FaultCode::kQueryFailed, answer["error"].value("message", ""));
  }
  std::string values;
  for (const Json& row : answer["results"][0]["rows"]) {
    std::istringstream lines(row[0].is_string() ? row[0].get<std::string>() : Dump(row[0]));
    for (std::string line; std::getline(lines, line);) {
      values += (session_.terminal().output_is_terminal ? ShownText(line) : line) + "\n";
    }
  }
  return values;
}

Status SqlShell::Connect() {
  ARROW_RETURN_NOT_OK(ValuesOf("SELECT 1").status());
  if (!options_.is_interactive) return Status::OK();
  WriteError(fmt::format(
      "{}; .help lists the commands, Ctrl-D leaves\n",
      client_.is_local()
          ? "no daemon has " + client_.path() + ": none can be started there until this shell ends"
          : "through the daemon that has " + client_.path()));
  return Status::OK();
}

void SqlShell::Show(const Status& status) const {
  PrintFailure(status, session_.line().error_format, session_.terminal());
}

void SqlShell::Prompt(const ShellStatements& statements) const {
  if (!options_.is_interactive || reading_ > 0) return;
  const std::string first = options_.database.substr(0, 30) + "> ";
  const std::string next = std::string(first.size() - std::min<size_t>(first.size(), 5), ' ');
  WriteError(statements.is_between() ? first : next + "...> ");
}

Status SqlShell::Run(ShellInput& input, const std::string& where) {
  ShellStatements statements;
  const bool goes_on = options_.is_interactive && reading_ == 0;
  while (!has_ended_) {
    Prompt(statements);
    ARROW_ASSIGN_OR_RAISE(const std::optional<ShellLine> line, input.Next());
    if (!line) break;
    if (line->is_cancelled) {
      statements.Forget();
      WriteError("\n");
      continue;
    }
    const Status ran = RunLine(line->text, where, statements);
    if (ran.ok()) continue;
    if (!goes_on) return ran;
    statements.Forget();
    Show(ran);
  }
  if (goes_on) {
    if (!has_ended_) WriteError("\n");
    return Status::OK();
  }
  const auto rest = statements.TakeRest();
  return rest && !has_ended_ ? RunStatement(*rest, where) : Status::OK();
}

Status SqlShell::RunLine(const std::string& line, const std::string& where,
                         ShellStatements& statements) {
  if (statements.is_between() && line.starts_with('.')) {
    statements.Add("");  // for the count of lines
    return RunCommand(line);
  }
  statements.Add(line);
  while (const auto statement = statements.Take()) {
    ARROW_RETURN_NOT_OK(session_.context().Check());
    ARROW_RETURN_NOT_OK(RunStatement(*statement, where));
  }
  if (statements.size_bytes() <= kStatementBytesMax) return Status::OK();
  return FaultOfStatement(*statements.TakeRest(), where,
                          "a statement is longer than 100000 bytes, which is what D1 takes", -1);
}

Status SqlShell::RunStatement(const ShellStatement& statement, const std::string& where) {
  if (statement.sql.size() > kStatementBytesMax) {
    return FaultOfStatement(statement, where,
                            "a statement is longer than 100000 bytes, which is what D1 takes", -1);
  }
  ARROW_ASSIGN_OR_RAISE(const QueryAnswer answer, Query(statement.sql, style_));
  if (!answer.error.empty()) {
    return FaultOfStatement(statement, where, answer.error, answer.error_offset);
  }
  for (const QueryText& result : answer.statements) ARROW_RETURN_NOT_OK(Write(result));
  return Status::OK();
}

Status SqlShell::Write(const QueryText& result) const {
  ARROW_RETURN_NOT_OK(WriteOutput(result.rows));
  if (!result.cut.empty()) WriteError(result.cut + "\n");
  if (options_.has_summaries) {
    const Paint paint(session_.terminal().error_color);
    WriteError(fmt::format("{}{}{}\n", paint.dim, result.summary, paint.reset));
  }
  return Status::OK();
}

Status SqlShell::RunCommand(const std::string& line) {
  std::vector<std::string> words = WordsOf(line);
  const std::string name = words.front();
  words.erase(words.begin());
  const auto* command = std::ranges::find(kCommands, name, &Command::name);
  if (command == std::end(kCommands)) {
    std::vector<std::string> names;
    for (const Command& each : kCommands) names.emplace_back(each.name);
    const std::string nearest = NearestName(name, names);
    return BadCommand(
        fmt::format("unknown command \"{}\"", name),
        nearest.empty() ? ".help lists them" : fmt::format("did you mean \"{}\"?", nearest));
  }
  if (words.size() > command->words_max) {
    return BadCommand(fmt::format("{}: expected at most {}, got {}", name,
                                  FormatCount(static_cast<int64_t>(command->words_max), "argument"),
                                  words.size()),
                      fmt::format("write {} {}", name, command->arguments));
  }
  return (this->*command->run)(words);
}

Status SqlShell::Help(const std::vector<std::string>&) {
  std::string text;
  for (const Command& each : kCommands) {
    text += fmt::format("{:<30} {}\n", fmt::format("{} {}", each.name, each.arguments), each.about);
  }
  return WriteOutput(text +
                     "\nOther lines are statements of SQL, each ended by a semicolon and each a "
                     "transaction of its own.\n");
}

Status SqlShell::Tables(const std::vector<std::string>&) {
  ARROW_ASSIGN_OR_RAISE(
      const std::string names,
      ValuesOf("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE "
               "'sqlite\\_%' ESCAPE '\\' ORDER BY name"));
  return WriteOutput(names);
}

Status SqlShell::Schema(const std::vector<std::string>& words) {
  std::string sql =
      "SELECT sql || ';' AS sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE "
      "'sqlite\\_%' ESCAPE '\\'";
  if (!words.empty()) sql += " AND tbl_name = " + QuotedSql(words[0]) + " COLLATE NOCASE";
  ARROW_ASSIGN_OR_RAISE(const std::string statements, ValuesOf(sql + " ORDER BY rowid"));
  if (statements.empty() && !words.empty()) {
    return BadCommand(fmt::format("there is no table \"{}\"", words[0]), ".tables lists them");
  }
  return WriteOutput(statements);
}

Status SqlShell::Databases(const std::vector<std::string>&) {
  Json request = {{"do", "d1.list"}};
  if (!options_.account.empty()) request["account"] = options_.account;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, client_.Ask(Dump(request), kQueryPatience));
  return WriteOutput(TableOfDatabases(answer, session_.terminal()));
}

Status SqlShell::Mode(const std::vector<std::string>& words) {
  if (words.empty()) return WriteOutput(fmt::format("{}\n", NameOf(style_.mode)));
  const auto mode = ParseQueryMode(words[0]);
  if (!mode) {
    return BadCommand(fmt::format("there is no mode \"{}\"", words[0]),
                      "write .mode table, csv, json or line");
  }
  style_.mode = *mode;
  return Status::OK();
}

Status SqlShell::Headers(const std::vector<std::string>& words) {
  if (words.size() != 1 || (words[0] != "on" && words[0] != "off")) {
    return BadCommand(".headers takes on or off", "write .headers on");
  }
  style_.has_headers = words[0] == "on";
  return Status::OK();
}

Status SqlShell::Read(const std::vector<std::string>& words) {
  if (words.empty()) return BadCommand(".read needs a file", "write .read FILE");
  if (reading_ >= kReadingMax) {
    return BadCommand(
        fmt::format("\"{}\": more than {} files read one another", words[0], kReadingMax),
        "a file must not read itself");
  }
  ARROW_ASSIGN_OR_RAISE(const auto file, FileInput(session_.disk(), words[0]));
  ++reading_;
  const Status ran = Run(*file, words[0]);
  --reading_;
  return ran;
}

Status SqlShell::DumpSql(const std::vector<std::string>& words) {
  ARROW_ASSIGN_OR_RAISE(
      const std::string answer,
      client_.Ask(RequestOf(options_, "d1.dump", {{"tables", words}}), kDumpPatience));
  const std::string path = ParseJson(answer)["path"].get<std::string>();
  const Status written = WriteFileOut(session_.disk(), path);
  const Status removed = session_.disk().Remove(path);
  return written.ok() ? removed : written;
}

Status SqlShell::Quit(const std::vector<std::string>&) {
  has_ended_ = true;
  return Status::OK();
}

std::string TableOfDatabases(std::string_view answer, const Terminal& terminal) {
  const Json databases = ParseJson(answer)["databases"];
  const bool has_accounts = std::ranges::any_of(databases, [&databases](const Json& each) {
    return each["account_id"] != databases.front()["account_id"];
  });
  const auto bytes = [](const Json& size) {
    return size.is_null() ? std::string() : FormatBytes(size.get<int64_t>());
  };
  Table table({{"name", Align::kLeft, true},
               {"id"},
               {"account", Align::kLeft, true, true},
               {"size", Align::kRight, false, true},
               {"history", Align::kRight, false, true},
               {"tables", Align::kRight, false, true},
               {"created"}});
  for (const Json& each : databases) {
    const std::string created = each["created_at"].get<std::string>();
    table.AddRow({each["name"].get<std::string>(), each["id"].get<std::string>(),
                  has_accounts ? each["account"].get<std::string>() : "", bytes(each["size"]),
                  bytes(each["history_size"]),
                  each["tables"].is_null() ? "" : std::to_string(each["tables"].get<int64_t>()),
                  terminal.output_is_terminal ? TimeToMinute(created) : created});
  }
  return table.row_count() == 0 ? "no databases\n" : table.Render(OutputStyle(terminal, 0));
}

}  // namespace levada::app
