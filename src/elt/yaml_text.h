#pragma once
// The raw text of a pipeline file, before and beside the YAML parser: what is refused without
// parsing, and where a scalar that the parser reports only the start of ends. No YAML library in
// here.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::elt {

/// A refusal at `length` bytes from `offset` of the text.
struct YamlProblem {
  FaultCode code = FaultCode::kYamlSyntax;
  size_t offset = 0;
  size_t length = 1;
  std::string message = {};
  std::string label = {};
  std::string help = {};
};

/// Size, characters, UTF-8, directives, and the number of flow indicators: yaml-cpp queues every
/// token of an outermost `[` or `{` before it gives the first away, so that a limit on events alone
/// would come too late.
std::optional<YamlProblem> FindTextProblem(std::string_view text);

/// Where the scalar that starts at `begin` is written.
struct ScalarExtent {
  size_t first_line_end = 0;  ///< behind its last byte on its first line
  /// Behind its last byte; nullopt when only the next token tells (block and multi-line plain
  /// scalars).
  std::optional<size_t> end = {};
  bool closed = true;  ///< false: a quote that is never closed
};
/// `value` is the scalar after unescaping.
ScalarExtent FindScalarExtent(std::string_view text, size_t begin, std::string_view value);

/// Length of the valid UTF-8 prefix of `text`.
size_t ValidUtf8Prefix(std::string_view text);

}  // namespace levada::elt
