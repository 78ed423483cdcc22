#include "db/sqlite/file_locks.h"

#include <sqlite3.h>

namespace levada::db::sqlite {
namespace {

uint8_t BitOf(int lock) { return static_cast<uint8_t>(1u << lock); }

}  // namespace

int FileLocks::Lock(Holder& holder, int level) {
  std::lock_guard lock(mutex_);
  if (holder.level >= level) return SQLITE_OK;
  if (level == SQLITE_LOCK_SHARED) {
    if (is_pending_) return SQLITE_BUSY;
    ++shared_;
    holder.level = level;
    return SQLITE_OK;
  }
  if (writer_ != nullptr && writer_ != &holder) return SQLITE_BUSY;
  writer_ = &holder;
  if (level == SQLITE_LOCK_RESERVED) {
    holder.level = level;
    return SQLITE_OK;
  }
  is_pending_ = true;
  holder.level = SQLITE_LOCK_PENDING;
  if (shared_ > 1) return SQLITE_BUSY;
  holder.level = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

void FileLocks::Unlock(Holder& holder, int level) {
  std::lock_guard lock(mutex_);
  if (holder.level <= level) return;
  if (writer_ == &holder) {
    writer_ = nullptr;
    is_pending_ = false;
  }
  if (level == SQLITE_LOCK_NONE) --shared_;
  holder.level = level;
}

bool FileLocks::IsReserved() {
  std::lock_guard lock(mutex_);
  return writer_ != nullptr;
}

volatile void* LogIndex::Region(int region, int bytes, bool extend) {
  std::lock_guard lock(mutex_);
  const auto index = static_cast<size_t>(region);
  if (index >= regions_.size() && !extend) return nullptr;
  while (regions_.size() <= index) {
    regions_.push_back(std::make_unique<uint64_t[]>(static_cast<size_t>(bytes) / sizeof(uint64_t)));
  }
  return regions_[index].get();
}

int LogIndex::Lock(Holder& holder, int first, int count, bool exclusive) {
  std::lock_guard lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    const int others = shared_[i] - ((holder.shared & BitOf(i)) != 0 ? 1 : 0);
    const bool held = exclusive_[i] && (holder.exclusive & BitOf(i)) == 0;
    if (held || (exclusive && others > 0)) return SQLITE_BUSY;
  }
  for (int i = first; i < first + count; ++i) {
    if (exclusive) {
      exclusive_[i] = true;
      holder.exclusive |= BitOf(i);
    } else if ((holder.shared & BitOf(i)) == 0) {
      ++shared_[i];
      holder.shared |= BitOf(i);
    }
  }
  return SQLITE_OK;
}

void LogIndex::Unlock(Holder& holder, int first, int count, bool exclusive) {
  std::lock_guard lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    uint8_t& held = exclusive ? holder.exclusive : holder.shared;
    if ((held & BitOf(i)) == 0) continue;
    held = static_cast<uint8_t>(held & ~BitOf(i));
    if (exclusive) {
      exclusive_[i] = false;
    } else {
      --shared_[i];
    }
  }
}

void LogIndex::Release(Holder& holder) {
  Unlock(holder, 0, kLockCount, true);
  Unlock(holder, 0, kLockCount, false);
}

}  // namespace levada::db::sqlite
