#pragma once
// How problems of a pipeline file are collected and worded.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "elt/options.h"
#include "elt/value.h"

namespace levada::elt {

/// More problems than this are not collected: nobody reads them, and a hostile file must not make
/// us print a million.
inline constexpr size_t kProblemsMax = 100;

/// `"text"`, cut to what fits on a line.
std::string Quoted(std::string_view text);

/// `text "abc"`, `a list`, `nothing`: what was written, for "expected ..., got ...".
std::string DescribeValue(const Value& value);

/// `a whole number`, `one of "none", "snappy", "zstd"`: what the spec wants.
std::string DescribeExpected(const OptionSpec& spec);

/// `for example: level: 3`, or empty when the spec has no example.
std::string ExampleHelp(const OptionSpec& spec);

/// `write its options as a map: { dsn: ..., table: ... }`: for a spec without an example.
std::string ShapeHelp(const OptionSpec& spec);

/// `did you mean "table"?`
std::string DidYouMean(const std::string& name);

/// DidYouMean the nearest, else `known: a, b, c` (cut), for a name that is none of `names`.
std::string SuggestName(const std::string& name, const std::vector<std::string>& names);

/// True when one of these problems is an unknown key that was probably meant to be `name`: that
/// `name` is missing is then no second problem.
bool WasSuggested(const std::vector<Diagnostic>& diagnostics, const std::string& name);

/// True when one of these problems is at the same place: one message for one place is enough.
bool IsReported(const std::vector<Diagnostic>& diagnostics, const Span& span);

/// Appends unless there are kProblemsMax already.
void AddProblem(std::vector<Diagnostic>& diagnostics, Diagnostic diagnostic);

/// All problems as one failure, ordered by place. The code and message are those of the first, the
/// message counts the others. Precondition: not empty.
Status ToStatus(std::vector<Diagnostic> diagnostics);

}  // namespace levada::elt
