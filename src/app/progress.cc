#include "app/progress.h"

#include <fmt/format.h>

#include <cmath>

#include "app/progress_text.h"
#include "app/report_text.h"

namespace levada::app {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kEventEvery{5};

}  // namespace

Progress::Progress(ProgressMode mode, const Terminal& terminal, const Clock& clock)
    : mode_(mode), terminal_(terminal), clock_(clock) {
  if (mode_ == ProgressMode::kNone) return;
  // tidy: allow see progress.h
  thread_ = std::jthread([this](const std::stop_token& stop) { Repeat(stop); });
}

Progress::~Progress() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  Erase();
}

LogHooks Progress::Hooks() {
  if (mode_ != ProgressMode::kLive) return {};
  LogHooks hooks;
  hooks.state = this;
  hooks.before_line = [](void* state) {
    auto& self = *static_cast<Progress*>(state);
    self.mutex_.lock();
    self.Erase();
  };
  hooks.after_line = [](void* state) {
    auto& self = *static_cast<Progress*>(state);
    self.Draw();
    self.mutex_.unlock();
  };
  return hooks;
}

void Progress::InvocationBegins(const std::string& pipeline, int runs_to_do, int) {
  std::lock_guard lock(mutex_);
  model_.InvocationBegins(pipeline, runs_to_do, clock_.Steady());
}

void Progress::RunBegins(const elt::RunView& run) {
  std::lock_guard lock(mutex_);
  model_.RunBegins(run, clock_.Steady());
}

void Progress::AttemptBegins(const std::string& label, const std::string&, int,
                             const Counters* counters) {
  std::lock_guard lock(mutex_);
  model_.AttemptBegins(label, counters);
}

void Progress::AttemptEnds(const std::string& label, const std::string&, const Counters* counters,
                           const Status& status, int64_t retry_in_ms) {
  std::lock_guard lock(mutex_);
  model_.AttemptEnds(label, counters, status, retry_in_ms, clock_.Steady());
}

void Progress::RunEnds(const std::string& label, elt::RunOutcome outcome, const Status& status) {
  std::unique_lock lock(mutex_);
  const std::optional<ProgressView> view = model_.Look(clock_.Steady());
  const RunProgress run = model_.RunEnds(label, clock_.Steady());
  lock.unlock();  // the logger has a lock of its own
  if (mode_ != ProgressMode::kEvents || logger_ == nullptr || !view) return;
  const double seconds = std::chrono::duration<double>(run.age).count();
  logger_->Info("run ended", {{"pipeline", view->pipeline},
                              {"window", label},
                              {"outcome", std::string(NameOf(outcome))},
                              {"code", status.ok() ? "" : CodeName(CodeOf(status))},
                              {"rows_read", run.rows},
                              {"seconds", std::round(seconds * 1000) / 1000}});
}

void Progress::InvocationEnds() {
  std::lock_guard lock(mutex_);
  model_.InvocationEnds();
  Erase();
}

void Progress::Repeat(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  SteadyTime next_event = clock_.Steady() + kEventEvery;
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, kRedraw, [] { return false; });
    if (stop.stop_requested()) return;
    if (mode_ == ProgressMode::kLive) {
      Draw();
      continue;
    }
    model_.Look(clock_.Steady());  // rates are between two looks
    if (clock_.Steady() >= next_event) {
      next_event = clock_.Steady() + kEventEvery;
      lock.unlock();  // the logger has a lock of its own
      LogEvent();
      lock.lock();
    }
  }
}

void Progress::Draw() {
  const std::optional<ProgressView> view = model_.Look(clock_.Steady());
  if (!view) return;
  ProgressStyle style;
  style.color = terminal_.error_color;
  style.utf8 = terminal_.utf8;
  style.width = ErrorWidthNow(terminal_.width);
  const std::vector<std::string> lines = ProgressLines(*view, style);
  // One write: a terminal that shows half of it would flicker.
  std::string frame;
  if (lines_drawn_ > 1) frame += fmt::format("\x1b[{}A", lines_drawn_ - 1);
  frame += "\r";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) frame += "\n";
    frame += lines[i];
    frame += "\x1b[K";
  }
  if (lines.size() < lines_drawn_) frame += "\x1b[J";
  lines_drawn_ = lines.size();
  WriteError(frame);
}

void Progress::Erase() {
  if (lines_drawn_ == 0) return;
  std::string frame;
  if (lines_drawn_ > 1) frame += fmt::format("\x1b[{}A", lines_drawn_ - 1);
  WriteError(frame + "\r\x1b[J");
  lines_drawn_ = 0;
}

void Progress::LogEvent() {
  std::optional<ProgressView> view;
  {
    std::lock_guard lock(mutex_);
    view = model_.Look(clock_.Steady());
  }
  if (!view || logger_ == nullptr) return;
  const double percent = view->fraction ? std::floor(*view->fraction * 1000) / 10 : -1;
  const double left =
      view->time_left ? std::chrono::duration<double>(*view->time_left).count() : -1;
  logger_->Info("progress", {{"pipeline", view->pipeline},
                             {"windows_done", int64_t{view->runs_done}},
                             {"windows_total", int64_t{view->runs_total}},
                             {"rows_read", view->rows},
                             {"rows_per_second", std::round(view->rows_per_second)},
                             {"bytes_per_second", std::round(view->bytes_per_second)},
                             {"percent", percent},
                             {"seconds_left", std::ceil(left)},
                             {"limited_by", std::string(NameOf(view->bottleneck))}});
}

}  // namespace levada::app
