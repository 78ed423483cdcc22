#include "db/sqlite/statement_text.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>

namespace levada::db::sqlite {

size_t BlankBytes(std::string_view sql) {
  size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (c == ' ' || (c >= '\t' && c <= '\r') || c == ';') {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      const size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      return at;
    }
  }
  return at;
}

std::optional<size_t> FirstStatementBytes(std::string_view sql, size_t looked) {
  std::string prefix;
  for (size_t end = sql.find(';', looked); end != std::string_view::npos;
       end = sql.find(';', end + 1)) {
    prefix.append(sql.substr(prefix.size(), end + 1 - prefix.size()));
    if (sqlite3_complete(prefix.c_str()) != 0) return end + 1;
  }
  return std::nullopt;
}

}  // namespace levada::db::sqlite
