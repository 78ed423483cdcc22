#pragma once
// ShellInput: the lines that a shell is given, from a terminal, a pipe, a file, or its command
// line. On a terminal the kernel edits the line; Ctrl-C takes it back instead of ending the
// program.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"

namespace levada::app {

struct ShellLine {
  std::string text;           ///< without its end
  bool is_cancelled = false;  ///< by Ctrl-C; the text is of no interest
};

/// One thread. Lines are of any length; who reads them stops at what is too much.
class ShellInput {
 public:
  virtual ~ShellInput() = default;
  /// The next line; nullopt behind the last. kStopped when the program is to end, kTargetIo.
  virtual Result<std::optional<ShellLine>> Next() = 0;
};

/// Standard input. As long as it lives, a terminal there hands Ctrl-C over as a byte.
std::unique_ptr<ShellInput> StandardInput(const Context& ctx);
bool IsInputTerminal();
/// kFileUnreadable when it cannot be opened.
Result<std::unique_ptr<ShellInput>> FileInput(os::Disk& disk, const std::string& path);
std::unique_ptr<ShellInput> TextInput(std::string text);

}  // namespace levada::app
