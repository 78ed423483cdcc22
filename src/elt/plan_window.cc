#include "elt/plan_window.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/quantity.h"
#include "elt/literal.h"
#include "elt/option_problems.h"
#include "elt/window_calendar.h"

namespace levada::elt {
namespace {

/// What has a meaning in each way to run.
constexpr auto kOfWindows = std::to_array<std::string_view>(
    {"every", "column", "start", "end", "timezone", "delay", "lookback", "null"});
constexpr auto kOfIncrements =
    std::to_array<std::string_view>({"mode", "column", "after", "lag", "timezone"});
constexpr auto kOfOnce = std::to_array<std::string_view>({"mode"});

std::optional<Every> EveryOf(const std::string& text) {
  if (text == "month") return Every::kMonth;
  if (text == "day") return Every::kDay;
  if (text == "hour") return Every::kHour;
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Options& run, std::vector<Diagnostic>& diagnostics)
      : run_(run), diagnostics_(diagnostics) {}

  std::optional<WindowSpec> Read() {
    WindowSpec spec;
    spec.column = run_.Text("column");
    spec.timezone = run_.Text("timezone");
    spec.delay = run_.Duration("delay");
    spec.lookback = static_cast<int>(run_.Integer("lookback"));
    spec.null_window = run_.Text("null");
    if (!run_.Has("every")) {
      Missing("every", "\"run\" needs \"every\": the length of a window",
              "add every: day, or mode: incremental for what came since the run before, or write "
              "run: once for the whole table once");
      return std::nullopt;
    }
    const std::optional<Every> every = EveryOf(run_.Text("every"));
    if (!every) return std::nullopt;  // reported by the validator
    spec.every = *every;
    if (spec.column.empty() && !WasSuggested(diagnostics_, "column")) {
      Problem(run_.Given("column") ? "column" : "every", FaultCode::kImpossiblePlan,
              "windows need \"column\": without it no row has a window",
              "for example: column: created_at");
    }
    const Result<TimeZone> zone = TimeZone::Find(spec.timezone);
    if (!zone.ok()) {
      const Fault fault = FaultOf(zone.status());
      Problem("timezone", FaultCode::kBadWindow, fault.message(), fault.help());
      return std::nullopt;
    }
    ReadBounds(*zone, spec);
    return spec;
  }

 private:
  void ReadBounds(const TimeZone& zone, WindowSpec& spec) {
    if (!run_.Has("start")) {
      Missing("start", "\"run\" needs \"start\": where the first window begins",
              "for example: start: 2026-01-01");
      return;
    }
    const std::optional<WallMicros> start = ReadTime("start", zone, spec);
    const std::optional<WallMicros> end =
        run_.Has("end") ? ReadTime("end", zone, spec) : std::nullopt;
    if (!start) return;
    spec.start = *start;
    spec.end = end;
    if (end && *end <= *start) {
      Problem("end", FaultCode::kBadWindow,
              "\"end\": expected a time after \"start\" (" + Quoted(run_.Text("start")) +
                  "), got " + Quoted(run_.Text("end")),
              "\"end\" is where the first window that is not run would start");
      return;
    }
    if (run_.Has("end") && !end) return;
    if (spec.null_window == "error") return;
    const Result<Window> takes = WindowByLabel(spec, spec.null_window);
    if (takes.ok()) return;
    const Fault fault = FaultOf(takes.status());
    Problem("null", FaultCode::kBadWindow,
            "\"null\": expected \"error\" or a window: " + fault.message(), fault.help());
  }

  /// The instant, if it is where a window starts.
  std::optional<WallMicros> ReadTime(const std::string& name, const TimeZone& zone,
                                     const WindowSpec& spec) {
    const std::string& text = run_.Text(name);
    const std::optional<WrittenTime> time = ParseWrittenTime(text);
    if (!time) {
      Problem(name, FaultCode::kBadWindow, Quoted(name) + ": expected a date, got " + Quoted(text),
              "for example: " + name + ": 2026-01-01, 2026-01 or 2026-01-01T05:00");
      return std::nullopt;
    }
    const WallMicros instant =
        time->offset ? time->local - *time->offset : zone.FirstInstant(time->local);
    const WallMicros bounded = std::clamp(instant, kFirstWindow, kLastWindow - 1);
    const Window window = WindowAt(spec.every, zone, spec.timezone, bounded);
    // The first hour of a day may be skipped by the clock; the day is still there.
    const Window meant = WindowAt(spec.every, TimeZone::Utc(), "UTC", time->local);
    if (!time->offset && zone.ToLocal(bounded) != time->local &&
        !window.label.starts_with(meant.label)) {
      Problem(name, FaultCode::kBadWindow,
              Quoted(name) + ": the clock of " + spec.timezone + " never shows " + Quoted(text),
              "for example: " + name + ": " + window.label);
      return std::nullopt;
    }
    if (window.start != instant) {
      Problem(name, FaultCode::kBadWindow,
              Quoted(name) + ": no " + run_.Text("every") + " starts at " + Quoted(text),
              "for example: " + name + ": " + window.label);
      return std::nullopt;
    }
    return instant;
  }

