#include "app/r2_shelf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/testing.h"
#include "formats/checksums/checksum.h"
#include "net/client_fixture.h"
#include "os/temporary_directory.h"
#include "services/core/control.h"
#include "services/core/master_key.h"

namespace levada::app {
namespace {

namespace r2 = services::r2;
constexpr uint64_t kPartBytes = 100'000;

std::string Sha256Of(const std::string& text) {
  auto hash = ValueOf(checksums::Checksum::Make(checksums::Algorithm::kSha256));
  EXPECT_TRUE(hash.Update(text).ok());
  return ValueOf(hash.Finish()).Hex();
}

std::string TextOf(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return text;
}

class R2ShelfTest : public testing::Test {
 protected:
  R2ShelfTest() {
    limits_.part_bytes_min = kPartBytes;
    limits_.upload_bytes_max = 3 * kPartBytes;
    const std::string key_path = directory_ / "master.key";
    control_ = ValueOf(services::Control::Open(
        directory_ / "control.db",
        ValueOf(services::MasterKey::Make(*disk_, key_path, *random_)), clock_, *random_));
    const auto account = ValueOf(control_->CreateAccount("a", {"test", ""}));
    EXPECT_TRUE(ValueOf(control_->CreateResource(account, services::ResourceKind::kBucket,
                                                 "backups", "", {"test", ""})));
    store_ = ValueOf(r2::ObjectStore::Open(
        directory_ / "objects", limits_,
        {*disk_, clock_, *random_, running_.loop(), *workers_, *workers_, *log_, nullptr}));
    buckets_ = std::make_unique<r2::Buckets>(*control_, *store_, running_.loop(), *workers_);
    shelf_ = std::make_unique<R2Shelf>(
        R2ShelfSurroundings{*store_, *buckets_, running_.loop(), *workers_, *disk_}, kPartBytes);
  }
  ~R2ShelfTest() override {
    running_.End();
    workers_.reset();
  }

  std::string FileWith(const std::string& text) {
    const std::string path = directory_ / "file";
    EXPECT_TRUE(os::WriteFileDurably(*disk_, path, text).ok());
    return path;
  }
  std::string FileText(const std::string& path) {
    return ValueOf(os::ReadFile(*disk_, path, int64_t{1} << 30)).value_or("");
  }

  os::TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000'000};
  std::unique_ptr<os::Disk> disk_ = os::MakeSystemDisk();
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  r2::R2Limits limits_;
  std::unique_ptr<services::Control> control_;
  net::LoopThread running_;
  std::unique_ptr<net::Workers> workers_ = std::make_unique<net::Workers>(4, 4096);
  std::unique_ptr<r2::ObjectStore> store_;
  std::unique_ptr<r2::Buckets> buckets_;
  std::unique_ptr<R2Shelf> shelf_;
};

TEST_F(R2ShelfTest, GivesBackWhatWasPutInPartsToo) {
  // In one piece, at its limit, in parts, and more than a single put takes.
  for (const size_t bytes : {size_t{1}, size_t{99'999}, size_t{100'000}, size_t{100'001},
                             size_t{300'000}, size_t{1'234'567}}) {
    const std::string text = TextOf(bytes);
    const std::string key = "d1/" + std::to_string(bytes);
    ASSERT_TRUE(shelf_->Put("backups", key, {{"label", "x"}}, FileWith(text), Sha256Of(text)).ok());
    const std::string fetched = directory_ / "fetched";
    EXPECT_EQ(ValueOf(shelf_->Fetch("backups", key, fetched)),
              (services::d1::BackupLabels{{"label", "x"}}));
    EXPECT_EQ(FileText(fetched), text) << bytes;
  }
  EXPECT_EQ(ValueOf(shelf_->List("backups", "d1/")).size(), 6U);
  ASSERT_TRUE(shelf_->Remove("backups", "d1/1").ok());
  EXPECT_EQ(ValueOf(shelf_->List("backups", "d1/")).size(), 5U);
  EXPECT_TRUE(shelf_->Remove("backups", "d1/1").ok());
}

TEST_F(R2ShelfTest, PutsNothingThatChangedMeanwhile) {
  const std::string text = TextOf(1000);
  EXPECT_EQ(CodeOf(shelf_->Put("backups", "d1/x", {}, FileWith(text), Sha256Of(text + "x"))),
            FaultCode::kStoreDamaged);
  EXPECT_TRUE(ValueOf(shelf_->List("backups", "d1/")).empty());
}

TEST_F(R2ShelfTest, SaysWhatIsNotThere) {
  const std::string path = directory_ / "fetched";
  EXPECT_EQ(CodeOf(shelf_->Fetch("backups", "d1/x", path).status()), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(shelf_->Fetch("nope", "d1/x", path).status()), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(shelf_->List("nope", "").status()), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(shelf_->Remove("nope", "d1/x")), FaultCode::kBadValue);
}

}  // namespace
}  // namespace levada::app
