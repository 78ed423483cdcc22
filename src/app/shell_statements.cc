#include "app/shell_statements.h"

#include <algorithm>
#include <utility>

#include "db/sqlite/statement_text.h"

namespace levada::app {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v\n";

/// " at offset 7", and what SQLite calls it: where it is the place says, and what it is the words.
std::string WithoutOffset(std::string message, int64_t offset) {
  const std::string said = " at offset " + std::to_string(offset);
  const size_t at = message.find(said);
  if (at != std::string::npos) message.erase(at, said.size());
  return message;
}

}  // namespace

void ShellStatements::Add(std::string_view line) {
  for (const char c : line) text_ += c == '\0' ? ' ' : c;  // SQLite would end there
  text_ += '\n';
}

void ShellStatements::SkipBlank() {
  const size_t blank = db::sqlite::BlankBytes(text_);
  if (blank == 0) return;
  const bool is_all = blank == text_.size();
  // A comment that goes on in the next line hides what comes.
  if (is_all && db::sqlite::BlankBytes(text_ + "x") > text_.size()) return;
  (void)Cut(blank);
}

ShellStatement ShellStatements::Cut(size_t bytes) {
  ShellStatement statement{text_.substr(0, bytes), line_, column_};
  const auto lines = std::ranges::count(statement.sql, '\n');
  line_ += static_cast<uint32_t>(lines);
  column_ = lines == 0 ? column_ + static_cast<uint32_t>(bytes)
                       : static_cast<uint32_t>(bytes - statement.sql.rfind('\n'));
  text_.erase(0, bytes);
  looked_ = 0;
  return statement;
}

std::optional<ShellStatement> ShellStatements::Take() {
  SkipBlank();
  const auto bytes = db::sqlite::FirstStatementBytes(text_, looked_);
  if (!bytes) {
    looked_ = text_.size();
    return std::nullopt;
  }
  return Cut(*bytes);
}

std::optional<ShellStatement> ShellStatements::TakeRest() {
  SkipBlank();
  if (db::sqlite::BlankBytes(text_) == text_.size()) return std::nullopt;
  ShellStatement rest = Cut(text_.size());
  rest.sql.erase(rest.sql.find_last_not_of(kBlanks) + 1);
  return rest;
}

bool ShellStatements::is_between() const {
  return text_.find_first_not_of(kBlanks) == std::string::npos;
}

void ShellStatements::Forget() {
  if (!text_.empty()) (void)Cut(text_.size());
}

Fault FaultOfStatement(const ShellStatement& statement, const std::string& where,
                       const std::string& message, int64_t offset) {
  auto source = std::make_shared<SourceText>();
  source->name = where;
  source->text.assign(statement.line - 1, '\n');
  source->text.append(statement.column - 1, ' ');
  source->text += statement.sql;
  Diagnostic diagnostic;
  diagnostic.code = FaultCode::kQueryFailed;
  diagnostic.message = WithoutOffset(message, offset);
  const auto at = std::min(static_cast<size_t>(std::max<int64_t>(offset, 0)), statement.sql.size());
  const std::string_view before = std::string_view(statement.sql).substr(0, at);
  const size_t newline = before.rfind('\n');
  diagnostic.span.line = statement.line + static_cast<uint32_t>(std::ranges::count(before, '\n'));
  diagnostic.span.column = static_cast<uint32_t>(
      newline == std::string_view::npos ? statement.column + at : at - newline);
  // The word that SQLite points at; of what is wrong as a whole, the line that it begins with.
  const std::string_view rest = std::string_view(statement.sql).substr(at);
  const size_t length = offset < 0 ? rest.find('\n') : rest.find_first_of(" \t\r\n(),;");
  diagnostic.span.length =
      static_cast<uint32_t>(std::clamp<size_t>(length, 1, std::max<size_t>(rest.size(), 1)));
  diagnostic.source = std::move(source);
  std::string said = diagnostic.message;
  return Fault(FaultCode::kQueryFailed, std::move(said)).At({std::move(diagnostic)});
}

}  // namespace levada::app
