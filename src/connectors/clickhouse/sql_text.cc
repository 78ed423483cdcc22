#include "connectors/clickhouse/sql_text.h"

namespace levada::clickhouse {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == '\0') {
      quoted += "\\0";
      continue;
    }
    if (c == quote || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

}  // namespace

std::string QuoteName(std::string_view name) { return Quoted(name, '`'); }
std::string QuoteText(std::string_view text) { return Quoted(text, '\''); }

std::string AllOf(std::initializer_list<std::string> conditions) {
  std::string all;
  for (const std::string& condition : conditions) {
    if (!condition.empty()) all += (all.empty() ? "(" : " AND (") + condition + ")";
  }
  return all;
}

}  // namespace levada::clickhouse
