#include "connectors/postgres/table_name.h"

#include <utility>
#include <vector>

#include "db/postgres/connection.h"

namespace levada::postgres {
namespace {

std::string WrittenPart(const std::string& part) {
  return part.find_first_of(".\"") == std::string::npos ? part : pq::QuoteIdentifier(part);
}

Fault BadName(std::string_view text, const char* problem) {
  return Fault(FaultCode::kBadValue, "table " + pq::QuoteIdentifier(text) + ": " + problem)
      .Help("write it as schema.table; a part with a dot in it goes in double quotes");
}

}  // namespace

std::string TableName::Quoted() const {
  const std::string quoted = pq::QuoteIdentifier(name);
  return schema.empty() ? quoted : pq::QuoteIdentifier(schema) + "." + quoted;
}

std::string TableName::Written() const {
  const std::string written = WrittenPart(name);
  return schema.empty() ? written : WrittenPart(schema) + "." + written;
}

Result<TableName> ParseTableName(std::string_view text) {
  std::vector<std::string> parts(1);
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '.') {
      parts.emplace_back();
      ++at;
    } else if (text[at] == '"' && parts.back().empty()) {
      // To the quote that is not doubled.
      for (++at;; ++at) {
        if (at >= text.size()) return BadName(text, "a double quote does not end");
        if (text[at] == '"' && (++at >= text.size() || text[at] != '"')) break;
        parts.back() += text[at];
      }
      if (at < text.size() && text[at] != '.') {
        return BadName(text, "expected a dot after the closing quote");
      }
    } else {
      parts.back() += text[at++];
    }
  }
  if (parts.size() > 2) {
    return BadName(text, "expected schema and table, got more than two names");
  }
  for (const std::string& part : parts) {
    if (part.empty()) return BadName(text, "a name is empty");
    if (part.find('\0') != std::string::npos) return BadName(text, "a zero byte is no name");
  }
  if (parts.size() == 1) return TableName{"", std::move(parts[0])};
  return TableName{std::move(parts[0]), std::move(parts[1])};
}

}  // namespace levada::postgres
