#include "services/r2/r2_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "services/r2/store_fixture.h"

namespace levada::services::r2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr Bucket kPlain{7, Versioning::kOff};
constexpr Bucket kVersioned{8, Versioning::kEnabled};

class R2CheckTest : public ObjectStoreTest {
 protected:
  R2CheckTest() { context_.clock = &clock_; }

  /// Writes what the test wants into the index.
  void Change(const std::function<void(db::rocks::Batch&)>& change) {
    Close();
    db::rocks::StoreOptions options;
    options.path = directory_ / "objects/index";
    options.families = IndexFamilies();
    const auto store = ValueOf(db::rocks::Store::Open(std::move(options)));
    db::rocks::Batch batch;
    change(batch);
    ASSERT_THAT(store->Write({&batch}), IsOk());
  }

  /// "damage record_damaged bucket "plain", key "k"" of each finding.
  std::vector<std::string> Found(bool is_scrub = false,
                                 KnownResources buckets = {{{7, "plain"}, {8, "versions"}}}) {
    Close();
    Findings findings;
    checked_ = ValueOf(CheckR2(context_, *disk_,
                               {directory_ / "objects", is_scrub, std::move(buckets)}, findings));
    std::vector<std::string> lines;
    for (const Finding& finding : findings.kept()) {
      EXPECT_EQ(finding.store, "r2");
      lines.push_back((finding.kind == FindingKind::kDamage ? "damage " : "leftover ") +
                      finding.what + " " + finding.where);
    }
    return lines;
  }

  std::string PathOf(const ObjectRecord& record) {
    return store_->blobs().PathOf(record.segments.front().blob);
  }
  static void Overwrite(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.put('!');
  }
  /// An object of two parts, and an upload with one.
  void MakeUploads() {
    const UploadRecord done = ValueOf(Wait(store_->CreateUpload(kPlain, "parts", {})));
    CompleteOptions complete;
    for (const int number : {1, 2}) {
      TextSource source(std::string(2000, 'p'));
      const PartRecord part =
          ValueOf(Wait(store_->PutPart(kPlain, "parts", done.upload, number, {}, source)));
      complete.parts.push_back({number, checksums::Digest(part.md5).Hex(), {}});
    }
    ASSERT_THAT(Wait(store_->CompleteUpload(kPlain, "parts", done.upload, complete)), IsOk());
    open_ = ValueOf(Wait(store_->CreateUpload(kPlain, "open", {}))).upload;
    TextSource source(std::string(2000, 'q'));
    part_ = ValueOf(Wait(store_->PutPart(kPlain, "open", open_, 1, {}, source)));
  }

  Context context_;
  R2Checked checked_;
  Stamp open_;
  PartRecord part_;
};

