#include "services/r2/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "services/r2/store_fixture.h"

namespace levada::services::r2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Bucket kPlain{1, Versioning::kOff};
constexpr Bucket kVersioned{2, Versioning::kEnabled};

std::string Text(size_t size, uint64_t seed = 1) {
  const auto random = MakeSeededRandom(seed);
  std::string text;
  while (text.size() < size) text.push_back(static_cast<char>(random->Next()));
  return text;
}

R2ErrorCode CodeOf(const Status& status) { return R2ErrorCodeOf(status); }

VersionChoice Version(const ObjectRecord& record) {
  return {VersionChoice::Kind::kStamp, record.version};
}

TEST_F(ObjectStoreTest, KeepsObjectsOfEverySizeOverARestart) {
  std::map<std::string, std::string> written;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{1000}, size_t{1001}, kBlockBytes, 3 * kBlockBytes + 5}) {
    const std::string key = "k" + std::to_string(size);
    written[key] = Text(size, size + 1);
    const ObjectRecord record = ValueOf(Put(kPlain, key, written[key]));
    EXPECT_EQ(record.bytes, size);
    EXPECT_EQ(record.segments.size(), size > 1000 ? 1U : 0U);
    EXPECT_EQ(record.etag, checksums::DigestOf(checksums::Algorithm::kMd5, written[key])->Hex());
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& [key, text] : written) EXPECT_EQ(Get(kPlain, key), text) << key;
    Reopen();
  }
  EXPECT_EQ(Get(Bucket{3}, "k1"), std::nullopt) << "another bucket";
}

TEST_F(ObjectStoreTest, ReadsAnyRange) {
  const std::string text = Text(2 * kBlockBytes + 100);
  ASSERT_THAT(Put(kPlain, "k", text), IsOk());
  for (const ByteRange range :
       {ByteRange{0, 1}, ByteRange{kBlockBytes - 1, 2}, ByteRange{kBlockBytes, kBlockBytes},
        ByteRange{2 * kBlockBytes + 99, 1}, ByteRange{5, text.size() - 5}, ByteRange{7, 0}}) {
    OpenedObject opened = ValueOf(Wait(store_->OpenObject(kPlain, "k", {})));
    EXPECT_EQ(ValueOf(ReadAll(std::move(opened), range)), text.substr(range.begin, range.bytes));
  }
}

TEST_F(ObjectStoreTest, ARereadOfWhatIsOverwrittenMeanwhileGivesTheOld) {
  for (const size_t size : {size_t{500}, 3 * kBlockBytes}) {
    const std::string old = Text(size);
    ASSERT_THAT(Put(kPlain, "k", old), IsOk());
    OpenedObject opened = ValueOf(Wait(store_->OpenObject(kPlain, "k", {})));
    ASSERT_THAT(Put(kPlain, "k", "new"), IsOk());
    EXPECT_EQ(ValueOf(ReadAll(std::move(opened), {0, size})), old);
    EXPECT_EQ(Get(kPlain, "k"), "new");
  }
  EXPECT_EQ(Files(), 0U);
}

TEST_F(ObjectStoreTest, TransfersAreBoundedAndSmallObjectsAreNone) {
  limits_.transfers_max = 2;
  Reopen();
  ASSERT_THAT(Put(kPlain, "large", Text(5000)), IsOk());
  ASSERT_THAT(Put(kPlain, "small", "v"), IsOk());
  {
    const OpenedObject first = ValueOf(Wait(store_->OpenObject(kPlain, "large", {})));
    const OpenedObject second = ValueOf(Wait(store_->OpenObject(kPlain, "large", {})));
    EXPECT_TRUE(IsBusy(Wait(store_->OpenObject(kPlain, "large", {})).status()));
    EXPECT_TRUE(IsBusy(Put(kPlain, "k", Text(5000)).status()));
    EXPECT_EQ(Get(kPlain, "small"), "v");
    EXPECT_THAT(Put(kPlain, "small", "w"), IsOk());
  }
  EXPECT_EQ(Get(kPlain, "large"), Text(5000));
  EXPECT_THAT(Put(kPlain, "k", Text(5000)), IsOk());
}

