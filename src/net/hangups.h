#pragma once
// Hangups: SIGHUP, which asks a daemon to read its files again, as something that happens on the
// loop.

#include <functional>
#include <memory>

#include "base/fault.h"
#include "net/loop.h"

namespace levada::net {

/// While it lives SIGHUP does not end the process. One in a process; made and destroyed on the loop
/// or while it does not run, which it outlives.
class Hangups final {
 public:
  /// `work` runs on the loop, once for signals that come together. Errors: kInternal with "errno"
  /// when the process has no descriptor left.
  static Result<std::unique_ptr<Hangups>> Watch(Loop& loop, std::function<void()> work);
  ~Hangups();

 private:
  class State;
  explicit Hangups(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace levada::net
