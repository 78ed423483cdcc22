#pragma once
// Flusher: carries ended segments to the engine, oldest first, and removes each when all of it is
// there. One thread. What fails is tried again; points wait in the write-ahead log meanwhile.
//
// A segment is in doubt when the daemon may have ended between an insert and the segment's removal,
// or when nobody knows what became of an insert. Then the engine is asked which rows of it the
// table has; the insert's token says the same to the engine once more.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "services/analytics/engine.h"
#include "services/analytics/statements.h"
#include "services/analytics/write_ahead.h"

namespace levada::services::analytics {

struct FlusherOptions {
  std::chrono::milliseconds retry_first{200};
  std::chrono::milliseconds retry_max{10'000};
};

struct FlusherCounts {
  uint64_t segments = 0;
  uint64_t rows = 0;
  uint64_t inserts = 0;
  uint64_t skipped = 0;  ///< inserts that the table had already
  uint64_t failures = 0;
};

/// Carries one segment; what the thread of a Flusher does again and again. One thread at a time.
class SegmentFlush final {
 public:
  /// The name of a dataset; nullopt when it is gone, and its rows with it.
  using NameOf = std::function<std::optional<std::string>(uint64_t dataset)>;

  /// All outlive it.
  SegmentFlush(WriteAhead& log, Engine& engine, NameOf name_of)
      : log_(log), engine_(engine), name_of_(std::move(name_of)) {}
  /// OK when it is in the engine and removed. kStoreDamaged: trying again is of no use.
  Status Run(uint64_t segment);
  FlusherCounts counts() const;

 private:
  Status Carry(const Insert& insert, bool is_in_doubt);
  Status MakeTable(uint64_t dataset, const std::string& name);
  void Count(uint64_t FlusherCounts::* what, uint64_t by = 1);

  WriteAhead& log_;
  Engine& engine_;
  const NameOf name_of_;
  std::set<uint64_t> tables_;    // that are there
  std::set<uint64_t> in_doubt_;  // segments that were tried
  mutable std::mutex mutex_;     // guards counts_
  FlusherCounts counts_;
};

class Flusher final {
 public:
  /// All outlive it.
  Flusher(WriteAhead& log, SegmentFlush& flush, FlusherOptions options, Logger& logger);
  /// Returns when the insert under way has ended.
  ~Flusher();
  /// Begins nothing more, and complains of nothing that fails from now on. Any thread.
  void RequestStop() { thread_.request_stop(); }
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

 private:
  void Run(const std::stop_token& stop);
  /// Sleeps for longer each time it is called for.
  void Pause(const std::stop_token& stop);

  WriteAhead& log_;
  SegmentFlush& flush_;
  const FlusherOptions options_;
  Logger& logger_;
  std::chrono::milliseconds pause_;
  bool has_failed_ = false;
  // Last: it uses all of the above. tidy: allow a thread, it waits for the engine all its life
  std::jthread thread_;
};

}  // namespace levada::services::analytics
