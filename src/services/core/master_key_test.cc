#include "services/core/master_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "os/temporary_directory.h"
#include "services/core/scram.h"

namespace levada::services {
namespace {

std::string Key(char byte) { return std::string(32, byte); }

TEST(MasterKey, ASealedSecretOpensOnlyForItsContext) {
  const MasterKey master = MasterKey::Of(Key('k'));
  const auto random = MakeSeededRandom(1);
  const std::string sealed = ValueOf(master.Seal(Secret("hunter2"), "token:1", *random));
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  const Secret opened = ValueOf(master.Open(sealed, "token:1"));
  EXPECT_EQ(opened.Reveal(), "hunter2");
  EXPECT_EQ(CodeOf(master.Open(sealed, "token:2").status()), FaultCode::kStoreDamaged);
  EXPECT_EQ(CodeOf(MasterKey::Of(Key('x')).Open(sealed, "token:1").status()),
            FaultCode::kStoreDamaged);
}

// Python: k = hmac(b"k" * 32, b"levada token lookup"); hmac(k, b"levada_abc").hexdigest(), sha256
// each.
TEST(MasterKey, ATokenIsFoundByTheHmacOfItsText) {
  const MasterKey master = MasterKey::Of(Key('k'));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(master.LookupOf(Secret("levada_abc")),
              "13d86f03821ba0321df7bd564f13659cee1f741476d20dc688b673807fb36535");
    EXPECT_NE(master.LookupOf(Secret("levada_abd")), master.LookupOf(Secret("levada_abc")));
  }
}

TEST(MasterKey, TwoSealsOfOneSecretDiffer) {
  const MasterKey master = MasterKey::Of(Key('k'));
  const auto random = MakeSeededRandom(1);
  EXPECT_NE(*master.Seal(Secret("a"), "c", *random), *master.Seal(Secret("a"), "c", *random));
}

TEST(MasterKey, EveryChangedByteOfASealIsSeen) {
  const MasterKey master = MasterKey::Of(Key('k'));
  const auto random = MakeSeededRandom(7);
  const std::string sealed = ValueOf(master.Seal(Secret("secret"), "c", *random));
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(master.Open(changed, "c").ok()) << i;
    EXPECT_FALSE(master.Open(sealed.substr(0, i), "c").ok()) << i;
  }
}

TEST(MasterKey, IsMadeOnceAndReadAgain) {
  const os::TemporaryDirectory directory;
  const std::string path = directory.path() + "/master.key";
  const auto disk = os::MakeSystemDisk();
  const auto random = MakeSystemRandom();
  EXPECT_FALSE(ValueOf(MasterKey::Load(*disk, path)));
  const MasterKey made = ValueOf(MasterKey::Make(*disk, path, *random));
  const MasterKey read = *ValueOf(MasterKey::Load(*disk, path));
  EXPECT_EQ(made.newest_id(), read.newest_id());
  EXPECT_EQ(made.LookupOf(Secret("t")), read.LookupOf(Secret("t")));
  EXPECT_FALSE(MasterKey::Make(*disk, path, *random).ok());
}

TEST(MasterKey, SecretsOfAnOlderKeyStillOpen) {
  const os::TemporaryDirectory directory;
  const std::string path = directory.path() + "/master.key";
  const auto disk = os::MakeSystemDisk();
  const auto random = MakeSystemRandom();
  const MasterKey old = ValueOf(MasterKey::Make(*disk, path, *random));
  const std::string sealed = ValueOf(old.Seal(Secret("s"), "c", *random));
  const auto text = ValueOf(os::ReadFile(*disk, path, 1000));
  ASSERT_THAT(disk->Remove(path), IsOk());
  const std::string two = *text + "newer " + std::string(64, 'a') + "\n";
  const auto file = ValueOf(disk->CreatePrivate(path));
  ASSERT_THAT(file->Append({reinterpret_cast<const uint8_t*>(two.data()), two.size()}), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  const MasterKey both = *ValueOf(MasterKey::Load(*disk, path));
  EXPECT_EQ(both.newest_id(), "newer");
  const Secret opened = ValueOf(both.Open(sealed, "c"));
  EXPECT_EQ(opened.Reveal(), "s");
  EXPECT_THAT(both.LookupsOf(Secret("t")), testing::Contains(old.LookupOf(Secret("t"))));
}

TEST(MasterKey, AFileThatIsNoneIsRefused) {
  const os::TemporaryDirectory directory;
  const auto disk = os::MakeSystemDisk();
  const auto random = MakeSystemRandom();
  int number = 0;
  for (const char* text : {"", "\n", "id", "id 00", " 00", "id zz\n"}) {
    const std::string path = directory.path() + "/" + std::to_string(++number);
    const auto file = ValueOf(disk->CreatePrivate(path));
    ASSERT_THAT(file->Append({reinterpret_cast<const uint8_t*>(text), std::string(text).size()}),
                IsOk());
    ASSERT_THAT(file->Close(), IsOk());
    EXPECT_EQ(CodeOf(MasterKey::Load(*disk, path).status()), FaultCode::kBadValue) << text;
  }
}

TEST(Scram, IsThatOfPostgres) {
  // select rolpassword from pg_authid of a role with password 'pencil' and this salt, whose keys
  // the example of RFC 7677 uses too.
  const std::string salt("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81", 16);
  EXPECT_EQ(ScramVerifier(Secret("pencil"), salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

}  // namespace
}  // namespace levada::services
