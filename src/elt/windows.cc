// The runs of a pipeline: its windows.

#include <algorithm>

#include "elt/option_problems.h"
#include "elt/plan.h"
#include "elt/window_calendar.h"

namespace levada::elt {
namespace {

std::string_view NameOf(Every every) {
  switch (every) {
    case Every::kMonth:
      return "month";
    case Every::kDay:
      return "day";
    case Every::kHour:
      break;
  }
  return "hour";
}

/// Window starts that the pipeline has: [first, last].
struct Range {
  WallMicros first;
  WallMicros last;
};

Range StartsOf(const WindowSpec& spec) {
  const WallMicros end = std::min(spec.end.value_or(kLastWindow), kLastWindow);
  return {spec.start, end - 1};
}

Fault NoSuchWindow(const WindowSpec& spec, const TimeZone& zone, const std::string& label) {
  const Range starts = StartsOf(spec);
  WallMicros near = starts.first;
  if (const std::optional<WrittenTime> time = ParseNearestTime(label)) {
    near = std::clamp(zone.FirstInstant(time->local), starts.first, starts.last);
  }
  const Window nearest = WindowAt(spec.every, zone, spec.timezone, near);
  const Window first = WindowAt(spec.every, zone, spec.timezone, starts.first);
  std::string range =
      "windows are " + std::string(NameOf(spec.every)) + "s from \"" + first.label + "\"";
  if (spec.end) {
    range += " to \"" + WindowAt(spec.every, zone, spec.timezone, starts.last).label + "\"";
  }
  return Fault(FaultCode::kBadWindow,
               "\"" + label + "\" is not a window of this pipeline: " + range)
      .Help(DidYouMean(nearest.label));
}

}  // namespace

RunInstance RunOf(const Plan& plan, std::optional<Window> window) {
  RunInstance run;
  run.pipeline = plan.name;
  run.plan_hash = plan.hash;
  run.once = plan.once;
  if (plan.increment)
    run.increment = Increment{1, plan.increment->column, plan.increment->after, {}};
  if (!window) return run;
  run.window_column = plan.window->column;
  const std::string& null_window = plan.window->null_window;
  if (null_window != "error") {
    run.null_window =
        null_window == window->label ? NullWindow::kThisWindow : NullWindow::kOtherWindow;
  }
  run.window = std::move(window);
  return run;
}

RunInstance SampleRun(const Plan& plan) {
  constexpr WallMicros kDay = std::chrono::microseconds(std::chrono::hours(24)).count();
  if (!plan.window) return RunOf(plan, std::nullopt);
  return RunOf(plan, Window{0, kDay, "1970-01-01", "UTC"});
}

Result<std::vector<Window>> ClosedWindows(const WindowSpec& spec, WallMicros now, size_t limit) {
  ARROW_ASSIGN_OR_RAISE(const TimeZone zone, TimeZone::Find(spec.timezone));
  const int64_t delay = std::chrono::ceil<std::chrono::microseconds>(spec.delay).count();
  const Range starts = StartsOf(spec);
  std::vector<Window> windows;
  WallMicros cursor = starts.first;
  while (cursor <= starts.last) {
    Window window = WindowAt(spec.every, zone, spec.timezone, cursor);
    if (window.end + delay > now) break;
    if (windows.size() == limit) {
      return Fault(FaultCode::kBadWindow,
                   "more than " + std::to_string(limit) + " windows are closed: each " +
                       std::string(NameOf(spec.every)) + " since \"" + windows.front().label + "\"")
          .Help("move start: to a later time, set end:, or make windows longer with every:");
    }
    cursor = window.end;
    windows.push_back(std::move(window));
  }
  return windows;
}

Result<Window> FirstWindow(const WindowSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const TimeZone zone, TimeZone::Find(spec.timezone));
  return WindowAt(spec.every, zone, spec.timezone, spec.start);
}

Result<Window> WindowByLabel(const WindowSpec& spec, const std::string& label) {
  ARROW_ASSIGN_OR_RAISE(const TimeZone zone, TimeZone::Find(spec.timezone));
  const std::optional<WrittenTime> time = ParseWrittenTime(label);
  if (!time) return NoSuchWindow(spec, zone, label);
  const WallMicros instant =
      time->offset ? time->local - *time->offset : zone.FirstInstant(time->local);
  const Range starts = StartsOf(spec);
  if (instant < kFirstWindow || instant >= kLastWindow) return NoSuchWindow(spec, zone, label);
  // A label with an offset starts where its hour does, or, cut by a transition, later within it.
  Window window = WindowAt(spec.every, zone, spec.timezone, instant);
  if (window.label != label && time->offset) {
    const TimeZone::Period period = zone.At(instant);
    const WallMicros edge = period.offset == *time->offset ? instant : period.end;
    window = WindowAt(spec.every, zone, spec.timezone, edge);
  }
  if (window.label != label || window.start < starts.first || window.start > starts.last) {
    return NoSuchWindow(spec, zone, label);
  }
  return window;
}

}  // namespace levada::elt
