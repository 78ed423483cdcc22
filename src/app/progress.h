#pragma once
// Progress: the live display of a run on standard error, redrawn ten times a second on a terminal;
// log events every five seconds elsewhere; nothing when quiet.
//
// It shares the terminal with the log: the logger takes the display away before a line and puts it
// back after (Hooks). The cursor is never hidden, so there is nothing to restore after a crash.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "app/progress_model.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "base/log.h"
#include "elt/observer.h"

namespace levada::app {

enum class ProgressMode : uint8_t { kLive, kEvents, kNone };

/// Thread-safe, as an observer must be. `clock` outlives it; so does the logger once attached.
class Progress final : public elt::RunObserver {
 public:
  Progress(ProgressMode mode, const Terminal& terminal, const Clock& clock);
  ~Progress() override;

  /// For the logger on the same terminal; valid as long as this is.
  LogHooks Hooks();
  /// Where kEvents go; before the first run.
  void Attach(Logger& logger) { logger_ = &logger; }

  void InvocationBegins(const std::string& pipeline, int runs_to_do, int runs_published) override;
  void RunBegins(const elt::RunView& run) override;
  void AttemptBegins(const std::string& label, const std::string& partition, int attempt,
                     const Counters* counters) override;
  void AttemptEnds(const std::string& label, const std::string& partition, const Counters* counters,
                   const Status& status, int64_t retry_in_ms) override;
  void RunEnds(const std::string& label, elt::RunOutcome outcome, const Status& status) override;
  /// Takes the display away until the next invocation.
  void InvocationEnds();

 private:
  void Repeat(const std::stop_token& stop);
  void Draw();   ///< with mutex_ held
  void Erase();  ///< with mutex_ held
  void LogEvent();

  const ProgressMode mode_;
  const Terminal terminal_;
  const Clock& clock_;
  Logger* logger_ = nullptr;

  std::mutex mutex_;
  ProgressModel model_;
  size_t lines_drawn_ = 0;
  std::condition_variable_any wake_;
  std::jthread thread_;  // tidy: allow the display must move while the engine works
};

}  // namespace levada::app
