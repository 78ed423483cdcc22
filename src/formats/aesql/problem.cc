#include "formats/aesql/problem.h"

#include <algorithm>
#include <array>

namespace levada::aesql {

std::string_view CodeName(ProblemCode code) {
  constexpr std::array<std::string_view, 11> kNames = {
      "too_large",      "syntax",           "bad_literal",   "unknown_dataset",
      "unknown_column", "unknown_function", "bad_arguments", "bad_type",
      "bad_alias",      "bad_aggregate",    "not_grouped"};
  return kNames[static_cast<size_t>(code)];
}

std::string Describe(std::string_view sql, const Problem& problem) {
  const std::string_view before = sql.substr(0, std::min(problem.range.begin, sql.size()));
  const size_t line_begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  const auto lines = std::ranges::count(before, '\n');
  const auto columns = std::ranges::count_if(before.substr(line_begin), is_first_byte);
  std::string text = problem.message + " at line " + std::to_string(lines + 1) + ", column " +
                     std::to_string(columns + 1);
  if (!problem.help.empty()) text += "; " + problem.help;
  return text;
}

}  // namespace levada::aesql
