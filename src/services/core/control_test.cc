#include "services/core/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "db/sqlite/database.h"
#include "os/temporary_directory.h"

namespace levada::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Actor kTester{"tester", "10.0.0.1"};

class ControlTest : public testing::Test {
 protected:
  ControlTest() { Open(); }
  void Open(os::DiskReserve* reserve = nullptr) {
    control_.reset();
    auto opened = Control::Open(directory_.path() + "/control.db",
                                MasterKey::Of(std::string(32, 'k')), clock_, *random_, reserve);
    ASSERT_THAT(opened.status(), IsOk());
    control_ = std::move(*opened);
  }
  Account MakeAccount(const char* name = "default") {
    return control_->CreateAccount(name, kTester).ValueOrDie();
  }
  IssuedToken Issue(const Account& account, std::optional<WallMicros> expires = {}) {
    return control_->CreateToken(account, "t", {*ParseScope("kv:read")}, expires, kTester)
        .ValueOrDie();
  }

  os::TemporaryDirectory directory_;
  ManualClock clock_{1'000'000};
  std::unique_ptr<Random> random_ = MakeSeededRandom(5);
  std::unique_ptr<Control> control_;
};

TEST_F(ControlTest, ATokenIsItsPrincipalAlsoAfterARestart) {
  const Account account = MakeAccount();
  const IssuedToken issued = Issue(account);
  for (int round = 0; round < 2; ++round) {
    const Authentication found = control_->Authenticate(issued.text);
    EXPECT_EQ(found.state, TokenState::kValid);
    EXPECT_EQ(found.principal.account_id, account.id);
    EXPECT_EQ(found.principal.token_id, issued.token.id);
    EXPECT_THAT(found.principal.scopes, ElementsAre(*ParseScope("kv:read")));
    const auto s3 = ValueOf(control_->FindS3Credential(issued.token.id));
    EXPECT_EQ(s3.secret.Reveal(), issued.s3_secret.Reveal());
    EXPECT_EQ(control_->FindS3Token(issued.token.id).principal.token_id, issued.token.id);
    Open();
  }
}

TEST_F(ControlTest, ACopyKnowsWhatItKnewThen) {
  const Account account = MakeAccount();
  const IssuedToken issued = Issue(account);
  const auto make = [&](const char* name) {
    return *ValueOf(control_->CreateResource(account, ResourceKind::kDatabase, name, "", kTester));
  };
  const Resource shop = make("shop");
  const auto known = ValueOf(control_->CopyTo(directory_ / "copy.db"));
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].number, shop.number);
  EXPECT_FALSE(control_->CopyTo(directory_ / "copy.db").ok()) << "there is one";
  const Resource later = make("later");
  const auto copy = ValueOf(
      Control::Open(directory_ / "copy.db", MasterKey::Of(std::string(32, 'k')), clock_, *random_));
  EXPECT_EQ(copy->Authenticate(issued.text).state, TokenState::kValid);
  EXPECT_TRUE(copy->FindResourceByNumber(shop.number));
  EXPECT_FALSE(copy->FindResourceByNumber(later.number));
  EXPECT_TRUE(control_->FindResourceByNumber(later.number));
}

