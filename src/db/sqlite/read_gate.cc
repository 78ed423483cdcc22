#include "db/sqlite/read_gate.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace levada::db::sqlite {

ReadGate::~ReadGate() { sqlite3_snapshot_free(durable_); }

bool ReadGate::Hold(sqlite3* writer) {
  const std::lock_guard lock(mutex_);
  if (waiting_ > 0 || passing_ > 0 || state_ != State::kOpen) return false;
  if (sqlite3_snapshot_get(writer, "main", &durable_) != SQLITE_OK) {
    durable_ = nullptr;
    return false;
  }
  state_ = State::kHeld;
  return true;
}

void ReadGate::Change(State state) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kBroken) return;
    state_ = state;
    ++changes_;
    // Of a broken one the snapshot stays: what is durable may be read until the files are closed.
    if (state == State::kOpen) sqlite3_snapshot_free(std::exchange(durable_, nullptr));
  }
  changed_.notify_all();
}

void ReadGate::Release() { Change(State::kOpen); }
void ReadGate::Break() { Change(State::kBroken); }

Status ReadGate::WaitForChange(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const uint64_t before = changes_;
  ++waiting_;
  const bool has_changed =
      state_ != State::kBroken && changed_.wait(lock, stop, [&] { return changes_ != before; });
  --waiting_;
  if (has_changed) return Status::OK();
  return Fault(FaultCode::kStopped, "the database is opened again");
}

Result<int> ReadGate::Enter(sqlite3* reader, sqlite3_stmt* look, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (state_ != State::kOpen) {
    const int code = sqlite3_snapshot_open(reader, "main", durable_);
    const int primary = code & 0xff;
    // Else the log began anew behind it.
    if (primary != SQLITE_ERROR && primary != SQLITE_BUSY) return code;
    ARROW_RETURN_NOT_OK(WaitForChange(lock, stop));
  }
  // Not sqlite3_snapshot_get: a reader of that kind keeps the log from beginning anew.
  (void)sqlite3_step(look);
  return sqlite3_reset(look);
}

Status ReadGate::Pass(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (state_ != State::kOpen) ARROW_RETURN_NOT_OK(WaitForChange(lock, stop));
  ++passing_;
  return Status::OK();
}

void ReadGate::Leave() {
  const std::lock_guard lock(mutex_);
  --passing_;
}

}  // namespace levada::db::sqlite
