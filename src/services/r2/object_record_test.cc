#include "services/r2/object_record.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"

namespace levada::services::r2 {
namespace {

using checksums::Algorithm;
using checksums::ChecksumType;

ObjectRecord FullRecord() {
  ObjectRecord record;
  record.version = {0x1122334455667788, 0x99aabbccddeeff00};
  record.is_null_version = false;
  record.bytes = 10'000'000'000;
  record.uploaded_ms = 1'700'000'000'123;
  record.etag = "d41d8cd98f00b204e9800998ecf8427e-2";
  record.attributes.http = {"text/plain", "de",       "attachment",
                            "gzip",       "no-store", 1'800'000'000'000};
  record.attributes.custom = {{"name", std::string("va\0lue", 6)}, {"\xff", ""}};
  record.attributes.infrequent_access = true;
  record.checksums = {{Algorithm::kCrc64Nvme, ChecksumType::kFullObject, "AAAAAAAAAAA="},
                      {Algorithm::kSha512, ChecksumType::kComposite, "x-2"}};
  record.md5 = std::string(16, '\x80');
  record.customer_key_md5 = std::string(16, '\0');
  record.segments = {{{1, 2}, 5'000'000'000}, {{3, 4}, 5'000'000'000}};
  record.is_multipart = true;
  record.upload = Stamp{5, 6};
  return record;
}

TEST(ObjectRecord, ReadsWhatItWrites) {
  EXPECT_EQ(DecodeObject(Encode(FullRecord())), FullRecord());
  ObjectRecord small;
  small.is_inline = true;
  small.bytes = 5;
  EXPECT_EQ(DecodeObject(Encode(small)), small);
  ObjectRecord marker;
  marker.is_delete_marker = true;
  marker.version = {7, 8};
  EXPECT_EQ(DecodeObject(Encode(marker)), marker);
}

TEST(ObjectRecord, AnUploadAndAPartComeBack) {
  UploadRecord upload;
  upload.upload = {1, 2};
  upload.begun_ms = 3;
  upload.attributes = FullRecord().attributes;
  upload.algorithm = Algorithm::kSha256;
  upload.checksum_type = ChecksumType::kComposite;
  EXPECT_EQ(DecodeUpload(Encode(upload)), upload);
  PartRecord part;
  part.number = 10'000;
  part.segment = {{9, 9}, 0};
  part.md5 = std::string(16, 'm');
  part.checksum = StoredChecksum{Algorithm::kSha256, ChecksumType::kFullObject, "abc"};
  EXPECT_EQ(DecodePart(Encode(part)), part);
}

TEST(ObjectRecord, IsRefusedWhereverItIsCutOrChanged) {
  const std::string bytes = Encode(FullRecord());
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(DecodeObject(bytes.substr(0, i)), std::nullopt) << i;
    std::string changed = bytes;
    for (int bit = 0; bit < 8; ++bit) {
      changed[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      (void)DecodeObject(changed);  // anything but a crash
      (void)DecodeUpload(changed);
      (void)DecodePart(changed);
    }
  }
  EXPECT_EQ(DecodeObject(bytes + "x"), std::nullopt);
  EXPECT_EQ(DecodePart(bytes), std::nullopt);
}

TEST(ObjectRecord, OfALaterLayoutIsNotGuessedAt) {
  std::string bytes = Encode(ObjectRecord());
  const size_t at = bytes.find("av");  // CBOR: a text of one byte, "v", and behind it the layout
  ASSERT_EQ(bytes[at + 2], '\x01');
  bytes[at + 2] = '\x02';
  EXPECT_EQ(DecodeObject(bytes), std::nullopt);
}

TEST(StoreKeys, SortAsTheKeysDo) {
  std::vector<std::string> keys = {"",
                                   std::string(1, '\0'),
                                   std::string("\0\0", 2),
                                   std::string("\0\1", 2),
                                   std::string("\0\xff", 2),
                                   "\1",
                                   "a",
                                   std::string("a\0", 2),
                                   std::string("a\0b", 3),
                                   "a\1",
                                   "ab",
                                   "b",
                                   "\xff",
                                   "\xff\xff"};
  std::ranges::sort(keys);
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    EXPECT_LT(VersionKey(1, keys[i], {5, 5}), VersionKey(1, keys[i + 1], {9, 9})) << i;
    EXPECT_LT(UploadKey(1, keys[i], {9, 9}), UploadKey(1, keys[i + 1], {5, 5})) << i;
  }
  EXPECT_LT(VersionKey(1, "k", {6, 0}), VersionKey(1, "k", {5, 0})) << "the newest first";
  EXPECT_LT(UploadKey(1, "k", {5, 0}), UploadKey(1, "k", {6, 0})) << "the first first";
  EXPECT_LT(PartKey({1, 1}, 255), PartKey({1, 1}, 256));
}

TEST(StoreKeys, GiveBackWhatTheyAreMadeOf) {
  for (const std::string& key :
       {std::string(), std::string("\0", 1), std::string("a\0\xff\0", 4), std::string("a/b")}) {
    const std::string store_key = VersionKey(9, key, {77, 88});
    const auto entry = SplitKeyed(store_key);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->key, key);
    EXPECT_EQ(VersionOfRest(entry->rest), (Stamp{77, 88}));
    for (size_t i = 0; i < store_key.size(); ++i) {
      EXPECT_FALSE(SplitKeyed(std::string_view(store_key).substr(0, i))) << i;
    }
  }
}

TEST(StampTest, HasOneText) {
  const Stamp stamp{0xabc, 0xdef};
  EXPECT_EQ(stamp.Text(), "0000000000000abc0000000000000def");
  EXPECT_EQ(Stamp::Parse(stamp.Text()), stamp);
  for (const char* bad : {"", "null", "0000000000000abc0000000000000de", "g"}) {
    EXPECT_EQ(Stamp::Parse(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace levada::services::r2
