#include "expressions/expression_option.h"

#include <algorithm>
#include <utility>

namespace levada::expressions {
namespace {

constexpr size_t kShownBytesMax = 60;

// Where `text` stands on the line of `span`; npos where YAML wrote it otherwise: over several
// lines, or with escapes.
size_t ColumnOnLine(const SourceText& source, const Span& span, std::string_view text) {
  size_t begin = 0;
  for (uint32_t line = 1; line < span.line; ++line) {
    begin = source.text.find('\n', begin);
    if (begin == std::string::npos) return begin;
    ++begin;
  }
  const std::string_view rest = std::string_view(source.text).substr(begin);
  const std::string_view line = rest.substr(0, rest.find('\n'));
  return line.find(text, span.column - 1);
}

std::string Cut(std::string_view text) {
  std::string line(text.substr(0, kShownBytesMax));
  if (text.size() > kShownBytesMax) {
    // Not in the middle of a character.
    while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0) == 0x80) {
      line.pop_back();
    }
    line += "...";
  }
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line;
}

void Add(const elt::Options& options, std::string_view name, const std::string& text,
         const Problem& problem, std::vector<Diagnostic>& problems) {
  Diagnostic diagnostic = options.ErrorAt(name, problem.code, problem.message, problem.help);
  const bool has_place = diagnostic.source != nullptr && diagnostic.span.known();
  const size_t column =
      has_place ? ColumnOnLine(*diagnostic.source, diagnostic.span, text) : std::string::npos;
  if (column != std::string::npos) {
    const size_t length = std::max<size_t>(problem.range.end - problem.range.begin, 1);
    diagnostic.span.column = static_cast<uint32_t>(column + problem.range.begin + 1);
    diagnostic.span.length = static_cast<uint32_t>(length);
  } else if (problem.range.begin > 0) {
    diagnostic.notes.push_back("behind: " +
                               Cut(std::string_view(text).substr(0, problem.range.begin)));
  }
  problems.push_back(std::move(diagnostic));
}

const std::string& TextOf(const elt::Options& options, std::string_view name) {
  return name.empty() ? options.Scalar() : options.Text(name);
}

}  // namespace

std::shared_ptr<const Expression> CompileOption(const elt::Options& options, std::string_view name,
                                                const arrow::Schema& input,
                                                std::vector<Diagnostic>& problems) {
  const std::string& text = TextOf(options, name);
  Compiled compiled = Compile(text, input);
  for (const Problem& problem : compiled.problems) Add(options, name, text, problem, problems);
  return compiled.expression;
}

void CheckOption(const elt::Options& options, std::string_view name,
                 std::vector<Diagnostic>& problems) {
  const std::string& text = TextOf(options, name);
  const Parsed parsed = Parse(text);
  if (!parsed.syntax) Add(options, name, text, parsed.problem, problems);
}

std::string FailureText(std::string_view text, const RowFailure& failure) {
  return Cut(text.substr(failure.range.begin, failure.range.end - failure.range.begin)) + ": " +
         failure.reason;
}

}  // namespace levada::expressions
