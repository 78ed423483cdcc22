#include "base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/fault.h"
#include "base/json.h"
#include "base/text_columns.h"

namespace levada {
namespace {

constexpr size_t kLineBytesMax = 160;
constexpr int kCausesMax = 8;  // a chain longer than this is a loop of wrapping, not information
constexpr std::string_view kCut = "...";

// Colours of one rendering; all empty without colour.
struct Paint {
  std::string_view severity, gutter, bold, reset;
};

Paint PaintOf(Severity severity, const RenderStyle& style) {
  if (!style.color) return {};
  const std::string_view by_severity = severity == Severity::kError     ? "\x1b[1;31m"
                                       : severity == Severity::kWarning ? "\x1b[1;33m"
                                                                        : "\x1b[1;32m";
  return {by_severity, "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};
}

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "error";
}

// Lines after the first are indented so that they cannot pass for lines of ours.
std::string Indented(std::string_view text, size_t indent) {
  std::string shown;
  while (true) {
    const size_t newline = std::min(text.find('\n'), text.size());
    shown += ShownText(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (text.empty()) return shown;
    shown += '\n' + std::string(indent, ' ');
  }
}

std::string Header(Severity severity, FaultCode code, std::string_view message,
                   const Paint& paint) {
  const std::string_view name = NameOf(severity);
  const std::string kind =
      code == FaultCode{} ? std::string(name) : fmt::format("{}[{}]", name, CodeName(code));
  return fmt::format("{}{}{}{}: {}{}\n", paint.severity, kind, paint.reset, paint.bold,
                     Indented(message, kind.size() + 2), paint.reset);
}

std::string Footnote(std::string_view kind, std::string_view text, size_t gutter,
                     const Paint& paint) {
  return fmt::format("{}{}={} {}{}:{} {}\n", std::string(gutter, ' '), paint.gutter, paint.reset,
                     paint.bold, kind, paint.reset, Indented(text, gutter + kind.size() + 4));
}

std::optional<std::string_view> LineOf(std::string_view text, uint32_t line) {
  for (uint32_t number = 1; number < line; ++number) {
    const size_t newline = text.find('\n');
    if (newline == std::string_view::npos) return std::nullopt;
    text.remove_prefix(newline + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// The part of a line to show, and the carets under it.
struct Excerpt {
  std::string text;
  size_t caret_columns_before = 0;
  size_t caret_columns = 1;
};

// First byte of the shown part: the caret stands in its first half, so that what it points at is
// seen.
size_t WindowStart(std::string_view line, size_t caret) {
  if (line.size() <= kLineBytesMax || caret <= kLineBytesMax / 2) return 0;
  size_t start = std::min(caret - kLineBytesMax / 2, line.size() - kLineBytesMax);
  while (start < caret && (static_cast<uint8_t>(line[start]) & 0xc0) == 0x80) ++start;
  return start;
}

Excerpt ExcerptOf(std::string_view line, const Span& span) {
  const size_t caret = std::min<size_t>(span.column == 0 ? 0 : span.column - 1, line.size());
  const size_t caret_end = std::min<uint64_t>(uint64_t{caret} + span.length, line.size());
  const size_t start = WindowStart(line, caret);

  Excerpt excerpt;
  size_t columns = 0, columns_before = 0, columns_under = 0;
  if (start > 0) {
    excerpt.text = kCut;
    columns = columns_before = kCut.size();
  }
  size_t at = start;
  while (at < line.size()) {
    const ShownCharacter character = NextShown(line.substr(at));
    if (at + character.byte_count > start + kLineBytesMax) break;
    excerpt.text += character.bytes;
    columns += character.columns;
    at += character.byte_count;
    // A span that begins inside a character begins with it.
    if (at <= caret) {
      columns_before = columns;
    } else if (at - character.byte_count < caret_end) {
      columns_under = columns - columns_before;
    }
  }
  if (at < line.size()) excerpt.text += kCut;
  excerpt.caret_columns_before = columns_before;
  excerpt.caret_columns = std::max<size_t>(columns_under, 1);
  return excerpt;
}

std::string Snippet(const Diagnostic& diagnostic, std::string_view line, const Paint& paint) {
  const std::string number = std::to_string(diagnostic.span.line);
  const std::string blank(number.size(), ' ');
  const Excerpt excerpt = ExcerptOf(line, diagnostic.span);
  std::string carets(excerpt.caret_columns, '^');
  if (!diagnostic.label.empty()) carets += ' ' + ShownText(diagnostic.label);

  std::string text = fmt::format(" {}{} |{}\n", paint.gutter, blank, paint.reset);
  text += fmt::format(" {}{} |{}{}{}\n", paint.gutter, number, paint.reset,
                      excerpt.text.empty() ? "" : " ", excerpt.text);
  text += fmt::format(" {}{} |{} {}{}{}{}\n", paint.gutter, blank, paint.reset,
                      std::string(excerpt.caret_columns_before, ' '), paint.severity, carets,
                      paint.reset);
  return text;
}

// Each error under `fault`, the nearest first.
std::vector<std::string> Causes(const Fault& fault) {
  std::vector<std::string> texts;
  const Status* cause = &fault.cause();
  while (!cause->ok() && texts.size() < kCausesMax) {
    const Fault* under = AttachedFault(*cause);
    texts.push_back(under != nullptr ? cause->message() : cause->ToStringWithoutContextLines());
    if (under == nullptr) break;
    cause = &under->cause();
  }
  return texts;
}

Json JsonOf(const Diagnostic& diagnostic) {
  Json json;
  json["severity"] = NameOf(diagnostic.severity);
  json["code"] = diagnostic.code == FaultCode{} ? "" : CodeName(diagnostic.code);
  json["message"] = diagnostic.message;
  json["file"] = diagnostic.source != nullptr ? diagnostic.source->name : "";
  json["line"] = diagnostic.span.line;
  json["column"] = diagnostic.span.column;
  json["length"] = diagnostic.span.length;
  json["label"] = diagnostic.label;
  json["notes"] = diagnostic.notes;
  json["help"] = diagnostic.help;
  return json;
}

Json JsonOf(const std::vector<Diagnostic>& diagnostics) {
  Json json = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) json.push_back(JsonOf(diagnostic));
  return json;
}

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

// Insertions, deletions, replacements and swaps of neighbours, so that "tabel" is one from "table".
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view WordOf(Blame blame) {
  switch (blame) {
    case Blame::kData:
      return "data";
    case Blame::kSchema:
      return "schema";
    case Blame::kConfig:
      return "config";
    case Blame::kAuth:
      return "auth";
    case Blame::kCapacity:
      return "capacity";
    case Blame::kTarget:
      return "target";
    case Blame::kSource:
      return "source";
    case Blame::kLease:
      return "lease";
    case Blame::kSignal:
      return "signal";
    case Blame::kOurs:
      return "ours";
  }
  return "ours";
}

std::string Render(const Diagnostic& diagnostic, const RenderStyle& style) {
  const Paint paint = PaintOf(diagnostic.severity, style);
  const bool placed = diagnostic.source != nullptr && diagnostic.span.known();
  const size_t number_width = placed ? std::to_string(diagnostic.span.line).size() : 1;
  std::string text = Header(diagnostic.severity, diagnostic.code, diagnostic.message, paint);

  bool snippet_shown = false;
  if (diagnostic.source != nullptr) {
    text += fmt::format("{}{}-->{} {}", std::string(number_width + 1, ' '), paint.gutter,
                        paint.reset, ShownText(diagnostic.source->name));
    if (placed) text += fmt::format(":{}:{}", diagnostic.span.line, diagnostic.span.column);
    text += '\n';
    const auto line = placed ? LineOf(diagnostic.source->text, diagnostic.span.line) : std::nullopt;
    if (line) {
      text += Snippet(diagnostic, *line, paint);
      snippet_shown = true;
    }
  }
  if (snippet_shown && (!diagnostic.notes.empty() || !diagnostic.help.empty())) {
    text += fmt::format("{}{}|{}\n", std::string(number_width + 2, ' '), paint.gutter, paint.reset);
  }
  for (const std::string& note : diagnostic.notes) {
    text += Footnote("note", note, number_width + 2, paint);
  }
  if (!diagnostic.help.empty()) {
    text += Footnote("help", diagnostic.help, number_width + 2, paint);
  }
  return text;
}

namespace {

// Where in the data: the other details are for programs, and for a fault without diagnostics.
constexpr auto kPlaces = std::to_array<std::string_view>(
    {"pipeline", "window", "partition", "slice", "column", "row", "rowid"});

/// The diagnostics of `fault`; notes of the last one say which window, which partition ..., unless
/// one of them says it.
std::vector<Diagnostic> WithDetails(const Fault& fault) {
  std::vector<Diagnostic> diagnostics = fault.diagnostics();
  std::string said;
  for (const Diagnostic& diagnostic : diagnostics) {
    said += fmt::format("{}\n{}\n{}\n{}\n", diagnostic.message, diagnostic.label,
                        fmt::join(diagnostic.notes, "\n"), diagnostic.help);
    if (diagnostic.source != nullptr) said += diagnostic.source->name + "\n";
  }
  for (const auto& [key, value] : fault.details()) {
    if (std::ranges::find(kPlaces, key) == kPlaces.end()) continue;
    if (said.find(value) != std::string::npos) continue;
    diagnostics.back().notes.push_back(key + ": " + value);
  }
  return diagnostics;
}

}  // namespace

std::string Render(const Fault& fault, const RenderStyle& style) {
  if (!fault.diagnostics().empty()) {
    std::string text;
    for (const Diagnostic& diagnostic : WithDetails(fault)) {
      if (!text.empty()) text += '\n';
      text += Render(diagnostic, style);
    }
    return text;
  }
  Diagnostic diagnostic;
  diagnostic.code = fault.code();
  diagnostic.message = fault.message();
  for (const auto& [key, value] : fault.details()) diagnostic.notes.push_back(key + ": " + value);
  for (const std::string& cause : Causes(fault)) diagnostic.notes.push_back("cause: " + cause);
  diagnostic.help = fault.help();
  return Render(diagnostic, style);
}

std::string RenderJson(const Fault& fault) {
  const FaultKind& kind = fault.kind();
  Json json;
  json["code"] = CodeName(fault.code());
  json["title"] = kind.title;
  json["blame"] = WordOf(kind.blame);
  json["retryable"] = kind.retryable;
  json["exit_status"] = kind.exit_status;
  json["message"] = fault.message();
  json["details"] = Json::object();
  for (const auto& [key, value] : fault.details()) {
    if (!json["details"].contains(key)) json["details"][key] = value;  // as Detail() answers
  }
  json["help"] = fault.help();
  json["cause"] = fmt::format("{}", fmt::join(Causes(fault), "; caused by: "));
  json["diagnostics"] = JsonOf(fault.diagnostics());
  return Dump(json);
}

std::string RenderJson(const Diagnostic& diagnostic) { return Dump(JsonOf(diagnostic)); }

std::string RenderJson(const std::vector<Diagnostic>& diagnostics) {
  return Dump(JsonOf(diagnostics));
}

std::string NearestName(const std::string& word, const std::vector<std::string>& candidates) {
  if (word.empty()) return {};
  const std::string wanted = Lowered(word);
  const size_t distance_max = std::max<size_t>(word.size() / 3, 1);
  std::string nearest;
  size_t nearest_distance = distance_max + 1;
  for (const std::string& candidate : candidates) {
    const size_t shorter = std::min(candidate.size(), wanted.size());
    if (std::max(candidate.size(), wanted.size()) - shorter >= nearest_distance) continue;
    const size_t distance = EditDistance(wanted, Lowered(candidate));
    if (distance >= nearest_distance) continue;
    nearest = candidate;
    nearest_distance = distance;
  }
  return nearest;
}

}  // namespace levada
