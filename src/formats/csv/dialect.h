#pragma once
// Dialect: how a text of rows and fields is written, and a guess of it from its beginning. A pure
// function of bytes that anybody may have written; reading the rows is not done here.

#include <string>
#include <string_view>
#include <vector>

namespace levada::csv {

/// What a guess looks at, however much it is given.
inline constexpr size_t kSampleBytesMax = 256 << 10;
inline constexpr size_t kSampleRowsMax = 1'000;

struct Dialect {
  char delimiter = ',';
  char quote = '"';    ///< 0: none
  char escape = 0;     ///< 0: a quote inside of quotes is written twice
  bool header = true;  ///< the first row has the names of the columns
  bool operator==(const Dialect&) const = default;
};

/// What is known already is not guessed.
struct KnownDialect {
  bool delimiter = false;
  bool quote = false;
  bool escape = false;
  bool header = false;
};

/// The dialect of a text that begins with `sample`, whose last row may be cut off. The delimiter is
/// that of , ; tab | which cuts the rows into the same number of fields, more than one; "," where
/// none does. A first row is a header unless one of its fields is empty, there twice, or looks like
/// a number, a date or a time. `given` has what `known` says.
Dialect GuessDialect(std::string_view sample, const Dialect& given = {},
                     const KnownDialect& known = {});

/// The rows at the beginning of `sample`, as `dialect` cuts them, quotes undone; at most `rows_max`
/// and kSampleBytesMax bytes. A row that is cut off is left out, unless it is the only one.
std::vector<std::vector<std::string>> FirstRows(std::string_view sample, const Dialect& dialect,
                                                size_t rows_max = kSampleRowsMax);

}  // namespace levada::csv