TEST_F(ObjectStoreTest, AConditionIsDecidedByWhatIsReplaced) {
  PutOptions only_new;
  only_new.conditions.none_match = ParseEtagList("*");
  ASSERT_THAT(Put(kPlain, "k", "one", only_new), IsOk());
  EXPECT_EQ(CodeOf(Put(kPlain, "k", "two", only_new).status()), R2ErrorCode::kPrecondition);
  const ObjectRecord record = Wait(store_->OpenObject(kPlain, "k", {}))->record;
  PutOptions only_same;
  only_same.conditions.match = ParseEtagList("\"" + record.etag + "\"");
  ASSERT_THAT(Put(kPlain, "k", Text(2000), only_same), IsOk());
  EXPECT_EQ(CodeOf(Put(kPlain, "k", Text(2000), only_same).status()), R2ErrorCode::kPrecondition);
  EXPECT_EQ(Files(), 1U) << "of what was refused nothing stays";
}

TEST_F(ObjectStoreTest, OfManyThatWriteOnlyIfAbsentOneWins) {
  constexpr int kWriters = 20;
  std::vector<std::unique_ptr<TextSource>> sources;
  std::vector<net::Arrival<Status>> ended;
  for (int i = 0; i < kWriters; ++i) {
    sources.push_back(std::make_unique<TextSource>(Text(2000, static_cast<uint64_t>(i) + 1)));
    ended.emplace_back(running_->loop());
  }
  struct Writer {
    static net::Task<void> Run(ObjectStore& store, TextSource& source, net::Arrival<Status> done) {
      PutOptions options;
      options.conditions.none_match = ParseEtagList("*");
      done.Set((co_await store.Put(kPlain, "k", std::move(options), source)).status());
    }
    static net::Task<Status> Of(net::Arrival<Status> done) { co_return co_await done; }
  };
  for (int i = 0; i < kWriters; ++i) {
    const auto at = static_cast<size_t>(i);
    running_->loop().Spawn(Writer::Run(*store_, *sources[at], ended[at]));
  }
  int won = 0;
  for (const net::Arrival<Status>& each : ended) {
    const Status status = Wait(Writer::Of(each));
    if (status.ok()) {
      ++won;
    } else {
      EXPECT_EQ(CodeOf(status), R2ErrorCode::kPrecondition);
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(Files(), 1U);
}

TEST_F(ObjectStoreTest, DeletingIsOfTheKeyAloneAndRemovesTheFile) {
  ASSERT_THAT(Put(kPlain, "a", Text(5000)), IsOk());
  ASSERT_THAT(Put(kPlain, "ab", "x"), IsOk());
  DeleteTarget target{"a"};
  EXPECT_TRUE(ValueOf(Wait(store_->Delete(kPlain, target))).was_there);
  EXPECT_FALSE(ValueOf(Wait(store_->Delete(kPlain, target))).was_there);
  EXPECT_THAT(Keys(kPlain), ElementsAre("ab"));
  EXPECT_EQ(Files(), 0U);
}

TEST_F(ObjectStoreTest, ListsByPrefixAndDelimiterPageByPage) {
  for (const char* key : {"a", "a/1", "a/2/x", "a/2/y", "b", "c/", "c/d"}) {
    ASSERT_THAT(Put(kPlain, key, "v"), IsOk());
  }
  ListRequest request;
  request.delimiter = "/";
  for (const size_t limit : {size_t{1}, size_t{2}, size_t{1000}}) {
    request.limit = limit;
    request.after.clear();
    std::vector<std::string> all;
    do {
      const ListPage page = ValueOf(Wait(store_->List(kPlain, request)));
      EXPECT_LE(page.objects.size() + page.prefixes.size(), limit);
      for (const ListedObject& object : page.objects) all.push_back(object.key);
      for (const std::string& prefix : page.prefixes) all.push_back(prefix);
      request.after = page.next;
    } while (!request.after.empty());
    std::ranges::sort(all);
    EXPECT_THAT(all, ElementsAre("a", "a/", "b", "c/")) << limit;
  }
  ListRequest below;
  below.prefix = "a/";
  below.delimiter = "/";
  const ListPage page = ValueOf(Wait(store_->List(kPlain, below)));
  EXPECT_THAT(page.prefixes, ElementsAre("a/2/"));
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].key, "a/1");
  ListRequest inside;
  inside.delimiter = "/";
  inside.after = "a/1";  // inside "a/", which is behind us then
  EXPECT_THAT(Keys(kPlain, inside), ElementsAre("b"));
}

