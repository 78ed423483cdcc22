#pragma once
// ReadGate: what readers of one database see while its writer commits transactions that are not
// durable yet. SQLite shows a commit to every connection of the log at once; the gate keeps readers
// at the newest state that is durable (sqlite.org/c3ref/snapshot_open.html), and where SQLite has
// no such state any more, since the log began anew, it lets them wait. Internal to this folder.

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/fault.h"

struct sqlite3;
struct sqlite3_snapshot;
struct sqlite3_stmt;

namespace levada::db::sqlite {

/// Thread-safe.
class ReadGate final {
 public:
  ReadGate() = default;
  ~ReadGate();
  ReadGate(const ReadGate&) = delete;
  ReadGate& operator=(const ReadGate&) = delete;

  /// The writer's, which is in a transaction that has not begun to read: from here on readers stay
  /// at the state of now. False where they cannot: somebody waits for the gate, or is past it, or
  /// nothing was written yet.
  bool Hold(sqlite3* writer);
  /// Everything is durable, and seen.
  void Release();
  /// What was held back will never be seen: whoever waits for it fails, and those who come.
  void Break();

  /// A reader's, which is in a transaction that has not begun to read: it begins to here, and sees
  /// what may be seen. `look` is a statement of its own that reads anything at all. SQLite's
  /// number; kStopped after `stop`, or where what is awaited will never be.
  Result<int> Enter(sqlite3* reader, sqlite3_stmt* look, const std::stop_token& stop);
  /// Waits until nothing is held back, and nothing will be until Leave: for who begins to read at a
  /// time of his own.
  Status Pass(const std::stop_token& stop);
  void Leave();

 private:
  enum class State : uint8_t { kOpen, kHeld, kBroken };
  Status WaitForChange(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void Change(State state);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  State state_ = State::kOpen;
  uint64_t changes_ = 0;
  int waiting_ = 0;
  int passing_ = 0;
  sqlite3_snapshot* durable_ = nullptr;  ///< unless it is open
};

}  // namespace levada::db::sqlite
