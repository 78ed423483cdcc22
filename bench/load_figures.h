#pragma once
// What a load program says in the end: one object of JSON, the same of all of them, which load.py
// reads.

#include <fmt/format.h>
#include <time.h>

#include <cstdint>
#include <string>

#include "bench/latencies.h"

namespace levada::bench {

inline uint64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

struct Figures {
  Latencies latencies;  ///< of the operations that succeeded
  uint64_t errors = 0;
  uint64_t bytes = 0;  ///< of bodies, both ways
  double elapsed_s = 0;
};

/// Ends with a line end.
inline std::string JsonOf(const Figures& figures) {
  const auto ms = [&](double share) {
    return static_cast<double>(figures.latencies.Quantile(share)) / 1e6;
  };
  return fmt::format(
      "{{\"requests\":{},\"errors\":{},\"seconds\":{:.6f},\"rate\":{:.3f},\"bytes_s\":{:.0f},"
      "\"p50_ms\":{:.6f},\"p99_ms\":{:.6f},\"max_ms\":{:.6f}}}\n",
      figures.latencies.count(), figures.errors, figures.elapsed_s,
      static_cast<double>(figures.latencies.count()) / figures.elapsed_s,
      static_cast<double>(figures.bytes) / figures.elapsed_s, ms(0.5), ms(0.99), ms(1));
}

}  // namespace levada::bench
