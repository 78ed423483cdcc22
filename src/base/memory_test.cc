#include "base/memory.h"

#include <arrow/buffer.h>
#include <arrow/builder.h>

#include <thread>
#include <vector>

#include "base/testing.h"

namespace levada {
namespace {

// A block of a pool that goes with its scope.
class Block {
 public:
  Block(BudgetPool& pool, int64_t size) : pool_(pool), size_(size) {
    EXPECT_THAT(pool_.Allocate(size_, &bytes_), IsOk());
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { pool_.Free(bytes_, size_); }
  void Resize(int64_t size) {
    EXPECT_THAT(pool_.Reallocate(size_, size, &bytes_), IsOk());
    size_ = size;
  }

 private:
  BudgetPool& pool_;
  int64_t size_;
  uint8_t* bytes_ = nullptr;
};

TEST(BudgetPool, CountsWhatIsAllocatedAndItsPeak) {
  BudgetPool pool(0);
  {
    Block first(pool, 1000);
    Block second(pool, 500);
    EXPECT_EQ(pool.bytes_allocated(), 1500);
    second.Resize(700);
    EXPECT_EQ(pool.bytes_allocated(), 1700);
    second.Resize(100);
    EXPECT_EQ(pool.bytes_allocated(), 1100);
  }
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_EQ(pool.max_memory(), 1700);
  EXPECT_EQ(pool.total_bytes_allocated(), 1700);
  EXPECT_EQ(pool.num_allocations(), 4);
  EXPECT_THAT(pool.backend_name(), testing::HasSubstr("budget"));
}

TEST(BudgetPool, NeverFailsAnAllocationForItsBudget) {
  BudgetPool pool(10);
  const Block block(pool, 1000);
  EXPECT_EQ(pool.bytes_allocated(), 1000);
  EXPECT_EQ(pool.budget_bytes(), 10);
}

TEST(BudgetPool, AFailedAllocationCountsNothing) {
  BudgetPool pool(0);
  uint8_t* bytes = nullptr;
  EXPECT_FALSE(pool.Allocate(-1, &bytes).ok());
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_EQ(pool.num_allocations(), 0);
  Block block(pool, 64);
  uint8_t* other = nullptr;
  EXPECT_FALSE(pool.Reallocate(64, -1, &other).ok());
  EXPECT_EQ(pool.bytes_allocated(), 64);
}

TEST(BudgetPool, ServesArrow) {
  BudgetPool pool(0);
  {
    arrow::Int64Builder builder(&pool);
    for (int64_t i = 0; i < 10'000; ++i) ASSERT_THAT(builder.Append(i), IsOk());
    const auto array = ValueOf(builder.Finish());
    EXPECT_GE(pool.bytes_allocated(), 80'000);
  }
  pool.ReleaseUnused();
  EXPECT_EQ(pool.bytes_allocated(), 0);
}

TEST(AwaitRoom, GoesOnAtOnceBelowTheBudgetOrWithoutOne) {
  TestContext test;
  BudgetPool unlimited(0), limited(100);
  const Block large(unlimited, 1 << 20);
  EXPECT_THAT(unlimited.AwaitRoom(test.context()), IsOk());
  const Block small(limited, 99);
  EXPECT_THAT(limited.AwaitRoom(test.context()), IsOk());
}

TEST(AwaitRoom, ReturnsTheStop) {
  TestContext test;
  BudgetPool pool(100);
  const Block block(pool, 100);
  test.stop.request_stop();
  EXPECT_THAT(pool.AwaitRoom(test.context()), FailsWith(FaultCode::kStopped));
}

TEST(AwaitRoom, AStopWakesAWaiter) {
  TestContext test;
  BudgetPool pool(100);
  const Block block(pool, 100);
  std::jthread stopper([&] { test.stop.request_stop(); });
  EXPECT_THAT(pool.AwaitRoom(test.context()), FailsWith(FaultCode::kStopped));
}

TEST(AwaitRoom, ReturnsTheDeadline) {
  TestContext test;
  BudgetPool pool(100);
  const Block block(pool, 100);
  Context ctx = test.context();
  ctx.deadline = test.clock.Steady();
  EXPECT_THAT(pool.AwaitRoom(ctx), FailsWith(FaultCode::kSourceTimeout));
}

TEST(AwaitRoom, GoesOnWhenNothingWasFreedForASecond) {
  TestContext test;
  BudgetPool pool(100);
  const Block block(pool, 100);
  EXPECT_THAT(pool.AwaitRoom(test.context()), IsOk());
  EXPECT_EQ(pool.bytes_allocated(), 100);
}

TEST(AwaitRoom, LetsEveryWaiterGoOnceThereIsRoom) {
  TestContext test;
  BudgetPool pool(100);
  auto block = std::make_unique<Block>(pool, 100);
  std::atomic<int> passed{0};
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      if (pool.AwaitRoom(test.context()).ok()) ++passed;
    });
  }
  block.reset();
  waiters.clear();
  EXPECT_EQ(passed, 4);
}

TEST(BudgetPool, ManyThreadsEndAtZero) {
  TestContext test;
  BudgetPool pool(4096);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 500; ++round) {
          EXPECT_THAT(pool.AwaitRoom(test.context()), IsOk());
          Block block(pool, 512 + 64 * i);
          block.Resize(2048);
        }
      });
    }
  }
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_GE(pool.max_memory(), 2048);
  EXPECT_LE(pool.max_memory(), 4096 + 4 * 2048);
  EXPECT_EQ(pool.total_bytes_allocated(), 4 * 500 * 2048);
}

}  // namespace
}  // namespace levada
