// Any bytes as a query. Invariants: nothing is read out of bounds, a problem lies within the text
// and says something, and whatever is accepted is written for the engine with every quote closed
// and nothing outside of quotes but the few letters of our own names: no comment, no semicolon.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "formats/aesql/translate.h"

namespace levada::aesql {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// The SQL without what stands in quotes; aborts if a quote is left open.
std::string OutsideOfQuotes(std::string_view sql) {
  std::string outside;
  char quote = 0;
  for (size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote == 0) {
      outside += c;
      if (c == '\'' || c == '`') quote = c;
    } else if (c == '\\') {
      ++i;
    } else if (c == quote) {
      quote = 0;
    }
  }
  Require(quote == 0);
  return outside;
}

void TryQuery(std::string_view sql) {
  static const std::vector<Dataset> kDatasets = {{"d", {"db", "t1"}}, {"a-b`'\\", {"db", "t2"}}};
  const auto translation = Translate(sql, kDatasets);
  if (const auto* problem = std::get_if<Problem>(&translation)) {
    Require(problem->range.begin <= problem->range.end && problem->range.end <= sql.size());
    Require(!problem->message.empty() && !CodeName(problem->code).empty());
    Require(!Describe(sql, *problem).empty());
    return;
  }
  const std::string& rendered = std::get<Translation>(translation).sql;
  Require(rendered.starts_with("SELECT "));
  const std::string outside = OutsideOfQuotes(rendered);
  for (const std::string_view banned : {"--", "/*", ";", "#", "file(", "url(", "\n", "\""}) {
    Require(outside.find(banned) == outside.npos);
  }
  for (const char c : outside) Require(c >= ' ' && c < 0x7f);
}

}  // namespace
}  // namespace levada::aesql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::aesql::TryQuery({reinterpret_cast<const char*>(data), size});
  return 0;
}
