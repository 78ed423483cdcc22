#include "os/disk_reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/temporary_directory.h"

namespace levada::os {
namespace {

constexpr int64_t kBytes = 1 << 20;

int64_t AllocatedBytes(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_blocks * 512 : -1;
}

TEST(DiskReserve, HasItsBlocks) {
  const TemporaryDirectory directory;
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes);
  EXPECT_FALSE(reserve->is_full());
  EXPECT_GE(AllocatedBytes(directory / "reserve"), kBytes);
}

TEST(DiskReserve, IsGivenAwayAndKeptAgain) {
  const TemporaryDirectory directory;
  const auto reserve = DiskReserve::Open(directory / "reserve", kBytes);
  reserve->Release();
  reserve->Release();
  EXPECT_TRUE(reserve->is_full());
  EXPECT_FALSE(std::filesystem::exists(directory / "reserve"));
  EXPECT_TRUE(reserve->TryRestore());
  EXPECT_FALSE(reserve->is_full());
  EXPECT_GE(AllocatedBytes(directory / "reserve"), kBytes);
}

TEST(DiskReserve, WithoutTheRoomItIsFull) {
  const TemporaryDirectory directory;
  const auto reserve = DiskReserve::Open(directory / "reserve", int64_t{1} << 60);
  EXPECT_TRUE(reserve->is_full());
  EXPECT_FALSE(reserve->TryRestore());
  EXPECT_FALSE(std::filesystem::exists(directory / "reserve")) << "no part of it stays";
}

}  // namespace
}  // namespace levada::os
