#pragma once
// DoorWatch: hears of every request of one listener: it counts them, and tells the daemon's log.
//
// It counts on the loop, and is read there, so nothing is locked. There are as many series as there
// are routes and methods: what a client makes up is counted under "none" and "other".

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "net/http.h"
#include "net/server.h"
#include "services/core/request_log.h"

namespace levada::services {

/// On the loop.
class DoorWatch final : public net::ExchangeObserver {
 public:
  /// `door`, a constant of the program: "api". `log` outlives it.
  DoorWatch(std::string_view door, RequestLog& log) : door_(door), log_(log) {}

  void OnEnd(const net::Exchange& exchange) override;
  std::string_view door() const { return door_; }

 private:
  friend std::vector<MetricFamily> RequestMetrics(const std::vector<const DoorWatch*>& doors);

  static constexpr size_t kMethods = 8;
  // A read from memory takes a tenth of a millisecond, a commit a few, a large object seconds.
  static constexpr std::array kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                         0.1,    0.25,  0.5,    1.0,   2.5,  10.0};
  static constexpr size_t kClasses = 6;

  struct Counts {
    std::array<uint64_t, kClasses> by_class{};  ///< "1xx" to "5xx", and "501"
    std::array<uint64_t, kBounds.size() + 1> by_duration{};
    std::chrono::nanoseconds duration{0};
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
  };
  using ByMethod = std::array<std::unique_ptr<Counts>, kMethods>;

  static size_t IndexOf(std::string_view method);
  static size_t BucketOf(std::chrono::nanoseconds duration);

  const std::string_view door_;
  RequestLog& log_;
  std::unordered_map<std::string_view, ByMethod> by_route_;
};

/// Requests, their times and their bytes, by door, route and method. On the loop.
std::vector<MetricFamily> RequestMetrics(const std::vector<const DoorWatch*>& doors);

/// Connections of one door's server.
struct DoorServer {
  std::string_view door;
  net::ServerCounts counts;
};
std::vector<MetricFamily> ConnectionMetrics(const std::vector<DoorServer>& servers);

}  // namespace levada::services
