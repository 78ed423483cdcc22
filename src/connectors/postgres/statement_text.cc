#include "connectors/postgres/statement_text.h"

#include <algorithm>
#include <cstddef>

namespace levada::postgres {
namespace {

constexpr size_t kNone = std::string_view::npos;

/// Of a name, a number or a keyword.
bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Behind the quote that closes what begins at `at`; kNone when none does. A doubled quote is two
/// quoted texts in a row, which comes to the same.
size_t EndOfQuoted(std::string_view sql, size_t at, bool backslashes) {
  const char quote = sql[at];
  for (size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] == quote) return i + 1;
    if (backslashes && sql[i] == '\\') ++i;
  }
  return kNone;
}

/// Behind $tag$ ... $tag$; `at` + 1 when a parameter or nothing of the kind begins there.
size_t EndOfDollarQuoted(std::string_view sql, size_t at) {
  size_t tag_end = at + 1;
  while (tag_end < sql.size() && IsWordByte(sql[tag_end])) ++tag_end;
  if (tag_end >= sql.size() || sql[tag_end] != '$') return at + 1;
  if (sql[at + 1] >= '0' && sql[at + 1] <= '9') return at + 1;
  const std::string_view tag = sql.substr(at, tag_end + 1 - at);
  const size_t closing = sql.find(tag, tag_end + 1);
  return closing == kNone ? kNone : closing + tag.size();
}

/// Behind a comment, which may hold others.
size_t EndOfBlockComment(std::string_view sql, size_t at) {
  int depth = 0;
  for (size_t i = at; i + 1 < sql.size(); ++i) {
    const std::string_view two = sql.substr(i, 2);
    if (two != "/*" && two != "*/") continue;
    depth += two == "/*" ? 1 : -1;
    ++i;
    if (depth == 0) return i + 1;
  }
  return kNone;
}

/// Whether the quote at `at` belongs to E'...', whose backslashes escape.
bool IsEscaped(std::string_view sql, size_t at) {
  if (at == 0 || (sql[at - 1] != 'e' && sql[at - 1] != 'E')) return false;
  return at == 1 || !(IsWordByte(sql[at - 2]) || sql[at - 2] == '$');
}

}  // namespace

std::string_view WithoutClosing(std::string_view sql) {
  size_t end = 0;  // of what counts
  size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    const std::string_view two = sql.substr(at, 2);
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v' || c == ';') {
      ++at;
      continue;
    }
    if (two == "--") {
      at = std::min(sql.find_first_of("\r\n", at), sql.size());
      continue;
    }
    if (two == "/*") {
      at = EndOfBlockComment(sql, at);
      if (at == kNone) return sql;
      continue;
    }
    if (c == '\'' || c == '"') {
      at = EndOfQuoted(sql, at, c == '\'' && IsEscaped(sql, at));
    } else if (c == '$' && (at == 0 || !IsWordByte(sql[at - 1]))) {
      at = EndOfDollarQuoted(sql, at);
    } else {
      ++at;
    }
    if (at == kNone) return sql;
    end = at;
  }
  return sql.substr(0, end);
}

}  // namespace levada::postgres
