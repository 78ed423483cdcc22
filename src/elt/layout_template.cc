// Texts that name facts of the run: "day={run.start:%Y-%m-%d}".

#include <optional>

#include "elt/option_problems.h"
#include "elt/plan.h"
#include "elt/window_calendar.h"

namespace levada::elt {
namespace {

constexpr size_t kNowhere = std::string_view::npos;
constexpr std::string_view kFormatHelp =
    "known are %Y %m %d %H %M %S %j (day of the year), %F (%Y-%m-%d) and %%";

Fault BadLayout(std::string message, std::string_view help) {
  return Fault(FaultCode::kBadLayout, std::move(message)).Help(std::string(help));
}

Result<std::string> FormatTime(std::string_view format, const CivilTime& time) {
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    const char letter = ++i < format.size() ? format[i] : '\0';
    switch (letter) {
      case 'Y':
        text += Padded(time.year, 4);
        break;
      case 'm':
        text += Padded(time.month, 2);
        break;
      case 'd':
        text += Padded(time.day, 2);
        break;
      case 'H':
        text += Padded(time.hour, 2);
        break;
      case 'M':
        text += Padded(time.minute, 2);
        break;
      case 'S':
        text += Padded(time.second, 2);
        break;
      case 'j':
        text += Padded(time.day_of_year, 3);
        break;
      case 'F':
        text += Padded(time.year, 4) + "-" + Padded(time.month, 2) + "-" + Padded(time.day, 2);
        break;
      case '%':
        text += '%';
        break;
      default: {
        const std::string shown = letter == '\0' ? "%" : std::string("%") + letter;
        return BadLayout("unknown time format \"" + shown + "\" in " + Quoted(format), kFormatHelp);
      }
    }
  }
  return text;
}

Result<std::string> ExpandField(std::string_view field, const RunInstance& run) {
  const size_t colon = field.find(':');
  const std::string_view name = field.substr(0, colon);
  if (name == "pipeline" && colon == kNowhere) return run.pipeline;
  if (name != "run.start" && name != "run.end" && name != "run.label") {
    const std::string nearest =
        NearestName(std::string(name), {"run.start", "run.end", "run.label", "pipeline"});
    return BadLayout("unknown name: \"{" + std::string(name) + "}\"",
                     nearest.empty()
                         ? "known are {run.start:%Y-%m-%d}, {run.end:...}, {run.label} and "
                           "{pipeline}"
                         : "did you mean {" + nearest + "}?");
  }
  if (name == "run.label" && (run.window || run.increment)) {
    if (colon != kNowhere) {
      return BadLayout("{run.label} takes no format, got " + Quoted(field), "write {run.label}");
    }
    return run.Label();
  }
  if (!run.window) {
    return BadLayout("\"{" + std::string(field) + "}\" in a pipeline without windows",
                     "add run: { every: day, ... }, or leave it out");
  }
  if (colon == kNowhere || colon + 1 == field.size()) {
    return BadLayout("{" + std::string(name) + "} needs a format",
                     "for example {" + std::string(name) + ":%Y-%m-%d}");
  }
  ARROW_ASSIGN_OR_RAISE(const TimeZone zone, TimeZone::Find(run.window->timezone));
  const WallMicros instant = name == "run.start" ? run.window->start : run.window->end;
  return FormatTime(field.substr(colon + 1), ToCivil(zone.ToLocal(instant)));
}

}  // namespace

Result<std::string> ExpandTemplate(std::string_view text, const RunInstance& run) {
  std::string expanded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      expanded += text[i++];
    } else if (text[i] == '{') {
      const size_t close = text.find('}', i);
      if (close == kNowhere) {
        return BadLayout("a \"{\" that is never closed in " + Quoted(text),
                         "close it with }; {{ stands for a brace");
      }
      ARROW_ASSIGN_OR_RAISE(const std::string field,
                            ExpandField(text.substr(i + 1, close - i - 1), run));
      expanded += field;
      i = close;
    } else if (text[i] == '}') {
      return BadLayout("a \"}\" that nothing opened in " + Quoted(text), "}} stands for a brace");
    } else {
      expanded += text[i];
    }
  }
  return expanded;
}

}  // namespace levada::elt
