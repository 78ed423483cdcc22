#include "base/memory.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define LEVADA_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEVADA_SANITIZED 1
#endif

namespace levada {
namespace {

constexpr int kStallMs = 1000;
constexpr int kStallMinMs = 10;

arrow::MemoryPool* BackingPool() {
#ifdef LEVADA_SANITIZED
  return arrow::system_memory_pool();  // the sanitizer sees through it, not through jemalloc
#else
  arrow::MemoryPool* pool = nullptr;
  if (arrow::jemalloc_memory_pool(&pool).ok()) return pool;
  return arrow::default_memory_pool();
#endif
}

}  // namespace

BudgetPool::BudgetPool(int64_t budget_bytes)
    : backing_(BackingPool()), budget_bytes_(budget_bytes) {}

Status BudgetPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(backing_->Allocate(size, alignment, out));
  count_.fetch_add(1, std::memory_order_relaxed);
  Grew(size);
  return Status::OK();
}

Status BudgetPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                              uint8_t** ptr) {
  ARROW_RETURN_NOT_OK(backing_->Reallocate(old_size, new_size, alignment, ptr));
  count_.fetch_add(1, std::memory_order_relaxed);
  if (new_size > old_size) Grew(new_size - old_size);
  if (new_size < old_size) Shrank(old_size - new_size);
  return Status::OK();
}

void BudgetPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  backing_->Free(buffer, size, alignment);
  Shrank(size);
}

void BudgetPool::ReleaseUnused() { backing_->ReleaseUnused(); }
int64_t BudgetPool::bytes_allocated() const { return allocated_.load(); }
int64_t BudgetPool::max_memory() const { return peak_.load(std::memory_order_relaxed); }
int64_t BudgetPool::total_bytes_allocated() const { return total_.load(std::memory_order_relaxed); }
int64_t BudgetPool::num_allocations() const { return count_.load(std::memory_order_relaxed); }
std::string BudgetPool::backend_name() const { return "budget over " + backing_->backend_name(); }

void BudgetPool::Grew(int64_t bytes) {
  total_.fetch_add(bytes, std::memory_order_relaxed);
  const int64_t now = allocated_.fetch_add(bytes) + bytes;
  int64_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

// allocated_ and waiters_ are sequentially consistent: either this sees the waiter, or the waiter
// sees the room.
void BudgetPool::Shrank(int64_t bytes) {
  freed_.fetch_add(bytes, std::memory_order_relaxed);
  const int64_t now = allocated_.fetch_sub(bytes) - bytes;
  if (waiters_.load() == 0 || now >= budget_bytes_) return;
  {
    std::lock_guard lock(mutex_);
  }  // a waiter between its look and its sleep holds it
  room_.notify_all();
}

Status BudgetPool::AwaitRoom(const Context& ctx) {
  const auto has_room = [this] { return allocated_.load() < budget_bytes_; };
  if (budget_bytes_ == 0) return Status::OK();
  if (has_room()) {
    patience_ms_ = kStallMs;
    return Status::OK();
  }

  std::unique_lock lock(mutex_);
  waiters_.fetch_add(1);
  Status status;
  int64_t freed_before = freed_.load(std::memory_order_relaxed);
  int stalled_ms = 0;
  while (true) {
    const int wait_ms = ctx.PollTimeoutMs(patience_ms_);
    if (room_.wait_for(lock, ctx.stop, std::chrono::milliseconds(wait_ms), has_room)) break;
    status = ctx.Check();
    if (!status.ok()) break;
    const int64_t freed = freed_.load(std::memory_order_relaxed);
    stalled_ms = freed == freed_before ? stalled_ms + wait_ms : 0;
    if (stalled_ms >= patience_ms_) {
      // Whoever holds the memory does not give it back by our waiting: wait less the next time.
      patience_ms_ = std::max(kStallMinMs, patience_ms_.load() / 2);
      if (!told_.exchange(true)) {
        ctx.log->Warning("more memory is in use than the budget leaves to data",
                         {{"budget_bytes", budget_bytes_}, {"allocated_bytes", allocated_.load()}});
      }
      break;
    }
    freed_before = freed;
  }
  waiters_.fetch_sub(1);
  return status;
}

}  // namespace levada
