#pragma once
// StatusLine: one line on standard error that says how far something is, drawn over again ten times
// a second. Only where people look: a terminal, without --quiet and --json.

#include <functional>
#include <string>

#include "app/session.h"

namespace levada::app {

/// One thread's. Its line is gone with it.
class StatusLine final {
 public:
  /// `session` outlives it.
  explicit StatusLine(Session& session);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// `text` is asked for when it is time to draw; cut to the terminal's width.
  void Show(const std::function<std::string()>& text);

 private:
  Session& session_;
  const bool is_shown_;
  bool is_drawn_ = false;
  SteadyTime last_{};
};

}  // namespace levada::app
