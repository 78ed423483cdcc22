#pragma once
// Latencies: how long each of many operations took, in a fixed number of counters: a quantile is
// right to 1.6 % of itself. For the load programs of this folder.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace levada::bench {

/// Values are nanoseconds. One thread at a time.
class Latencies final {
 public:
  void Add(uint64_t ns) {
    ++counts_[BucketOf(ns)];
    ++count_;
    max_ns_ = std::max(max_ns_, ns);
  }

  void Add(const Latencies& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  uint64_t count() const { return count_; }
  uint64_t max_ns() const { return max_ns_; }

  /// The largest value of the bucket that the quantile falls into; 0 without any. `share` is above
  /// 0 and at most 1.
  uint64_t Quantile(double share) const {
    const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted && seen > 0) return std::min(LastOf(i), max_ns_);
    }
    return max_ns_;
  }

 private:
  // Values below 64 have a bucket each, and then each doubling has 64.
  static constexpr int kBits = 6;
  static constexpr uint64_t kSteps = uint64_t{1} << kBits;

  static size_t BucketOf(uint64_t ns) {
    if (ns < kSteps) return ns;
    const int shift = std::bit_width(ns) - kBits - 1;
    return static_cast<uint64_t>(shift) * kSteps + (ns >> shift);
  }

  static uint64_t LastOf(size_t bucket) {
    if (bucket < kSteps) return bucket;
    const uint64_t shift = bucket / kSteps - 1;
    return ((bucket - shift * kSteps + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>((64 - kBits + 1) * kSteps);
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace levada::bench
