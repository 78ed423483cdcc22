#pragma once
// Counters: what one attempt at one slice has done so far, read live by the progress display and
// kept in run.json.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace levada {

/// Written by the attempt's own threads, read by anyone; each value only grows. Relaxed order is
/// enough: totals that decide anything travel in StreamEnd and Receipt.
struct Counters {
  std::atomic<int64_t> rows_read{0};
  std::atomic<int64_t> bytes_read{0};  ///< bytes of the source's wire format or file
  std::atomic<int64_t> rows_written{0};
  std::atomic<int64_t> bytes_written{0};  ///< bytes handed to the target's files or connection
  std::atomic<int64_t> rows_filtered{0};
  std::atomic<int64_t> rows_rejected{0};
  std::atomic<int64_t> source_wait_ns{0};  ///< waiting for the source to send
  std::atomic<int64_t> decode_ns{0};       ///< turning bytes into batches
  std::atomic<int64_t> transform_ns{0};
  std::atomic<int64_t> encode_ns{0};       ///< turning batches into the target's bytes
  std::atomic<int64_t> target_wait_ns{0};  ///< writing, syncing, or waiting for the target

  void AddTo(Counters& total) const;
};

/// Adds the time of its own life to one counter.
class Timed {
 public:
  explicit Timed(std::atomic<int64_t>& counter)
      : counter_(counter), start_(std::chrono::steady_clock::now()) {}
  ~Timed() {
    counter_.fetch_add((std::chrono::steady_clock::now() - start_).count(),
                       std::memory_order_relaxed);
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  std::atomic<int64_t>& counter_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace levada
