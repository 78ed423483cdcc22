#include "elt/option_problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace levada::elt {
namespace {

constexpr size_t kQuotedBytesMax = 60;
constexpr size_t kNamesMax = 16;

std::string Joined(const std::vector<std::string>& names, std::string_view quote) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == kNamesMax) return text + ", ...";
    if (i > 0) text += ", ";
    text.append(quote).append(names[i]).append(quote);
  }
  return text;
}

}  // namespace

std::string Quoted(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return "\"" + std::string(text) + "\"";
  size_t end = kQuotedBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "\"" + std::string(text.substr(0, end)) + "...\"";
}

std::string DescribeValue(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "nothing";
    case Value::Kind::kList:
      return "a list";
    case Value::Kind::kMap:
      return "a map";
    case Value::Kind::kScalar:
      break;
  }
  return (value.quoted ? "the text " : "") + Quoted(value.text);
}

std::string DescribeExpected(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kText:
      return "text";
    case OptionType::kBool:
      return "true or false";
    case OptionType::kInteger:
      return "a whole number";
    case OptionType::kBytes:
      return "a size such as 64MiB";
    case OptionType::kDuration:
      return "a duration such as 30s";
    case OptionType::kChoice:
      return (spec.choices.size() == 1 ? "" : "one of ") + Joined(spec.choices, "\"");
    case OptionType::kList:
      return "a list";
    case OptionType::kMap:
    case OptionType::kGroup:
      break;
  }
  return "a map";
}

std::string ExampleHelp(const OptionSpec& spec) {
  if (spec.example.empty()) return {};
  return "for example: " + (spec.name.empty() ? "" : spec.name + ": ") + spec.example;
}

std::string ShapeHelp(const OptionSpec& spec) {
  std::string inside;
  for (size_t i = 0; i < std::min<size_t>(spec.fields.size(), 2); ++i) {
    inside += (i == 0 ? " " : ", ") + spec.fields[i].name + ": ...";
  }
  switch (spec.type) {
    case OptionType::kGroup:
      return "write its options as a map: {" + inside + " }";
    case OptionType::kMap:
      return "write a map: { name: ... }";
    case OptionType::kList:
      return "write a list: [ ... ]";
    default:
      return "write " + DescribeExpected(spec);
  }
}

std::string DidYouMean(const std::string& name) { return "did you mean \"" + name + "\"?"; }

std::string SuggestName(const std::string& name, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(name, names);
  if (!nearest.empty()) return DidYouMean(nearest);
  return names.empty() ? "" : "known: " + Joined(names, "");
}

bool WasSuggested(const std::vector<Diagnostic>& diagnostics, const std::string& name) {
  return std::ranges::any_of(diagnostics, [&](const Diagnostic& diagnostic) {
    return diagnostic.code == FaultCode::kUnknownKey && diagnostic.help == DidYouMean(name);
  });
}

bool IsReported(const std::vector<Diagnostic>& diagnostics, const Span& span) {
  return std::ranges::any_of(diagnostics, [&](const Diagnostic& diagnostic) {
    return diagnostic.span.line == span.line && diagnostic.span.column == span.column;
  });
}

void AddProblem(std::vector<Diagnostic>& diagnostics, Diagnostic diagnostic) {
  if (diagnostics.size() < kProblemsMax) diagnostics.push_back(std::move(diagnostic));
}

Status ToStatus(std::vector<Diagnostic> diagnostics) {
  std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::pair(diagnostic.span.line, diagnostic.span.column);
  });
  const FaultCode code = diagnostics.front().code;
  std::string message = diagnostics.front().message;
  if (diagnostics.size() > 1) {
    message += " (and " + std::to_string(diagnostics.size() - 1) + " more " +
               (diagnostics.size() == 2 ? "problem)" : "problems)");
  }
  return Fault(code, std::move(message)).At(std::move(diagnostics));
}

}  // namespace levada::elt
