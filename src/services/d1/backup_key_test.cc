#include "services/d1/backup_key.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace levada::services::d1 {
namespace {

constexpr const char* kId = "80fd34d4-8888-4f75-a8ae-3de0c935b880";
constexpr const char* kOther = "711a51ba-ee6c-4a55-ab95-780b7587fde9";
constexpr const char* kBookmark = "00000001-00000000-0000024c-0123456789abcdef0123456789abcdef";
constexpr WallMicros kSecond = 1'000'000;
constexpr WallMicros kNoon = WallMicros{1'800'000'000} * kSecond;  // 2027-01-15T08:00:00Z

BackupKey KeyAt(WallMicros time, const std::string& name = "shop") {
  return {name, kId, time, kBookmark};
}

TEST(BackupKey, HasATextAndComesBackOfIt) {
  const BackupKey key = KeyAt(kNoon);
  EXPECT_EQ(key.Text(),
            std::string("d1/shop-") + kId + "/20270115T080000Z-" + kBookmark + ".sqlite");
  EXPECT_EQ(BackupKey::Parse(key.Text()), key);
  const BackupKey dashes{"a-b_c-1", kOther, kNoon + 59 * kSecond, kBookmark};
  EXPECT_EQ(BackupKey::Parse(dashes.Text()), dashes);
}

TEST(BackupKey, IsNothingElse) {
  const std::string text = KeyAt(kNoon).Text();
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(BackupKey::Parse(text.substr(0, i)), std::nullopt) << i;
    std::string changed = text;
    changed[i] = '!';
    EXPECT_EQ(BackupKey::Parse(changed), std::nullopt) << i;
  }
  EXPECT_EQ(BackupKey::Parse(text + "x"), std::nullopt);
  EXPECT_EQ(BackupKey::Parse("x" + text), std::nullopt);
  EXPECT_EQ(
      BackupKey::Parse(std::string("d1/-") + kId + "/20270115T080000Z-" + kBookmark + ".sqlite"),
      std::nullopt);
  EXPECT_EQ(BackupKey::Parse(std::string("d1/shop-") + kId + "/20271315T080000Z-" + kBookmark +
                             ".sqlite"),
            std::nullopt);
}

TEST(BackupsOf, AreOneDatabasesInOrderOfTime) {
  BackupKey other = KeyAt(kNoon);
  other.id = kOther;
  const std::vector<std::string> keys = {KeyAt(kNoon + kSecond, "a").Text(), other.Text(),
                                         KeyAt(kNoon, "b").Text(), "d1/notes.txt"};
  EXPECT_EQ(BackupsOf(keys, kId),
            (std::vector<BackupKey>{KeyAt(kNoon, "b"), KeyAt(kNoon + kSecond, "a")}));
}

TEST(TooMany, AreTheOldest) {
  const std::vector<BackupKey> copies = {KeyAt(kNoon), KeyAt(kNoon + kSecond),
                                         KeyAt(kNoon + 2 * kSecond)};
  EXPECT_EQ(TooMany(copies, 2), (std::vector<BackupKey>{KeyAt(kNoon)}));
  EXPECT_TRUE(TooMany(copies, 3).empty());
  EXPECT_TRUE(TooMany(copies, 30).empty());
}

TEST(Backup, IsDueAWhileBehindTheNewest) {
  EXPECT_TRUE(IsBackupDue({}, kNoon, kSecond));
  EXPECT_FALSE(IsBackupDue({KeyAt(kNoon)}, kNoon + 59 * kSecond, 60 * kSecond));
  EXPECT_TRUE(IsBackupDue({KeyAt(kNoon)}, kNoon + 60 * kSecond, 60 * kSecond));
  EXPECT_TRUE(IsBackupDue({KeyAt(kNoon)}, kNoon - kSecond, 60 * kSecond));
}

}  // namespace
}  // namespace levada::services::d1