TEST_F(ControlTest, OnAFullDiskNothingIsMadeAndAllElseGoesOn) {
  const Account account = MakeAccount();
  const IssuedToken issued = Issue(account);
  const auto bucket =
      ValueOf(control_->CreateResource(account, ResourceKind::kBucket, "photos", "", kTester));
  const auto reserve = os::DiskReserve::Open(directory_ / "reserve", 4096, clock_);
  Open(reserve.get());
  reserve->Release();
  const Status refused = control_->CreateAccount("other", kTester).status();
  EXPECT_THAT(refused, FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(FaultOf(refused).help(), HasSubstr("make room"));
  EXPECT_THAT(control_->CreateToken(account, "t", {}, {}, kTester).status(),
              FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(
      control_->CreateResource(account, ResourceKind::kBucket, "films", "", kTester).status(),
      FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(control_->ChangeSettings(*bucket, "{}", "lifecycle", kTester), IsOk());
  EXPECT_THAT(control_->DeleteResource(*bucket, kTester), IsOk());
  EXPECT_THAT(control_->RevokeToken(account, issued.token.id, kTester).status(), IsOk());
}

TEST_F(ControlTest, TheFileHoldsNoTokenAndNoSecret) {
  const IssuedToken issued = Issue(MakeAccount());
  control_.reset();
  const auto disk = os::MakeSystemDisk();
  for (const char* name : {"control.db", "control.db-wal"}) {
    const auto bytes = ValueOf(os::ReadFile(*disk, directory_.path() + "/" + name, 1 << 24));
    if (!bytes) continue;
    EXPECT_EQ(bytes->find(issued.text.Reveal()), std::string::npos);
    EXPECT_EQ(bytes->find(issued.s3_secret.Reveal()), std::string::npos);
  }
}

TEST_F(ControlTest, AStrangersTokenIsUnknown) {
  MakeAccount();
  EXPECT_EQ(control_->Authenticate(Secret("levada_x")).state, TokenState::kUnknown);
  EXPECT_EQ(control_->Authenticate(Secret("")).state, TokenState::kUnknown);
  const auto s3 = ValueOf(control_->FindS3Credential("nobody"));
  EXPECT_EQ(s3.authentication.state, TokenState::kUnknown);
  EXPECT_EQ(control_->FindS3Token("nobody").state, TokenState::kUnknown);
}

TEST_F(ControlTest, ARevokedTokenIsRefusedAtOnceAndForGood) {
  const Account account = MakeAccount();
  const IssuedToken issued = Issue(account);
  const auto revoked = ValueOf(control_->RevokeToken(account, issued.token.id, kTester));
  EXPECT_TRUE(revoked.has_value());
  EXPECT_EQ(control_->Authenticate(issued.text).state, TokenState::kRevoked);
  Open();
  EXPECT_EQ(control_->Authenticate(issued.text).state, TokenState::kRevoked);
}

TEST_F(ControlTest, NobodyRevokesAnotherAccountsToken) {
  const Account mine = MakeAccount("mine");
  const Account other = MakeAccount("other");
  const IssuedToken issued = Issue(mine);
  const auto revoked = ValueOf(control_->RevokeToken(other, issued.token.id, kTester));
  EXPECT_FALSE(revoked.has_value());
  EXPECT_EQ(control_->Authenticate(issued.text).state, TokenState::kValid);
}

TEST_F(ControlTest, ATokenExpires) {
  const IssuedToken issued = Issue(MakeAccount(), 2'000'000);
  EXPECT_EQ(control_->Authenticate(issued.text).state, TokenState::kValid);
  clock_.Set(2'000'000);
  EXPECT_EQ(control_->Authenticate(issued.text).state, TokenState::kExpired);
}

TEST_F(ControlTest, BothTokensOfARotationAreValidInTheOverlap) {
  const Account account = MakeAccount();
  const IssuedToken old = Issue(account);
  const auto issued =
      ValueOf(control_->RotateToken(account, old.token.id, std::chrono::seconds(5), {}, kTester));
  ASSERT_TRUE(issued.has_value());
  EXPECT_EQ(control_->Authenticate(old.text).state, TokenState::kValid);
  EXPECT_EQ(control_->Authenticate(issued->text).state, TokenState::kValid);
  EXPECT_EQ(issued->token.scopes, old.token.scopes);
  clock_.Advance(5'000'000);
  EXPECT_EQ(control_->Authenticate(old.text).state, TokenState::kExpired);
  EXPECT_EQ(control_->Authenticate(issued->text).state, TokenState::kValid);
  const auto again =
      ValueOf(control_->RotateToken(account, old.token.id, std::chrono::seconds(5), {}, kTester));
  EXPECT_FALSE(again.has_value()) << "an expired one";
}

TEST_F(ControlTest, ANameIsTakenOnceInAnAccount) {
  const Account mine = MakeAccount("mine");
  const Account other = MakeAccount("other");
  const auto make = [&](const Account& account, ResourceKind kind) {
    return control_->CreateResource(account, kind, "name", "", kTester).ValueOrDie();
  };
  ASSERT_TRUE(make(mine, ResourceKind::kNamespace).has_value());
  EXPECT_FALSE(make(mine, ResourceKind::kNamespace).has_value());
  EXPECT_TRUE(make(other, ResourceKind::kNamespace).has_value());
  EXPECT_TRUE(make(mine, ResourceKind::kDatabase).has_value());
  EXPECT_TRUE(make(mine, ResourceKind::kBucket).has_value());
  EXPECT_FALSE(make(other, ResourceKind::kBucket).has_value()) << "buckets are the daemon's";
}

TEST_F(ControlTest, AResourceIsNotFoundByAnotherAccount) {
  const Account mine = MakeAccount("mine");
  const Account other = MakeAccount("other");
  const Resource made = control_->CreateResource(mine, ResourceKind::kNamespace, "n", "", kTester)
                            .ValueOrDie()
                            .value();
  EXPECT_TRUE(control_->FindResource(mine.row, ResourceKind::kNamespace, made.id).has_value());
  EXPECT_FALSE(control_->FindResource(other.row, ResourceKind::kNamespace, made.id).has_value());
  EXPECT_FALSE(control_->FindResource(mine.row, ResourceKind::kBucket, made.id).has_value());
  EXPECT_THAT(control_->Resources(other.row, ResourceKind::kNamespace), IsEmpty());
}

TEST_F(ControlTest, ANumberIsNeverGivenAgain) {
  const Account account = MakeAccount();
  uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    const Resource made =
        control_->CreateResource(account, ResourceKind::kNamespace, "n", "", kTester)
            .ValueOrDie()
            .value();
    EXPECT_GT(made.number, last);
    last = made.number;
    ASSERT_THAT(control_->DeleteResource(made, kTester), IsOk());
    EXPECT_FALSE(
        control_->FindResourceByName(account.row, ResourceKind::kNamespace, "n").has_value());
    Open();
  }
}

TEST_F(ControlTest, ARenamedResourceIsFoundByItsNewName) {
  const Account account = MakeAccount();
  const auto make = [&](const char* name) {
    return control_->CreateResource(account, ResourceKind::kNamespace, name, "", kTester)
        .ValueOrDie()
        .value();
  };
  const Resource first = make("first");
  make("second");
  EXPECT_FALSE(control_->RenameResource(first, "second", kTester).ValueOrDie()) << "taken";
  EXPECT_TRUE(control_->RenameResource(first, "third", kTester).ValueOrDie());
  for (int round = 0; round < 2; ++round) {
    const auto found = control_->FindResourceByName(account.row, ResourceKind::kNamespace, "third");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->number, first.number);
    EXPECT_FALSE(
        control_->FindResourceByName(account.row, ResourceKind::kNamespace, "first").has_value());
    Open();
  }
}

TEST_F(ControlTest, EveryChangeIsInTheAuditLog) {
  const Account account = MakeAccount();
  const IssuedToken issued = Issue(account);
  ASSERT_THAT(control_->RevokeToken(account, issued.token.id, kTester).status(), IsOk());
  const auto entries = ValueOf(control_->Audit({}));
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].action, "token.revoke");
  EXPECT_EQ(entries[0].subject, issued.token.id);
  EXPECT_EQ(entries[0].who, "tester");
  EXPECT_EQ(entries[0].address, "10.0.0.1");
  EXPECT_EQ(entries[2].action, "account.create");
  const auto older = ValueOf(control_->Audit({.before = entries[0].row, .count = 1}));
  ASSERT_THAT(older, SizeIs(1));
  EXPECT_EQ(older[0].action, "token.create");
  for (const AuditEntry& entry : entries) {
    EXPECT_EQ(entry.subject.find(issued.text.Reveal()), std::string::npos);
  }
}

