#include "os/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "os/disk.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

TEST(Exchange, TradesNames) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  const std::string a = directory / "a";
  const std::string b = directory / "b";
  for (const std::string& each : {a, b}) {
    ASSERT_THAT(disk->CreateDirectories(each), IsOk());
    ASSERT_THAT(WriteFileDurably(*disk, each + "/file", each), IsOk());
  }
  EXPECT_THAT(Exchange(a, b), IsOk());
  EXPECT_EQ(ValueOf(ReadFile(*disk, a + "/file", 1000)), b);
  EXPECT_EQ(ValueOf(ReadFile(*disk, b + "/file", 1000)), a);
}

TEST(Exchange, OfNothingFails) {
  const TemporaryDirectory directory;
  const std::string a = directory / "a";
  ASSERT_THAT(MakeSystemDisk()->CreateDirectories(a), IsOk());
  EXPECT_THAT(Exchange(a, directory / "b"), FailsWith(FaultCode::kTargetFileMissing));
}

}  // namespace
}  // namespace levada::os
