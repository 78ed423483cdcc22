#pragma once
// SqlShell: a shell for one D1 database: statements go to whoever has the database
// (admin_client.h), their answers to standard output, and what is said of them to standard error.
// Lines that begin with a dot are commands of the shell itself.

#include <string>
#include <string_view>
#include <vector>

#include "app/admin_client.h"
#include "app/query_text.h"
#include "app/session.h"
#include "app/shell_input.h"
#include "app/shell_statements.h"

namespace levada::app {

struct SqlShellOptions {
  std::string database;  ///< an id or a name
  std::string account;   ///< likewise; may be empty
  QueryMode mode = QueryMode::kTable;
  bool is_interactive = false;  ///< a person types: errors are shown and end nothing
  bool has_summaries = false;   ///< of statements, on standard error
};

class SqlShell final {
 public:
  /// Both outlive it.
  SqlShell(Session& session, AdminClient& client, SqlShellOptions options);

  /// kBadValue when there is no such database.
  Status Connect();
  /// Runs what `input` has. `where` is its name in errors. The first error ends it, of a person's
  /// none but those of the input itself.
  Status Run(ShellInput& input, const std::string& where);

 private:
  struct Command;
  static const Command kCommands[];

  Status RunLine(const std::string& line, const std::string& where, ShellStatements& statements);
  Status RunStatement(const ShellStatement& statement, const std::string& where);
  Status RunCommand(const std::string& line);
  Result<QueryAnswer> Query(const std::string& sql, const QueryStyle& style);
  /// What a statement of our own says, a value a line.
  Result<std::string> ValuesOf(const std::string& sql);
  void Show(const Status& status) const;
  void Prompt(const ShellStatements& statements) const;
  Status Write(const QueryText& result) const;

  Status Help(const std::vector<std::string>& words);
  Status Tables(const std::vector<std::string>& words);
  Status Schema(const std::vector<std::string>& words);
  Status Databases(const std::vector<std::string>& words);
  Status Mode(const std::vector<std::string>& words);
  Status Headers(const std::vector<std::string>& words);
  Status Read(const std::vector<std::string>& words);
  Status DumpSql(const std::vector<std::string>& words);
  Status Quit(const std::vector<std::string>& words);

  Session& session_;
  AdminClient& client_;
  const SqlShellOptions options_;
  QueryStyle style_;
  bool has_ended_ = false;
  int reading_ = 0;  ///< files within files
};

/// The answer to "d1.list" as a table.
std::string TableOfDatabases(std::string_view answer, const Terminal& terminal);

}  // namespace levada::app