TEST_F(R2CheckTest, AWholeStoreIsClean) {
  PutOptions encrypted;
  encrypted.key = CustomerKey::Of(std::string(32, 'k'));
  for (const char* size : {"", "x"}) {
    ASSERT_THAT(Put(kPlain, "s" + std::string(size), size), IsOk());
    ASSERT_THAT(Put(kPlain, "e" + std::string(size), size, encrypted), IsOk());
  }
  ASSERT_THAT(Put(kPlain, "large", std::string(600'000, 'x')), IsOk());
  ASSERT_THAT(Put(kPlain, "secret", std::string(600'000, 'x'), encrypted), IsOk());
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Put(kVersioned, "k", std::string(2000, 'x')), IsOk());
    ASSERT_THAT(Put(kVersioned, "small", "x"), IsOk());
  }
  ASSERT_THAT(Wait(store_->Delete(kVersioned, DeleteTarget{"k"})), IsOk());
  ASSERT_THAT(Put(kPlain, "gone", std::string(2000, 'x')), IsOk());
  ASSERT_THAT(Wait(store_->Delete(kPlain, DeleteTarget{"gone"})), IsOk());
  MakeUploads();
  EXPECT_EQ(Files(), 4U + 3U + 2U + 1U) << "what is encrypted has a file however small";
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(checked_.objects, 6U + 1U + 1U);
  EXPECT_EQ(checked_.versions, 4U + 2U) << "with the marker";
  EXPECT_EQ(checked_.uploads, 1U);
  EXPECT_EQ(checked_.parts, 1U);
  EXPECT_EQ(checked_.files, 10U);
  EXPECT_EQ(checked_.bytes_read, 0U);
  EXPECT_THAT(Found(true), IsEmpty());
  EXPECT_EQ(checked_.bytes_read, 2 * 600'000U + 6 * 2000U + 1U);
}

TEST_F(R2CheckTest, AMissingFileIsNamedByItsObject) {
  std::filesystem::remove(PathOf(ValueOf(Put(kPlain, "k", std::string(2000, 'x')))));
  ASSERT_THAT(Put(kPlain, "whole", std::string(2000, 'x')), IsOk());
  EXPECT_THAT(Found(), ElementsAre(R"(damage file_missing bucket "plain", key "k")"));
}

TEST_F(R2CheckTest, AFileOfAnotherSizeOrBeginningIsDamaged) {
  const std::string cut = PathOf(ValueOf(Put(kPlain, "cut", std::string(2000, 'x'))));
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 1);
  Overwrite(PathOf(ValueOf(Put(kPlain, "head", std::string(2000, 'x')))), 3);
  EXPECT_THAT(Found(), ElementsAre(R"(damage file_damaged bucket "plain", key "cut")",
                                   R"(damage file_damaged bucket "plain", key "head")"));
}

TEST_F(R2CheckTest, ADamagedByteIsFoundByAScrub) {
  PutOptions encrypted;
  encrypted.key = CustomerKey::Of(std::string(32, 'k'));
  Overwrite(PathOf(ValueOf(Put(kPlain, "k", std::string(600'000, 'x')))), 550'000);
  Overwrite(PathOf(ValueOf(Put(kPlain, "secret", std::string(600'000, 'x'), encrypted))), 1000);
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_THAT(Found(true), ElementsAre(R"(damage file_damaged bucket "plain", key "k")",
                                       R"(damage file_damaged bucket "plain", key "secret")"));
}

TEST_F(R2CheckTest, AFileThatTheNextStartWouldRemoveIsDamage) {
  const ObjectRecord record = ValueOf(Put(kPlain, "k", std::string(2000, 'x')));
  Change([&](auto& batch) { batch.Delete(kBlobs, record.segments.front().blob.Bytes()); });
  EXPECT_THAT(Found(), ElementsAre(R"(damage file_unregistered bucket "plain", key "k")"));
}

TEST_F(R2CheckTest, DamagedRecordsAreNamed) {
  const ObjectRecord old = ValueOf(Put(kVersioned, "k", "old"));
  ASSERT_THAT(Put(kVersioned, "k", "new"), IsOk());
  MakeUploads();
  Change([&](auto& batch) {
    batch.Put(kObjects, ObjectKey(7, "bad"), "nonsense");
    batch.Put(kObjects, "x", "x");
    batch.Put(kVersions, VersionKey(8, "k", old.version), "nonsense");
    batch.Put(kVersions, "x", "x");
    batch.Put(kUploads, UploadKey(7, "open", open_), "nonsense");
    batch.Put(kParts, PartKey(open_, 1), "nonsense");
    batch.Put(kParts, "x", "x");
  });
  EXPECT_THAT(
      Found(),
      UnorderedElementsAre(
          R"(damage record_damaged bucket "plain", key "bad")",
          "damage record_damaged an object without a bucket",
          R"(damage record_damaged bucket "versions", key "k", version )" + old.version.Text(),
          "damage record_damaged a version whose key is damaged",
          R"(damage record_damaged bucket "plain", key "open", upload )" + open_.Text(),
          "damage record_damaged a part of upload " + open_.Text(),
          "damage record_damaged a part whose key is damaged"))
      << "and what only these named is no leftover";
}

TEST_F(R2CheckTest, ARecordInAnotherOnesPlaceIsDamaged) {
  MakeUploads();
  const ObjectRecord record = ValueOf(Put(kVersioned, "k", "one"));
  const Stamp other{1, 2};
  Change([&](auto& batch) {
    batch.Put(kVersions, VersionKey(8, "k", other), Encode(record));
    batch.Put(kParts, PartKey(open_, 2), Encode(part_));
  });
  EXPECT_THAT(Found(),
              UnorderedElementsAre(
                  R"(damage record_damaged bucket "versions", key "k", version )" + other.Text(),
                  "damage record_damaged a part of upload " + open_.Text()));
}

TEST_F(R2CheckTest, MissingBytesOfSmallObjectsAreNamed) {
  const ObjectRecord lost = ValueOf(Put(kPlain, "lost", "bytes"));
  const ObjectRecord cut = ValueOf(Put(kPlain, "cut", "bytes"));
  ObjectRecord large = ValueOf(Put(kPlain, "large", std::string(2000, 'x')));
  ++large.bytes;
  Change([&](auto& batch) {
    batch.Delete(kInline, lost.version.Bytes());
    batch.Put(kInline, cut.version.Bytes(), "byte");
    batch.Put(kObjects, ObjectKey(7, "large"), Encode(large));
  });
  EXPECT_THAT(Found(), UnorderedElementsAre(R"(damage bytes_missing bucket "plain", key "lost")",
                                            R"(damage sizes_differ bucket "plain", key "cut")",
                                            R"(damage sizes_differ bucket "plain", key "large")"));
}

TEST_F(R2CheckTest, WhatNobodyNamesIsLeftOver) {
  MakeUploads();
  const Stamp lone{5, 6};
  const std::string folder = directory_ / "objects/blobs/00";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/" + lone.Text()) << "x";
  std::ofstream(folder + "/notes.txt") << "x";
  std::ofstream(directory_ / "objects/blobs/loose") << "x";
  Change([&](auto& batch) {
    batch.Put(kInline, lone.Bytes(), "bytes");
    batch.Put(kBlobs, Stamp{9, 9}.Bytes(), ObjectKey(7, "once"));
    batch.Delete(kUploads, UploadKey(7, "open", open_));
  });
  EXPECT_THAT(Found(), UnorderedElementsAre(
                           "leftover bytes_of_no_object version " + lone.Text(),
                           StartsWith("leftover file_of_no_record " + (directory_ / "objects")),
                           "leftover file_of_no_record " + folder + "/" + lone.Text(),
                           "leftover unknown_file " + folder + "/notes.txt",
                           "leftover unknown_file " + (directory_ / "objects/blobs/loose"),
                           "leftover part_of_no_upload upload " + open_.Text() + ", part 1"));
}

TEST_F(R2CheckTest, ObjectsOfNoBucketAreCounted) {
  ASSERT_THAT(Put(kPlain, "a", "x"), IsOk());
  ASSERT_THAT(Put(kPlain, "b", "x"), IsOk());
  EXPECT_THAT(Found(false, {{{8, "versions"}}}), ElementsAre("leftover bucket_gone bucket 7"));
  EXPECT_THAT(Found(false, std::nullopt), IsEmpty());
}

TEST_F(R2CheckTest, AStoreThatIsNotThereIsDamaged) {
  Close();
  std::filesystem::remove_all(directory_ / "objects/blobs");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("damage store_damaged")));
  std::filesystem::remove_all(directory_ / "objects");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("damage store_damaged")));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "objects")) << "nothing is made";
}

TEST_F(R2CheckTest, AStopEndsIt) {
  ASSERT_THAT(Put(kPlain, "a", "x"), IsOk());
  Close();
  std::stop_source stop;
  stop.request_stop();
  context_.stop = stop.get_token();
  Findings findings;
  EXPECT_EQ(
      CodeOf(CheckR2(context_, *disk_, {directory_ / "objects", true, {}}, findings).status()),
      FaultCode::kStopped);
}

}  // namespace
}  // namespace levada::services::r2
