#pragma once
// Problem: why a query of the Analytics Engine's SQL is refused, and where in its text. Every step
// from text to the engine's SQL (tokens, syntax, binder) gives either its result or one Problem;
// the door of the service puts Describe() into its answer. It is not a Fault: nothing of ours went
// wrong, and no run ends with it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace levada::aesql {

/// Bytes of a query's text, half open.
struct Range {
  size_t begin = 0;
  size_t end = 0;
};

/// What kind of mistake; stable, by CodeName.
enum class ProblemCode : uint8_t {
  kTooLarge,         ///< text, nesting or what aliases stand for: over a limit
  kSyntax,           ///< not the language, or something of SQL that this language leaves out
  kBadLiteral,       ///< a number, string, interval or time that cannot be
  kUnknownDataset,   ///< FROM something that nobody has written to
  kUnknownColumn,    ///< neither a column nor an alias
  kUnknownFunction,  ///< no function of this language
  kBadArguments,     ///< how many, and which of them must be literals
  kBadType,          ///< a string where a number belongs, and the like
  kBadAlias,         ///< twice, or in a circle
  kBadAggregate,     ///< an aggregate where none can stand
  kNotGrouped,       ///< a column beside aggregates that GROUP BY does not name
};

/// "syntax", "unknown_column", ...
std::string_view CodeName(ProblemCode code);

struct Problem {
  ProblemCode code = ProblemCode::kSyntax;
  Range range;
  std::string message;  ///< lower case, subject first: unknown column "blob21"
  std::string help;     ///< what to write instead; may be empty
};

/// On one line: `unknown column "blob21" at line 2, column 8; did you mean "blob2"?`. Lines and
/// columns count from 1, columns in code points. `sql` is the text that the problem is of.
std::string Describe(std::string_view sql, const Problem& problem);

}  // namespace levada::aesql
