#pragma once
// Terminal: what is at the other end of standard output and standard error, and writing to them
// whole. Data goes to standard output, talk to standard error.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::app {

struct Terminal {
  bool output_is_terminal = false;
  bool error_is_terminal = false;
  bool output_color = false;
  bool error_color = false;
  bool utf8 = false;  ///< characters beyond ASCII may be drawn
  int width = 80;     ///< columns of whichever of the two is a terminal
};

using VariableReader = std::function<std::optional<std::string>(const std::string& name)>;

/// A variable of this process's environment.
std::optional<std::string> ProcessVariable(const std::string& name);

/// Colours: never with `no_color`, a non-empty NO_COLOR or TERM=dumb, else where a terminal is.
/// LC_ALL, LC_CTYPE and LANG, in this order, say whether it draws UTF-8.
Terminal DetectTerminal(const VariableReader& variable, bool no_color);

/// The columns of the terminal on standard error now: it may have been resized. `otherwise` when
/// there is none.
int ErrorWidthNow(int otherwise);

/// Writes all of `text`. A reader that went away (EPIPE) is no error: it has seen enough.
Status WriteOutput(std::string_view text);
/// The same to standard error; failures have nowhere to go.
void WriteError(std::string_view text);

/// Marks for text: each is empty without colour.
struct Paint {
  explicit Paint(bool color);
  std::string_view bold, dim, red, green, yellow, cyan, reset;
};

}  // namespace levada::app
