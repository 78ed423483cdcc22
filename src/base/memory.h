#pragma once
// BudgetPool: Arrow's memory pool with a budget that readers wait for.
//
// Reaching the budget pauses whoever asks for room between batches (AwaitRoom); an allocation
// itself never fails for the budget, because the Parquet writer inside Arrow throws on a failed
// one. So the budget is kept by admission and backpressure, and the high-water mark says how well.

#include <arrow/memory_pool.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/context.h"

namespace levada {

class BudgetPool final : public arrow::MemoryPool {
 public:
  /// `budget_bytes` 0: no limit. The backing pool is jemalloc where Arrow has it (measured the
  /// smallest resident set), the system's under a sanitizer.
  explicit BudgetPool(int64_t budget_bytes);

  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;
  Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  void ReleaseUnused() override;
  int64_t bytes_allocated() const override;
  int64_t max_memory() const override;
  int64_t total_bytes_allocated() const override;
  int64_t num_allocations() const override;
  std::string backend_name() const override;

  int64_t budget_bytes() const { return budget_bytes_; }

  /// Waits until less than the budget is allocated, a stop, or the deadline. So that no set of
  /// waiters can stall each other for good, a waiter goes on after one second in which nothing was
  /// freed; after half of it the next time, and so on, until there has been room again.
  Status AwaitRoom(const Context& ctx);

 private:
  void Grew(int64_t bytes);
  void Shrank(int64_t bytes);

  arrow::MemoryPool* backing_;
  const int64_t budget_bytes_;
  std::atomic<int64_t> allocated_{0};
  std::atomic<int64_t> peak_{0};
  std::atomic<int64_t> total_{0};
  std::atomic<int64_t> freed_{0};
  std::atomic<int64_t> count_{0};
  std::atomic<int> waiters_{0};
  std::atomic<int> patience_ms_{1000};
  std::atomic<bool> told_{false};
  std::mutex mutex_;
  std::condition_variable_any room_;
};

}  // namespace levada