  void Missing(const std::string& name, std::string message, std::string help) {
    if (WasSuggested(diagnostics_, name)) return;
    Problem("", FaultCode::kMissingKey, std::move(message), std::move(help));
  }

  /// One message for one place: what the validator refused is not judged again.
  void Problem(const std::string& name, FaultCode code, std::string message, std::string help) {
    Diagnostic problem = run_.ErrorAt(name, code, std::move(message), std::move(help));
    if (!IsReported(diagnostics_, problem.span)) AddProblem(diagnostics_, std::move(problem));
  }

  const Options& run_;
  std::vector<Diagnostic>& diagnostics_;
};

/// A whole number, a date or a time: what a column that grows may hold.
bool IsMark(const std::string& text) {
  return ParseIntegerLiteral(text).ok() || ParseDateLiteral(text).ok() ||
         ParseDateTimeLiteral(text).ok();
}

bool IsDistance(const std::string& text) {
  const Literal<int64_t> number = ParseIntegerLiteral(text);
  return number.ok() ? number.value >= 0 : ParseDuration(text).ok();
}

IncrementSpec ReadIncrements(const Options& run, std::vector<Diagnostic>& diagnostics) {
  const auto refuse = [&](const char* name, FaultCode code, std::string message, std::string help) {
    Diagnostic problem = run.ErrorAt(name, code, std::move(message), std::move(help));
    if (!IsReported(diagnostics, problem.span)) AddProblem(diagnostics, std::move(problem));
  };
  IncrementSpec spec;
  spec.column = run.Text("column");
  spec.lag = run.Text("lag");
  spec.timezone = run.Text("timezone");
  if (run.Given("after")) spec.after = run.Text("after");
  if (spec.column.empty() && !WasSuggested(diagnostics, "column")) {
    refuse(run.Given("column") ? "column" : "mode", FaultCode::kMissingKey,
           "mode: incremental needs \"column\": the one whose values only grow",
           "for example: column: id, or column: created_at");
  }
  if (spec.after && !IsMark(*spec.after)) {
    refuse("after", FaultCode::kBadValue,
           "\"after\": expected a whole number, a date or a time, got " + Quoted(*spec.after),
           "for example: after: 1000, or after: 2026-01-01");
  }
  if (run.Given("lag") && !IsDistance(spec.lag)) {
    refuse("lag", FaultCode::kBadValue,
           "\"lag\": expected a duration or a number, got " + Quoted(spec.lag),
           "for example: lag: 5m for a time, lag: 1000 for a whole number");
  }
  if (const Result<TimeZone> zone = TimeZone::Find(spec.timezone); !zone.ok()) {
    const Fault fault = FaultOf(zone.status());
    refuse("timezone", FaultCode::kBadWindow, fault.message(), fault.help());
  }
  return spec;
}

/// Everything that was written and is not `allowed`.
void RefuseOthers(const Options& run, std::span<const std::string_view> allowed,
                  const std::string& way, const std::string& help,
                  std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string_view> all(kOfWindows.begin(), kOfWindows.end());
  all.insert(all.end(), kOfIncrements.begin(), kOfIncrements.end());
  for (const std::string_view name : all) {
    if (!run.Given(name) || std::ranges::find(allowed, name) != allowed.end()) continue;
    Diagnostic problem =
        run.ErrorAt(name, FaultCode::kImpossiblePlan,
                    "\"" + std::string(name) + "\" has no meaning with " + way, help);
    if (!IsReported(diagnostics, problem.span)) AddProblem(diagnostics, std::move(problem));
  }
}

}  // namespace

RunMode ReadRunMode(const Options& run, std::vector<Diagnostic>& diagnostics) {
  RunMode mode;
  if (!run.Has("")) return mode;
  if (!run.Has("mode")) {
    mode.window = Reader(run, diagnostics).Read();
    RefuseOthers(run, kOfWindows, "windows", "remove it, or add mode: incremental", diagnostics);
    return mode;
  }
  if (run.Text("mode") == "incremental") {
    mode.increment = ReadIncrements(run, diagnostics);
    RefuseOthers(run, kOfIncrements, "mode: incremental", "remove it, or remove mode: incremental",
                 diagnostics);
    return mode;
  }
  mode.once = true;
  RefuseOthers(run, kOfOnce, "run: once", "remove it, or remove mode: once", diagnostics);
  return mode;
}

}  // namespace levada::elt
