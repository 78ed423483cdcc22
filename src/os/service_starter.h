#pragma once
// What a service tells the one that started it: systemd, or whoever speaks its protocol.
//
// Source: sd_notify(3), systemd.exec(5) on JOURNAL_STREAM.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::os {

/// Reads a variable of the environment.
using Variable = std::function<std::optional<std::string>(const std::string& name)>;

/// Thread-safe.
class ServiceStarter final {
 public:
  explicit ServiceStarter(const Variable& variable)
      : address_(variable("NOTIFY_SOCKET").value_or("")) {}

  // OK also when nobody wants to be told. Errors: kTargetIo.
  Status Ready() const { return Notify("READY=1"); }
  /// Behind it Ready is said again.
  Status Reloading() const;
  Status Stopping() const { return Notify("STOPPING=1"); }

 private:
  Status Notify(std::string_view state) const;
  const std::string address_;  ///< empty: nobody
};

/// Whether standard output goes to the system's journal, which more people read than the terminal
/// of whoever starts a program.
bool IsOutputJournal(const Variable& variable);

}  // namespace levada::os
