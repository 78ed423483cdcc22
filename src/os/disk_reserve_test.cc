#include "os/disk_reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "os/temporary_directory.h"

namespace levada::os {
namespace {

constexpr int64_t kBytes = 1 << 20;
constexpr std::chrono::microseconds kFullMin = DiskReserve::kFullMin;

int64_t AllocatedBytes(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_blocks * 512 : -1;
}

TEST(DiskReserve, HasItsBlocks) {
  const TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes, clock);
  EXPECT_FALSE(reserve->is_full());
  EXPECT_GE(AllocatedBytes(directory / "reserve"), kBytes);
}

TEST(DiskReserve, IsGivenAwayAndKeptAgain) {
  const TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes, clock);
  reserve->Release();
  reserve->Release();
  EXPECT_TRUE(reserve->is_full());
  EXPECT_FALSE(std::filesystem::exists(directory / "reserve"));
  clock.Advance(kFullMin.count());
  EXPECT_TRUE(reserve->TryRestore());
  EXPECT_FALSE(reserve->is_full());
  EXPECT_GE(AllocatedBytes(directory / "reserve"), kBytes);
}

TEST(DiskReserve, StaysFullForAWhileWhateverRoomThereIs) {
  const TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes, clock);
  reserve->Release();
  EXPECT_FALSE(reserve->TryRestore());
  clock.Advance(kFullMin.count() - 1);
  EXPECT_FALSE(reserve->TryRestore());
  reserve->Release();
  clock.Advance(1);
  EXPECT_FALSE(reserve->TryRestore()) << "from the last time on";
  EXPECT_FALSE(std::filesystem::exists(directory / "reserve"));
  clock.Advance(kFullMin.count());
  EXPECT_TRUE(reserve->TryRestore());
}

TEST(DiskReserve, OnlyAFullDiskLetsItGo) {
  const TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes, clock);
  reserve->ReleaseIfFull(Status::OK());
  reserve->ReleaseIfFull(Fault(FaultCode::kTargetIo, "broken"));
  EXPECT_FALSE(reserve->is_full());
  reserve->ReleaseIfFull(Fault(FaultCode::kDiskFull, "full"));
  EXPECT_TRUE(reserve->is_full());
}

TEST(DiskReserve, WithoutTheRoomItIsFull) {
  const TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = DiskReserve::Open(directory / "reserve", int64_t{1} << 60, clock);
  EXPECT_TRUE(reserve->is_full());
  EXPECT_FALSE(reserve->TryRestore());
  EXPECT_FALSE(std::filesystem::exists(directory / "reserve")) << "no part of it stays";
}

}  // namespace
}  // namespace levada::os
