#include "services/core/open_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "os/temporary_directory.h"

namespace levada::services {
namespace {

class OpenControlTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Control>> Open(const std::string& key_path = "") {
    return OpenControl(*disk_, *directory_, key_path, clock_, *random_);
  }
  /// As the daemon does at its first start.
  Secret IssueFirst(Control& control) {
    const Account account = ValueOf(control.CreateAccount("default", {"test", ""}));
    return ValueOf(control.CreateToken(account, "t", {*ParseScope("all:admin")}, {}, {"test", ""}))
        .text;
  }
  bool IsThere(const std::string& path) { return ValueOf(disk_->Stat(path)).has_value(); }

  const os::TemporaryDirectory temporary_;
  const std::string elsewhere_ = temporary_ / "elsewhere.key";
  const std::unique_ptr<os::Disk> disk_ = os::MakeSystemDisk();
  const std::unique_ptr<Random> random_ = MakeSystemRandom();
  const ManualClock clock_{1'000'000};
  const std::unique_ptr<DataDirectory> directory_ =
      ValueOf(DataDirectory::TryOpen(*disk_, temporary_ / "data"));
};

TEST_F(OpenControlTest, ANewDirectoryGetsItsKeyAndAnOldOneKeepsIt) {
  const Secret token = IssueFirst(*ValueOf(Open()));
  EXPECT_TRUE(IsThere(directory_->Path("master.key")));
  EXPECT_EQ(ValueOf(Open())->Authenticate(token).state, TokenState::kValid);
}

TEST_F(OpenControlTest, AKeyElsewhereIsTheOnlyOne) {
  const Secret token = IssueFirst(*ValueOf(Open(elsewhere_)));
  EXPECT_FALSE(IsThere(directory_->Path("master.key")));
  EXPECT_EQ(ValueOf(Open(elsewhere_))->Authenticate(token).state, TokenState::kValid);
}

TEST_F(OpenControlTest, ADirectoryWithADatabaseNeverGetsANewKey) {
  IssueFirst(*ValueOf(Open(elsewhere_)));
  EXPECT_EQ(CodeOf(Open().status()), FaultCode::kBadValue);
  EXPECT_FALSE(IsThere(directory_->Path("master.key")));
}

TEST_F(OpenControlTest, AKeyOfAnotherDirectoryIsRefused) {
  IssueFirst(*ValueOf(Open()));
  ASSERT_THAT(MasterKey::Make(*disk_, elsewhere_, *random_).status(), IsOk());
  EXPECT_EQ(CodeOf(Open(elsewhere_).status()), FaultCode::kStoreDamaged);
}

TEST_F(OpenControlTest, ADirectoryWithStoresNeverGetsANewDatabase) {
  IssueFirst(*ValueOf(Open()));
  ASSERT_THAT(disk_->CreateDirectories(directory_->Path("kv")), IsOk());
  ASSERT_THAT(Open().status(), IsOk());
  ASSERT_THAT(disk_->Remove(directory_->Path("control.db")), IsOk());
  EXPECT_EQ(CodeOf(Open().status()), FaultCode::kStoreDamaged);
  EXPECT_FALSE(IsThere(directory_->Path("control.db")));
}

}  // namespace
}  // namespace levada::services
