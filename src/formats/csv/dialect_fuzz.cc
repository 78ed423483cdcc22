// Any bytes as the beginning of a CSV file: a dialect of its own bounds, and the same one again;
// what is known stays; rows are no larger than what they were cut from.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/csv/dialect.h"

namespace {

using levada::csv::Dialect;
using levada::csv::FirstRows;
using levada::csv::GuessDialect;
using levada::csv::kSampleRowsMax;

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Dialect guess = GuessDialect(text);
  Require(std::string_view(",;\t|").find(guess.delimiter) != std::string_view::npos);
  Require(guess.quote == '"' || guess.quote == '\'');
  Require(guess == GuessDialect(text));
  Require(guess == GuessDialect(text, guess, {true, true, true, true}));
  const auto rows = FirstRows(text, guess);
  Require(rows.size() <= kSampleRowsMax);
  size_t bytes = 0;
  for (const auto& row : rows) {
    Require(!row.empty());
    for (const auto& field : row) bytes += field.size();
  }
  Require(bytes <= size);
  return 0;
}
