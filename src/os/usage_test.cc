#include "os/usage.h"

#include <gtest/gtest.h>

#include <ctime>

#include "os/descriptor.h"
#include "os/process.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

TEST(ProcessUsage, IsThatOfThisProcess) {
  const ProcessUsage usage = ReadProcessUsage();
  EXPECT_GT(usage.cpu_s, 0);
  EXPECT_NEAR(static_cast<double>(usage.resident_bytes),
              static_cast<double>(ReadResidentMemory().now_bytes), 32e6);
  EXPECT_GT(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GE(usage.threads, 1);
  EXPECT_GT(usage.open_files_max, usage.open_files);
  EXPECT_GT(usage.open_files, 2);
  EXPECT_LE(usage.start_s, static_cast<double>(std::time(nullptr)) + 1);
  EXPECT_GT(usage.start_s, static_cast<double>(std::time(nullptr)) - 3600);
}

TEST(DiskSpace, IsThatOfADirectory) {
  const TemporaryDirectory directory;
  const auto space = ReadDiskSpace(directory.path());
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->size_bytes, 0);
  EXPECT_LE(space->free_bytes, space->size_bytes);
  EXPECT_FALSE(ReadDiskSpace(directory / "none").has_value());
}

}  // namespace
}  // namespace levada::os
