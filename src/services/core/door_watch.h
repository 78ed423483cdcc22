#pragma once
// DoorWatch: hears of every request of one listener, for the daemon's log.

#include <string_view>

#include "net/http.h"
#include "services/core/request_log.h"

namespace levada::services {

/// On the loop.
class DoorWatch final : public net::ExchangeObserver {
 public:
  /// `door`, a constant of the program: "api". `log` outlives it.
  DoorWatch(std::string_view door, RequestLog& log) : door_(door), log_(log) {}

  void OnEnd(const net::Exchange& exchange) override { log_.Note(door_, exchange); }

 private:
  const std::string_view door_;
  RequestLog& log_;
};

}  // namespace levada::services
