#pragma once
// ConnectionHost: what the connections of one server share: limits, counts, the coarse clock that
// their deadlines are told by, and the list of them. On the loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/date_line.h"
#include "net/server.h"

namespace levada::net {

class Connection;

/// A deadline in ticks of the host.
using Tick = uint64_t;
constexpr Tick kNever = UINT64_MAX;

class ConnectionHost final {
 public:
  /// `ended` is called behind the end of each connection.
  ConnectionHost(Handler& handler, const ListenOptions& options, std::function<void()> ended);

  Handler& handler() const { return handler_; }
  const ServerLimits& limits() const { return limits_; }
  Logger& log() const { return *log_; }
  ExchangeObserver* observer() const { return observer_; }
  SteadyTime Steady() const { return clock_->Steady(); }
  ServerCounts& counts() { return counts_; }
  const std::vector<Connection*>& connections() const { return connections_; }
  std::string_view DateLineNow() { return date_line_.At(clock_->Now()); }

  bool is_stopping() const { return is_stopping_; }
  /// From here on every response is the last of its connection.
  void BeginStop() { is_stopping_ = true; }

  std::chrono::milliseconds tick_length() const { return tick_length_; }
  /// The tick at which `time` has passed for sure.
  Tick After(std::chrono::milliseconds time) const {
    return tick_ + 1 + static_cast<Tick>((time + tick_length_ - kShortestTick) / tick_length_);
  }
  /// A tick has passed: whoever is late hears of it.
  void Advance();

  void Add(Connection& connection);
  void Remove(Connection& connection);

 private:
  static constexpr std::chrono::milliseconds kShortestTick{1};
  static constexpr std::chrono::milliseconds kLongestTick{1000};
  static std::chrono::milliseconds TickLengthFor(const ServerLimits& limits);

  Handler& handler_;
  const ServerLimits limits_;
  const std::unique_ptr<Logger> own_log_ = MakeNullLogger();
  Logger* const log_;
  ExchangeObserver* const observer_;
  const std::unique_ptr<Clock> own_clock_ = MakeSystemClock();
  const Clock* const clock_;
  const std::function<void()> ended_;
  const std::chrono::milliseconds tick_length_;
  Tick tick_ = 0;
  bool is_stopping_ = false;
  ServerCounts counts_;
  std::vector<Connection*> connections_;
  DateLine date_line_;
};

}  // namespace levada::net