TEST_F(ControlTest, TheAuditLogIsAskedForWhatFits) {
  const Account first = MakeAccount("first");
  clock_.Advance(1'000'000);
  const Account second = MakeAccount("second");
  Issue(second);
  const auto rows = [&](const AuditQuery& query) {
    std::vector<int64_t> rows;
    for (const AuditEntry& entry : ValueOf(control_->Audit(query))) rows.push_back(entry.row);
    return rows;
  };
  EXPECT_THAT(rows({}), ElementsAre(3, 2, 1));
  EXPECT_THAT(rows({.oldest_first = true}), ElementsAre(1, 2, 3));
  EXPECT_THAT(rows({.row = 2}), ElementsAre(2));
  EXPECT_THAT(rows({.before = 3}), ElementsAre(2, 1));
  EXPECT_THAT(rows({.account = first.id}), ElementsAre(1));
  EXPECT_THAT(rows({.account = second.id, .action = "token.create"}), ElementsAre(3));
  EXPECT_THAT(rows({.who = "test"}), SizeIs(3));
  EXPECT_THAT(rows({.who = "testers"}), IsEmpty());
  EXPECT_THAT(rows({.who = "%"}), IsEmpty());
  EXPECT_THAT(rows({.address = "10.0.0.1"}), SizeIs(3));
  EXPECT_THAT(rows({.address = "10.0.0.2"}), IsEmpty());
  EXPECT_THAT(rows({.since = 2'000'000}), ElementsAre(3, 2));
  EXPECT_THAT(rows({.until = 2'000'000}), ElementsAre(1));
  EXPECT_THAT(rows({.skip = 1, .count = 1}), ElementsAre(2));
  EXPECT_THAT(rows({.oldest_first = true, .skip = 2, .count = 5}), ElementsAre(3));
}

TEST_F(ControlTest, AnotherLayoutIsRefused) {
  control_.reset();
  const std::string path = directory_ / "control.db";
  TestContext test;
  const Context ctx = test.context();
  db::sqlite::OpenOptions options;
  options.mode = db::sqlite::OpenMode::kWrite;
  const auto database =
      ValueOf(db::sqlite::Database::Open(ctx, path, options, [](const db::sqlite::Error& error) {
        return db::sqlite::FaultFrom(FaultCode::kInternal, "test", error);
      }));
  ASSERT_THAT(database->Execute(ctx, "pragma user_version = 9"), IsOk());
  EXPECT_THAT(Control::Open(path, MasterKey::Of(std::string(32, 'k')), clock_, *random_),
              FailsWith(FaultCode::kNewerLayout));
}

}  // namespace
}  // namespace levada::services
