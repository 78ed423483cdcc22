#include "app/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/table.h"
#include "app/terminal.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

constexpr int kBarCells = 24;
constexpr int kBarCellsNarrow = 10;
constexpr int kNarrow = 60;
constexpr int kOneLine = 110;  // narrower than this the speed has a line of its own
constexpr std::chrono::milliseconds kShowAfter{700};  // shorter runs would only flicker

std::string Repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string Bar(double fraction, const ProgressStyle& style, const Paint& paint) {
  const int cells = style.width < kNarrow ? kBarCellsNarrow : kBarCells;
  const int full = std::clamp(static_cast<int>(fraction * cells), 0, cells);
  if (!style.utf8) return fmt::format("[{}{}]", Repeated("#", full), Repeated(".", cells - full));
  return fmt::format("{}{}{}{}{}", paint.cyan, Repeated("━", full), paint.dim,
                     Repeated("─", cells - full), paint.reset);
}

/// Text and its escape sequences, cut where the terminal ends.
class Line {
 public:
  Line(const ProgressStyle& style, const Paint& paint) : style_(style), paint_(paint) {}

  /// Adds two spaces and `text`, unless the line would become too long; then nothing more is added.
  void Add(std::string_view text, std::string_view mark = {}) {
    const int gap = line_.find_first_not_of(' ') == std::string::npos ? 0 : 2;
    const int width = DisplayWidth(text) + gap;
    if (full_ || cells_ + width > style_.width - 1) {
      if (cells_ == 0) line_ = FitWidth(text, style_.width - 1, style_.utf8);
      full_ = true;
      return;
    }
    line_.append(static_cast<size_t>(gap), ' ');
    line_ += mark;
    line_ += text;
    if (!mark.empty()) line_ += paint_.reset;
    cells_ += width;
  }

  void Indent() {
    line_ = "  ";
    cells_ = 2;
  }

  void AddBar(double fraction) {
    const std::string bare = Bar(fraction, style_, Paint(false));
    const int width = DisplayWidth(bare) + 2;
    if (full_ || cells_ + width > style_.width - 1) return;
    line_ += "  " + Bar(fraction, style_, paint_);
    cells_ += width;
  }

  std::string Take() { return std::move(line_); }

 private:
  const ProgressStyle& style_;
  const Paint& paint_;
  std::string line_;
  int cells_ = 0;
  bool full_ = false;
};

/// Rounded down: 100 % would say that it is done.
std::string Percent(double fraction) {
  return fmt::format("{:3.0f} %", std::floor(fraction * 100));
}

void AddSpeed(const ProgressView& view, const Paint& paint, Line& line) {
  line.Add(fmt::format("{} rows", FormatCount(view.rows)));
  if (view.rows_per_second > 0) {
    line.Add(fmt::format("{} rows/s", FormatRate(view.rows_per_second)));
  }
  if (view.bytes_per_second > 0) {
    line.Add(fmt::format("{}/s", FormatBytes(static_cast<int64_t>(view.bytes_per_second))));
  }
  if (view.time_left) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(*view.time_left);
    line.Add(fmt::format("{} left", FormatDuration(left)));
  }
  if (view.bottleneck != Bottleneck::kUnknown) {
    line.Add(fmt::format("limited by {}", NameOf(view.bottleneck)), paint.dim);
  }
}

std::vector<std::string> PipelineLines(const ProgressView& view, const ProgressStyle& style,
                                       const Paint& paint) {
  Line line(style, paint);
  line.Add(view.pipeline, paint.bold);
  if (view.fraction) {
    line.AddBar(*view.fraction);
    line.Add(Percent(*view.fraction));
  }
  if (view.runs_total > 1) line.Add(fmt::format("{}/{} windows", view.runs_done, view.runs_total));
  // By the width alone, so that the display does not jump between one line and two.
  if (style.width >= kOneLine) {
    AddSpeed(view, paint, line);
    return {line.Take()};
  }
  Line second(style, paint);
  second.Indent();
  AddSpeed(view, paint, second);
  return {line.Take(), second.Take()};
}

std::string RunLine(const RunProgress& run, const ProgressStyle& style, const Paint& paint) {
  Line line(style, paint);
  line.Add("  " + run.label);
  if (run.fraction) line.Add(Percent(*run.fraction));
  line.Add(fmt::format("{} rows", FormatCount(run.rows)));
  if (run.partitions_total > 1) {
    line.Add(fmt::format("{}/{} partitions", run.partitions_done, run.partitions_total));
  }
  if (!run.trouble.empty()) line.Add(run.trouble, paint.yellow);
  return line.Take();
}

}  // namespace

std::vector<std::string> ProgressLines(const ProgressView& view, const ProgressStyle& style) {
  const Paint paint(style.color);
  std::vector<std::string> lines = PipelineLines(view, style, paint);
  const size_t lines_max = lines.size() + kRunLinesMax;
  for (const RunProgress& run : view.runs) {
    // A single run without anything special is the pipeline's line already.
    const bool adds = view.runs_total > 1 || run.partitions_total > 1 || !run.trouble.empty();
    if (!adds || (run.age < kShowAfter && run.trouble.empty())) continue;
    if (lines.size() == lines_max) break;
    lines.push_back(RunLine(run, style, paint));
  }
  return lines;
}

}  // namespace levada::app
