#pragma once
// Diagnostics: messages that point at a place in a text the user wrote, rendered the way rustc
// does.
//
//     error[LV1002]: unknown key "tabel"
//       --> orders.yaml:4:5
//        |
//      4 |     tabel: public.orders
//        |     ^^^^^ not an option of consumer "postgres"
//        |
//        = help: did you mean "table"?

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace levada {

enum class FaultCode : uint16_t;
enum class Blame : uint8_t;
class Fault;

/// A text that spans point into: a pipeline file or a command line argument. Immutable, shared by
/// the spans.
struct SourceText {
  std::string name;  ///< the path as the user wrote it, or "<command line>"
  std::string text;
};

/// A half-open range of one line. line and column count from 1; column and length in bytes. line 0:
/// nowhere.
struct Span {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 1;
  bool known() const { return line != 0; }
};

enum class Severity : uint8_t { kError, kWarning, kNote };

/// One message about one place.
struct Diagnostic {
  Severity severity = Severity::kError;
  FaultCode code{};
  std::string message;
  std::shared_ptr<const SourceText> source;  ///< null: no place to show
  Span span;
  std::string label;               ///< beside the caret; may be empty
  std::vector<std::string> notes;  ///< each a line "= note: ..."
  std::string help;                ///< "= help: ..."; may be empty
};

/// How to render for a person: `color` only on a terminal and without NO_COLOR.
struct RenderStyle {
  bool color = false;
};

/// Ends with a newline. Control characters of the source line are shown as spaces, lines over 160
/// bytes are cut around the caret, so that a hostile file cannot garble a terminal.
std::string Render(const Diagnostic& diagnostic, const RenderStyle& style);

/// A fault as text: its diagnostics if it has any, else one "error[LV2001]: ..." with notes for
/// details, cause and help.
std::string Render(const Fault& fault, const RenderStyle& style);
/// One JSON object on one line (no newline): code, title, blame, retryable, exit_status, message,
/// details, help, cause, diagnostics[{severity, code, message, file, line, column, length, label,
/// notes, help}]. Invalid UTF-8 is replaced.
std::string RenderJson(const Fault& fault);
/// One of those in `diagnostics`, and a list of them.
std::string RenderJson(const Diagnostic& diagnostic);
std::string RenderJson(const std::vector<Diagnostic>& diagnostics);

/// "data", "schema", "config", ...: `blame` as RenderJson says it.
std::string_view WordOf(Blame blame);

/// The candidate nearest to `word` by edit distance (at most a third of its length, at least 1,
/// case-insensitive), or empty. Ties go to the earlier candidate.
std::string NearestName(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace levada
