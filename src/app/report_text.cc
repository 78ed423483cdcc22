#include "app/report_text.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>

#include "app/terminal.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

using elt::RunInstanceReport;
using elt::RunOutcome;

std::string_view MarkOf(RunOutcome outcome, const Paint& paint) {
  if (outcome == RunOutcome::kFailed) return paint.red;
  return outcome == RunOutcome::kInterrupted ? paint.yellow : std::string_view();
}

/// Which runs to show one by one: all, or those that failed and the newest.
std::vector<const RunInstanceReport*> ShownRuns(const elt::RunReport& report) {
  std::vector<const RunInstanceReport*> shown;
  const size_t count = report.runs.size();
  for (size_t i = 0; i < count; ++i) {
    const bool newest = i + kWindowsShownMax >= count;
    if (newest || !report.runs[i].status.ok()) shown.push_back(&report.runs[i]);
  }
  return shown;
}

std::string RunTable(const elt::RunReport& report, std::string_view run_word,
                     const TableStyle& style) {
  const Paint paint(style.color);
  Table table({{std::string(run_word)},
               {"outcome"},
               {"rows", Align::kRight},
               {"files", Align::kRight},
               {"size", Align::kRight},
               {"time", Align::kRight},
               {"error", Align::kLeft, true, true}});
  const std::vector<const RunInstanceReport*> shown = ShownRuns(report);
  for (const RunInstanceReport* run : shown) {
    std::string error;
    if (run->outcome == RunOutcome::kFailed) {
      const Fault fault = FaultOf(run->status);
      error = fmt::format("{} {}", CodeName(fault.code()), fault.message());
    }
    table.AddRow({run->label, std::string(NameOf(run->outcome)), FormatCount(run->rows),
                  FormatCount(run->files), FormatBytes(run->bytes),
                  FormatDuration(std::chrono::nanoseconds(run->elapsed_ns)), error},
                 MarkOf(run->outcome, paint));
  }
  std::string text = table.Render(style);
  if (shown.size() < report.runs.size()) {
    text +=
        fmt::format("and {} before, all published\n",
                    FormatCount(static_cast<int64_t>(report.runs.size() - shown.size()), run_word));
  }
  return text;
}

/// "; 12 rejected, 3 discarded": rows that were read and are not in the data, and values.
std::string LeftOut(const elt::RunReport& report) {
  int64_t rejected = 0, discarded = 0, values = 0;
  for (const RunInstanceReport& run : report.runs) {
    for (const elt::PartitionReport& partition : run.partitions) {
      rejected += partition.rows_rejected;
      discarded += partition.rows_filtered;
      values += partition.values_discarded;
    }
  }
  std::string text;
  if (rejected > 0) text += fmt::format("; {} rejected, kept aside", FormatCount(rejected));
  if (discarded > 0) text += fmt::format("; {} discarded", FormatCount(discarded));
  if (values > 0) text += "; " + FormatCount(values, "value") + " became NULL";
  return text;
}

/// "orders: 30 windows published", and in lines of their own how much and how fast.
std::string Headline(const elt::RunReport& report, std::string_view run_word, const Paint& paint) {
  const auto published = static_cast<int64_t>(
      std::ranges::count(report.runs, RunOutcome::kPublished, &RunInstanceReport::outcome));
  const bool ok = report.status.ok();
  std::string what = ok ? "published" : "not finished";
  if (!run_word.empty()) what = FormatCount(published, run_word) + " published";
  const double seconds = static_cast<double>(report.elapsed_ns) / 1e9;
  std::string speed;
  if (report.rows > 0 && seconds > 0) {
    speed = fmt::format(", {} rows/s", FormatRate(static_cast<double>(report.rows) / seconds));
  }
  std::string rows = FormatCount(report.rows);
  // A table has none.
  if (report.files > 0) {
    rows += fmt::format(" in {}, {}", FormatCount(report.files, "file"), FormatBytes(report.bytes));
  }
  rows += LeftOut(report);
  return fmt::format("{}{}{}: {}\n  rows    {}\n  time    {}{}, peak memory {}\n",
                     ok ? paint.green : paint.red, report.pipeline, paint.reset, what, rows,
                     FormatDuration(std::chrono::nanoseconds(report.elapsed_ns)), speed,
                     FormatBytes(report.peak_memory_bytes));
}

}  // namespace

std::string SummaryText(const elt::RunReport& report, std::string_view run_word,
                        const std::string& report_path, const TableStyle& style) {
  const Paint paint(style.color);
  std::string text;
  if (!run_word.empty() && !report.runs.empty()) text += RunTable(report, run_word, style) + "\n";
  text += Headline(report, run_word, paint);
  for (const std::string& target : report.targets) text += fmt::format("  target  {}\n", target);
  if (!report_path.empty()) text += fmt::format("  report  {}\n", report_path);
  if (report.runs_published_before > 0) {
    text += fmt::format("  {} {} published before\n",
                        FormatCount(report.runs_published_before, run_word),
                        report.runs_published_before == 1 ? "was" : "were");
  }
  for (const std::string& relaxed : report.relaxed) {
    text += fmt::format("  {}given up{}: {}\n", paint.yellow, paint.reset, relaxed);
  }
  for (const RunInstanceReport& run : report.runs) {
    if (run.snapshots.size() > 1) {
      text +=
          fmt::format("  {} was read at {} moments: rows that changed in between may not agree\n",
                      run.label, run.snapshots.size());
    }
  }
  return text;
}

std::string BeyondLagText(const elt::Plan& plan, const elt::Prepared& prepared) {
  const auto& schema = prepared.source.schema;
  const auto field = schema == nullptr ? nullptr : schema->GetFieldByName(plan.increment->column);
  const bool is_time = field != nullptr && !arrow::is_integer(field->type()->id());
  return plan.increment->lag.empty() && !is_time ? "" : " older than the lag";
}

std::string NothingToDoText(const elt::Plan& plan, const elt::Prepared& prepared, bool only_begun) {
  if (only_begun) return fmt::format("{}: nothing was begun and not finished\n", plan.name);
  if (plan.increment) {
    return fmt::format("{}: {}{}\n", plan.name,
                       prepared.runs.empty() ? "nothing to do yet, the source has no rows"
                                             : "nothing left to do, there are no new rows",
                       BeyondLagText(plan, prepared));
  }
  if (!plan.window) return fmt::format("{}: nothing left to do, it is published\n", plan.name);
  if (prepared.runs.empty()) {
    return fmt::format("{}: nothing to do yet, no window is closed\n", plan.name);
  }
  const auto windows = static_cast<int64_t>(prepared.runs.size());
  return fmt::format("{}: nothing left to do, {} {} published\n", plan.name,
                     FormatCount(windows, "window"), windows == 1 ? "is" : "are");
}

}  // namespace levada::app
