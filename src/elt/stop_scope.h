#pragma once
// StopScope: a stop of our own that also fires when the parent's does. One per attempt: a failing
// slice stops its siblings without stopping the run.

#include <stop_token>

#include "base/context.h"

namespace levada::elt {

class StopScope {
 public:
  explicit StopScope(const std::stop_token& parent) : follow_(parent, Forward{&source_}) {}
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  void Request() { source_.request_stop(); }
  std::stop_token token() const { return source_.get_token(); }
  /// `ctx` with this scope's stop.
  Context Enter(Context ctx) const {
    ctx.stop = token();
    return ctx;
  }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const noexcept { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> follow_;
};

}  // namespace levada::elt