TEST_F(ObjectStoreTest, AnUploadBecomesAnObjectOfItsPartsInOrder) {
  const UploadRecord upload = ValueOf(Wait(store_->CreateUpload(kPlain, "k", {})));
  std::vector<CompletedPart> parts;
  std::string whole;
  for (const int number : {3, 1, 2}) {
    TextSource source(Text(static_cast<size_t>(number) * 1000, 7));
    const PartRecord part =
        ValueOf(Wait(store_->PutPart(kPlain, "k", upload.upload, number, {}, source)));
    parts.push_back({number, checksums::Digest(part.md5).Hex(), {}});
  }
  EXPECT_EQ(Get(kPlain, "k"), std::nullopt) << "not before it is complete";
  CompleteOptions unordered;
  unordered.parts = parts;
  EXPECT_EQ(CodeOf(Wait(store_->CompleteUpload(kPlain, "k", upload.upload, unordered)).status()),
            R2ErrorCode::kBadPartOrder);
  std::ranges::sort(parts, {}, &CompletedPart::number);
  CompleteOptions two_of_three;
  two_of_three.parts = {parts[0], parts[2]};
  const ObjectRecord object =
      ValueOf(Wait(store_->CompleteUpload(kPlain, "k", upload.upload, two_of_three)));
  EXPECT_TRUE(object.etag.ends_with("-2"));
  EXPECT_EQ(Get(kPlain, "k"), Text(1000, 7) + Text(3000, 7));
  // Whoever did not hear of it asks again.
  EXPECT_EQ(ValueOf(Wait(store_->CompleteUpload(kPlain, "k", upload.upload, two_of_three))),
            object);
  EXPECT_EQ(Files(), 2U) << "the part that was not named is gone";
  ASSERT_THAT(Put(kPlain, "k", "v"), IsOk());
  EXPECT_EQ(CodeOf(Wait(store_->CompleteUpload(kPlain, "k", upload.upload, two_of_three)).status()),
            R2ErrorCode::kNoSuchUpload);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(ObjectStoreTest, APartThatIsSentAgainReplacesTheFirst) {
  const UploadRecord upload = ValueOf(Wait(store_->CreateUpload(kPlain, "k", {})));
  PartRecord part;
  for (const char* text : {"first", "second"}) {
    TextSource source(text);
    part = ValueOf(Wait(store_->PutPart(kPlain, "k", upload.upload, 1, {}, source)));
  }
  CompleteOptions options;
  options.parts = {{1, checksums::Digest(part.md5).Hex(), {}}};
  ASSERT_THAT(Wait(store_->CompleteUpload(kPlain, "k", upload.upload, options)), IsOk());
  EXPECT_EQ(Get(kPlain, "k"), "second");
  EXPECT_EQ(Files(), 1U);
}

TEST_F(ObjectStoreTest, AnAbortedUploadLeavesNothing) {
  const UploadRecord upload = ValueOf(Wait(store_->CreateUpload(kPlain, "k", {})));
  TextSource source("part");
  ASSERT_THAT(Wait(store_->PutPart(kPlain, "k", upload.upload, 1, {}, source)), IsOk());
  ASSERT_THAT(Wait(store_->AbortUpload(kPlain, "k", upload.upload)), IsOk());
  TextSource late("late");
  EXPECT_EQ(CodeOf(Wait(store_->PutPart(kPlain, "k", upload.upload, 2, {}, late)).status()),
            R2ErrorCode::kNoSuchUpload);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(ObjectStoreTest, ABucketOfOldVersionsSaysWhyItIsNotEmpty) {
  ASSERT_THAT(Put(kVersioned, "k", "v"), IsOk());
  EXPECT_THAT(Wait(store_->CloseBucket(kVersioned)).message(), Not(HasSubstr("versions")));
  ASSERT_THAT(Wait(store_->Delete(kVersioned, DeleteTarget{"k"})), IsOk());
  const Status refused = Wait(store_->CloseBucket(kVersioned));
  EXPECT_EQ(CodeOf(refused), R2ErrorCode::kBucketNotEmpty);
  EXPECT_THAT(refused.message(), HasSubstr("list-object-versions"));
}

TEST_F(ObjectStoreTest, AClosedBucketTakesNothingAndAFullOneStaysOpen) {
  ASSERT_THAT(Put(kPlain, "k", "v"), IsOk());
  EXPECT_EQ(CodeOf(Wait(store_->CloseBucket(kPlain))), R2ErrorCode::kBucketNotEmpty);
  ASSERT_THAT(Put(kPlain, "k2", "v"), IsOk());
  for (const char* key : {"k", "k2"}) {
    ASSERT_THAT(Wait(store_->Delete(kPlain, DeleteTarget{key})), IsOk());
  }
  const UploadRecord upload = ValueOf(Wait(store_->CreateUpload(kPlain, "k", {})));
  TextSource source("part");
  ASSERT_THAT(Wait(store_->PutPart(kPlain, "k", upload.upload, 1, {}, source)), IsOk());
  ASSERT_THAT(Wait(store_->CloseBucket(kPlain)), IsOk());
  EXPECT_EQ(CodeOf(Put(kPlain, "k", Text(5000)).status()), R2ErrorCode::kNoSuchBucket);
  EXPECT_EQ(Files(), 0U) << "of its uploads neither";
}

TEST_F(ObjectStoreTest, FilesThatNoRecordNamesAreSweptWhenTheyAreOld) {
  ASSERT_THAT(Put(kPlain, "k", Text(5000)), IsOk());
  const Stamp old{1, 2};
  const auto writer = ValueOf(store_->blobs().Create(old, {}));
  ASSERT_THAT(store_->blobs().Finish(old, *writer), IsOk());
  const Stamp of_now{static_cast<uint64_t>(clock_.Now()) + 1000, 3};
  const auto newer = ValueOf(store_->blobs().Create(of_now, {}));
  EXPECT_EQ(ValueOf(store_->Sweep([] { return false; })), 1U);
  EXPECT_EQ(Get(kPlain, "k"), Text(5000));
  EXPECT_EQ(Files(), 2U) << "one may be on its way";
}

TEST_F(ObjectStoreTest, AnObjectWithAClientsKeyNeedsIt) {
  for (const size_t size : {size_t{0}, size_t{10}, 2 * kBlockBytes}) {
    PutOptions options;
    options.key = CustomerKey::Of(std::string(32, 'k'));
    const ObjectRecord record = ValueOf(Put(kPlain, "k", Text(size), options));
    EXPECT_EQ(record.customer_key_md5, options.key->md5());
    EXPECT_EQ(Get(kPlain, "k", {}, options.key), Text(size));
  }
}

TEST_F(ObjectStoreTest, DeletesManyAndTwoVersionsOfOneKey) {
  const ObjectRecord first = ValueOf(Put(kVersioned, "a", "1"));
  const ObjectRecord second = ValueOf(Put(kVersioned, "a", "2"));
  ASSERT_THAT(Put(kVersioned, "b", Text(5000)), IsOk());
  const std::vector<Deleted> deleted = ValueOf(Wait(store_->DeleteMany(
      kVersioned, {{"a", Version(second)}, {"b"}, {"a", Version(first)}, {"none"}})));
  ASSERT_EQ(deleted.size(), 4U);
  EXPECT_TRUE(deleted[0].was_there && deleted[2].was_there);
  EXPECT_TRUE(deleted[1].is_delete_marker && deleted[3].is_delete_marker);
  EXPECT_THAT(Keys(kVersioned), IsEmpty());
  EXPECT_EQ(ValueOf(Wait(store_->ListVersions(kVersioned, {}))).objects.size(), 3U);
}

/// Gives its bytes when it is told to.
class HeldSource final : public ObjectSource {
 public:
  explicit HeldSource(net::Loop& loop) : go_(loop) {}
  void Go() const { go_.Set(true); }
  net::Task<Result<std::string_view>> Read() override {
    if (std::exchange(is_read_, true)) co_return std::string_view();
    co_await go_;
    co_return std::string_view("late");
  }
  std::optional<uint64_t> declared_bytes() const override { return 4; }
  std::vector<checksums::Algorithm> algorithms() const override { return {}; }
  Result<std::vector<StoredChecksum>> Check(const Computed&) override {
    return std::vector<StoredChecksum>();
  }

 private:
  net::Arrival<bool> go_;
  bool is_read_ = false;
};

TEST_F(ObjectStoreTest, AnUploadThatBeganBeforeVersionsWereKeptReplacesNone) {
  HeldSource source(running_->loop());
  const net::Arrival<Status> ended(running_->loop());
  struct Writer {
    static net::Task<void> Run(ObjectStore& store, HeldSource& bytes, net::Arrival<Status> done) {
      done.Set((co_await store.Put(kPlain, "k", {}, bytes)).status());
    }
    static net::Task<Status> Of(net::Arrival<Status> done) { co_return co_await done; }
  };
  running_->loop().Spawn(Writer::Run(*store_, source, ended));
  running_->Do([this] { store_->SetVersioning(kPlain.number, Versioning::kEnabled); });
  ASSERT_THAT(Put(kPlain, "k", "kept"), IsOk());
  source.Go();
  ASSERT_THAT(Wait(Writer::Of(ended)), IsOk());
  EXPECT_EQ(ValueOf(Wait(store_->ListVersions(kPlain, {}))).objects.size(), 2U);
  EXPECT_EQ(Get(kPlain, "k"), "late");
}

// ---- a model of versions, and random histories

struct ModelVersion {
  Stamp stamp;
  bool is_null = false;
  bool is_marker = false;
  std::string text;
};

/// The versions of each key, the newest first, as S3's documentation has them.
class Model {
 public:
  void Put(const std::string& key, Versioning versioning, const ObjectRecord& record,
           const std::string& text) {
    Add(key, versioning, {record.version, record.is_null_version, false, text});
  }
  void Delete(const std::string& key, Versioning versioning, const Deleted& deleted) {
    if (versioning == Versioning::kOff) {
      keys_[key].clear();
    } else {
      Add(key, versioning, {deleted.version->version, deleted.version->is_null_version, true, {}});
    }
  }
  void DeleteVersion(const std::string& key, const Stamp& stamp) {
    std::erase_if(keys_[key], [&](const ModelVersion& each) { return each.stamp == stamp; });
  }
  const std::vector<ModelVersion>& Versions(const std::string& key) { return keys_[key]; }
  const std::map<std::string, std::vector<ModelVersion>>& keys() const { return keys_; }

 private:
  void Add(const std::string& key, Versioning versioning, ModelVersion version) {
    std::vector<ModelVersion>& versions = keys_[key];
    EXPECT_EQ(version.is_null, versioning != Versioning::kEnabled);
    if (version.is_null) {
      std::erase_if(versions, [](const ModelVersion& each) { return each.is_null; });
    }
    for (const ModelVersion& each : versions) EXPECT_LT(each.stamp, version.stamp);
    versions.insert(versions.begin(), std::move(version));
  }
  std::map<std::string, std::vector<ModelVersion>> keys_;
};

class ObjectHistories : public ObjectStoreTest, public testing::WithParamInterface<uint64_t> {
 protected:
  void Compare(Bucket bucket, Model& model) {
    std::vector<std::string> current;
    std::vector<std::string> listed;
    for (const auto& [key, versions] : model.keys()) {
      const bool has_current = !versions.empty() && !versions.front().is_marker;
      EXPECT_EQ(Get(bucket, key), has_current ? std::optional(versions.front().text) : std::nullopt)
          << key;
      if (has_current) current.push_back(key);
      for (const ModelVersion& version : versions) {
        const VersionChoice choice =
            version.is_null ? VersionChoice{VersionChoice::Kind::kNull, {}}
                            : VersionChoice{VersionChoice::Kind::kStamp, version.stamp};
        EXPECT_EQ(Get(bucket, key, choice),
                  version.is_marker ? std::nullopt : std::optional(version.text));
        listed.push_back(key + " " + version.stamp.Text() + (version.is_marker ? " marker" : "") +
                         (&version == &versions.front() ? " latest" : ""));
      }
    }
    EXPECT_EQ(Keys(bucket), current);
    std::vector<std::string> found;
    ListRequest request;
    request.limit = 3;
    do {
      const ListPage page = ValueOf(Wait(store_->ListVersions(bucket, request)));
      for (const ListedObject& object : page.objects) {
        found.push_back(object.key + " " + object.record.version.Text() +
                        (object.record.is_delete_marker ? " marker" : "") +
                        (object.is_latest ? " latest" : ""));
      }
      request.after = page.next;
      request.after_version = page.next_version;
    } while (!request.after.empty());
    EXPECT_EQ(found, listed);
  }
};

TEST_P(ObjectHistories, AgreeWithTheModel) {
  const auto random = MakeSeededRandom(GetParam());
  Model model;
  Bucket bucket{9, Versioning::kOff};
  const std::vector<std::string> keys = {"a", "a/b", std::string("a\0", 2), "b"};
  for (int step = 0; step < 120; ++step) {
    const std::string& key = keys[random->Next() % keys.size()];
    // A clock that is set back and forth orders nothing.
    clock_.Set(clock_.Now() + static_cast<int64_t>(random->Next() % 2000) - 1000);
    switch (random->Next() % 12) {
      case 0:
        if (random->Next() % 3 == 0) bucket.versioning = Versioning::kEnabled;
        break;
      case 1:
        if (bucket.versioning == Versioning::kEnabled) bucket.versioning = Versioning::kSuspended;
        break;
      case 2:
      case 3: {
        const Deleted deleted = ValueOf(Wait(store_->Delete(bucket, DeleteTarget{key})));
        model.Delete(key, bucket.versioning, deleted);
        break;
      }
      case 4:
      case 5: {
        const auto& versions = model.Versions(key);
        if (versions.empty()) break;
        const Stamp stamp = versions[random->Next() % versions.size()].stamp;
        DeleteTarget target{key, {VersionChoice::Kind::kStamp, stamp}};
        EXPECT_TRUE(ValueOf(Wait(store_->Delete(bucket, target))).was_there);
        model.DeleteVersion(key, stamp);
        break;
      }
      default: {
        const std::string text = Text(random->Next() % 3 == 0 ? 3000 : 20, random->Next());
        model.Put(key, bucket.versioning, ValueOf(Put(bucket, key, text)), text);
      }
    }
    if (step % 30 == 29) {
      Compare(bucket, model);
      Reopen();
    }
  }
  Compare(bucket, model);
  size_t expected_files = 0;
  for (const auto& [key, versions] : model.keys()) {
    for (const ModelVersion& version : versions)
      expected_files += version.text.size() > 1000 ? 1 : 0;
  }
  EXPECT_EQ(Files(), expected_files);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ObjectHistories, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace levada::services::r2
