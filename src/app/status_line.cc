#include "app/status_line.h"

#include <chrono>

#include "app/table.h"

namespace levada::app {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);

}  // namespace

StatusLine::StatusLine(Session& session)
    : session_(session),
      is_shown_(session.terminal().error_is_terminal && !session.line().quiet &&
                !session.line().json) {}

StatusLine::~StatusLine() {
  if (is_drawn_) WriteError("\r\x1b[K");
}

void StatusLine::Show(const std::function<std::string()>& text) {
  if (!is_shown_) return;
  const SteadyTime now = session_.clock().Steady();
  if (now - last_ < kRedraw) return;
  last_ = now;
  is_drawn_ = true;
  const Terminal& terminal = session_.terminal();
  WriteError("\r\x1b[K" + FitWidth(text(), ErrorWidthNow(terminal.width) - 1, terminal.utf8));
}

}  // namespace levada::app
