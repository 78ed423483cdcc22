#include "services/core/control_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing.h"
#include "os/temporary_directory.h"

namespace levada::services {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class ControlCheckTest : public testing::Test {
 protected:
  ControlCheckTest() { context_.clock = &clock_; }

  void Make(int accounts) {
    const auto control =
        ValueOf(Control::Open(path_, MasterKey::Of(std::string(32, 'k')), clock_, *random_));
    for (int i = 0; i < accounts; ++i) {
      const Account account =
          ValueOf(control->CreateAccount("account " + std::to_string(i), {"tester", ""}));
      ASSERT_THAT(control->CreateToken(account, "t", {*ParseScope("kv:read")}, {}, {"tester", ""}),
                  IsOk());
      ASSERT_THAT(
          control->CreateResource(account, ResourceKind::kNamespace, "n", "", {"tester", ""}),
          IsOk());
    }
  }
  ControlChecked Check() { return ValueOf(CheckControl(context_, path_, findings_)); }

  os::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "control.db";
  ManualClock clock_{1'000'000};
  std::unique_ptr<Random> random_ = MakeSeededRandom(5);
  Context context_;
  Findings findings_;
};

TEST_F(ControlCheckTest, AWholeOneIsClean) {
  Make(2);
  const ControlChecked checked = Check();
  EXPECT_EQ(findings_.damage() + findings_.leftovers(), 0U);
  EXPECT_EQ(checked.accounts, 2U);
  EXPECT_EQ(checked.tokens, 2U);
  EXPECT_EQ(checked.audit_entries, 6U);
  ASSERT_TRUE(checked.resources);
  EXPECT_THAT(*checked.Known(ResourceKind::kNamespace),
              ElementsAre(Pair(1U, SizeIs(32)), Pair(2U, SizeIs(32))));
  EXPECT_THAT(*checked.Known(ResourceKind::kBucket), IsEmpty());
}

TEST_F(ControlCheckTest, AMissingOneIsDamageAndIsNotMade) {
  EXPECT_FALSE(Check().resources);
  EXPECT_EQ(findings_.damage(), 1U);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ControlCheckTest, ADamagedPageIsFound) {
  Make(200);
  const auto size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 40'000U);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size / 4096 / 2 * 4096));
  file << std::string(4096, '\xff');
  file.close();
  EXPECT_FALSE(Check().resources);
  ASSERT_EQ(findings_.damage(), 1U);
  EXPECT_EQ(findings_.kept().front().what, "store_damaged");
}

TEST_F(ControlCheckTest, AMasterKeyThatIsNotTheOneIsDamage) {
  const auto disk = os::MakeSystemDisk();
  const std::string key_path = directory_ / "master.key";
  const auto found = [&]() -> std::string {
    Findings findings;
    EXPECT_THAT(CheckMasterKey(context_, *disk, path_, key_path, findings), IsOk());
    return findings.damage() == 0 ? "" : findings.kept().front().what;
  };
  const MasterKey master = ValueOf(MasterKey::Make(*disk, key_path, *random_));
  const auto control = ValueOf(Control::Open(path_, master, clock_, *random_));
  EXPECT_EQ(found(), "") << "with no token there is nothing that it would not open";
  const Account account = ValueOf(control->CreateAccount("a", {"tester", ""}));
  ASSERT_THAT(control->CreateToken(account, "t", {*ParseScope("kv:read")}, {}, {"tester", ""}),
              IsOk());
  EXPECT_EQ(found(), "");
  ASSERT_THAT(disk->Remove(key_path), IsOk());
  EXPECT_EQ(found(), "master_key_missing");
  ASSERT_THAT(MasterKey::Make(*disk, key_path, *random_).status(), IsOk());
  EXPECT_EQ(found(), "master_key_wrong");
  std::filesystem::permissions(key_path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(found(), "master_key_unusable");
}

TEST_F(ControlCheckTest, FindingsHaveALimit) {
  for (size_t i = 0; i < Findings::kKeptMax + 5; ++i) findings_.AddLeftover("x", "y");
  EXPECT_EQ(findings_.leftovers(), Findings::kKeptMax + 5);
  EXPECT_EQ(findings_.kept().size(), Findings::kKeptMax);
}

}  // namespace
}  // namespace levada::services
