#include "services/kv/kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "base/testing.h"
#include "os/temporary_directory.h"

namespace levada::services::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallMicros kSecond = 1'000'000;

class KvStoreTest : public testing::Test {
 protected:
  KvStoreTest() { Open(); }

  void Open() {
    store_.reset();
    store_ = ValueOf(KvStore::Open(directory_ / "kv", limits_, clock_, *log_));
  }
  Status Wait(const std::function<bool(KvStore::Done)>& submit) {
    std::promise<Status> promise;
    if (!submit([&promise](const Status& status) { promise.set_value(status); })) {
      return Status::Invalid("full");
    }
    return promise.get_future().get();
  }
  void Put(uint64_t space, const std::string& key, const std::string& value,
           std::optional<int64_t> expires_s = {}, const std::string& metadata = {}) {
    EXPECT_THAT(Wait([&](KvStore::Done done) {
                  return store_->Put(space, {{key, {value, metadata, expires_s}}}, std::move(done));
                }),
                IsOk());
  }
  void Delete(uint64_t space, const std::string& key) {
    EXPECT_THAT(
        Wait([&](KvStore::Done done) { return store_->Delete(space, {key}, std::move(done)); }),
        IsOk());
  }
  std::optional<std::string> Value(uint64_t space, const std::string& key) {
    const std::optional<KvEntry> entry = ValueOf(store_->Get(space, key));
    // From memory the answer is the same or none.
    const KvCachedEntry cached = ValueOf(store_->GetCached(space, key));
    if (cached.known) {
      EXPECT_EQ(cached.entry.has_value(), entry.has_value()) << key;
    }
    if (!entry) return std::nullopt;
    if (cached.known) {
      EXPECT_EQ(cached.entry->value, entry->value) << key;
    }
    return entry->value;
  }
  std::vector<std::string> Keys(uint64_t space, const std::string& prefix, int64_t limit = 1000) {
    std::vector<std::string> keys;
    std::string cursor;
    do {
      const KvPage page = ValueOf(store_->List(space, prefix, cursor, limit)).value();
      EXPECT_LE(static_cast<int64_t>(page.keys.size()), limit);
      for (const KvListed& key : page.keys) keys.push_back(key.key);
      cursor = page.cursor;
    } while (!cursor.empty());
    return keys;
  }

  KvLimits limits_;
  os::TemporaryDirectory directory_;
  ManualClock clock_{1'000'000 * kSecond};
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<KvStore> store_;
};

TEST_F(KvStoreTest, KeepsValuesOfEverySizeOverARestart) {
  std::map<std::string, std::string> written;
  for (const size_t size : {0UL, 1UL, 4096UL, 4097UL, 65535UL, 65536UL, 3UL << 20}) {
    std::string value(size, '\0');
    for (size_t i = 0; i < size; ++i) value[i] = static_cast<char>(i * 7 + size);
    Put(1, "key " + std::to_string(size), value);
    written["key " + std::to_string(size)] = value;
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& [key, value] : written) EXPECT_EQ(Value(1, key), value) << key;
    Open();
  }
}

TEST_F(KvStoreTest, NamespacesSeeNothingOfEachOther) {
  Put(1, "key", "one");
  Put(2, "key", "two");
  EXPECT_EQ(Value(1, "key"), "one");
  EXPECT_EQ(Value(2, "key"), "two");
  EXPECT_EQ(Value(3, "key"), std::nullopt);
  Delete(1, "key");
  EXPECT_EQ(Value(1, "key"), std::nullopt);
  EXPECT_EQ(Value(2, "key"), "two");
}

TEST_F(KvStoreTest, TheLastWriteWinsWhateverTheSizes) {
  const std::string big(100'000, 'b');
  const std::string bigger(200'000, 'c');
  for (const std::string& value : {std::string("small"), big, std::string("s"), bigger, big}) {
    Put(1, "key", value);
    EXPECT_EQ(Value(1, "key"), value);
  }
  Delete(1, "key");
  EXPECT_EQ(Value(1, "key"), std::nullopt);
  Put(1, "key", "again");
  EXPECT_EQ(Value(1, "key"), "again");
}

TEST_F(KvStoreTest, WritesThatOvertakeEachOtherInTheQueueLeaveTheLast) {
  const std::string big(50'000, 'b');
  std::vector<std::future<Status>> written;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<Status>>();
    written.push_back(promise->get_future());
    ASSERT_TRUE(store_->Put(1, {{"key", {i % 2 == 0 ? big : std::to_string(i), "", {}}}},
                            [promise](const Status& status) { promise->set_value(status); }));
  }
  for (auto& each : written) EXPECT_THAT(each.get(), IsOk());
  EXPECT_EQ(Value(1, "key"), "199");
  Open();
  EXPECT_EQ(Value(1, "key"), "199");
}

TEST_F(KvStoreTest, WhatExpiredIsGoneFromReadsAndLists) {
  const std::string big(100'000, 'b');
  Put(1, "soon", "v", 1'000'060);
  Put(1, "soon big", big, 1'000'060);
  Put(1, "later", "v", 1'000'120);
  Put(1, "never", "v");
  EXPECT_EQ(ValueOf(store_->Get(1, "soon"))->expires_s, 1'000'060);
  clock_.Set(1'000'059 * kSecond);
  EXPECT_EQ(Value(1, "soon big"), big);
  clock_.Set(1'000'060 * kSecond);
  EXPECT_EQ(Value(1, "soon"), std::nullopt);
  EXPECT_EQ(Value(1, "soon big"), std::nullopt);
  EXPECT_THAT(Keys(1, ""), ElementsAre("later", "never"));
  Put(1, "soon", "anew");
  EXPECT_EQ(Value(1, "soon"), "anew");
}

TEST_F(KvStoreTest, MetadataComesWithTheValueAndTheList) {
  Put(1, "key", "v", {}, R"({"a":[1]})");
  EXPECT_EQ(ValueOf(store_->Get(1, "key"))->metadata, R"({"a":[1]})");
  EXPECT_EQ(ValueOf(store_->List(1, "", "", 10))->keys[0].metadata, R"({"a":[1]})");
  Put(1, "key", "v");
  EXPECT_EQ(ValueOf(store_->Get(1, "key"))->metadata, "");
}

TEST_F(KvStoreTest, ListsInByteOrderByPrefixPageByPage) {
  for (const char* key : {"b", "a/2", "a/1", "a", "\xc3\xa9", "a/\xff", "B"}) Put(1, key, "v");
  Put(2, "a/3", "v");
  for (const int64_t limit : {1, 2, 3, 1000}) {
    EXPECT_THAT(Keys(1, "", limit), ElementsAre("B", "a", "a/1", "a/2", "a/\xff", "b", "\xc3\xa9"));
    EXPECT_THAT(Keys(1, "a/", limit), ElementsAre("a/1", "a/2", "a/\xff"));
    EXPECT_THAT(Keys(1, "c", limit), IsEmpty());
  }
}

TEST_F(KvStoreTest, ACursorHoldsOverARestartAndOverDeletedKeys) {
  for (const char* key : {"a", "b", "c", "d"}) Put(1, key, "v");
  const KvPage first = ValueOf(store_->List(1, "", "", 2)).value();
  Delete(1, "b");
  Open();
  const KvPage second = ValueOf(store_->List(1, "", first.cursor, 2)).value();
  ASSERT_EQ(second.keys.size(), 2U);
  EXPECT_EQ(second.keys[0].key, "c");
  EXPECT_FALSE(ValueOf(store_->List(2, "", first.cursor, 2)).has_value()) << "another namespace";
  EXPECT_FALSE(ValueOf(store_->List(1, "", "x", 2)).has_value());
}

TEST_F(KvStoreTest, APageOfExpiredKeysIsEmptyAndGoesOn) {
  limits_.list_scanned_max = 3;
  Open();
  for (int i = 0; i < 7; ++i) Put(1, "k" + std::to_string(i), "v", 1'000'060);
  Put(1, "z", "v");
  clock_.Set(1'000'060 * kSecond);
  const KvPage page = ValueOf(store_->List(1, "", "", 10)).value();
  EXPECT_THAT(page.keys, IsEmpty());
  EXPECT_FALSE(page.cursor.empty());
  EXPECT_THAT(Keys(1, ""), ElementsAre("z"));
}

TEST_F(KvStoreTest, ABulkIsWrittenWhole) {
  std::vector<KvPair> pairs;
  for (int i = 0; i < 1000; ++i) {
    pairs.push_back({"k" + std::to_string(i), {std::to_string(i), "", {}}});
  }
  EXPECT_THAT(Wait([&](KvStore::Done done) { return store_->Put(1, pairs, std::move(done)); }),
              IsOk());
  EXPECT_EQ(Keys(1, "").size(), 1000U);
  std::vector<std::string> keys;
  for (int i = 0; i < 999; ++i) keys.push_back("k" + std::to_string(i));
  EXPECT_THAT(Wait([&](KvStore::Done done) { return store_->Delete(1, keys, std::move(done)); }),
              IsOk());
  EXPECT_THAT(Keys(1, ""), ElementsAre("k999"));
}

TEST_F(KvStoreTest, ADroppedNamespaceIsEmptyAndItsNeighboursAreNot) {
  const std::string big(100'000, 'b');
  for (uint64_t space : {1U, 2U, 3U}) {
    Put(space, "small", "v");
    Put(space, "big", big);
  }
  EXPECT_THAT(Wait([&](KvStore::Done done) { return store_->DropNamespace(2, std::move(done)); }),
              IsOk());
  EXPECT_THAT(Keys(2, ""), IsEmpty());
  EXPECT_EQ(Value(2, "big"), std::nullopt);
  for (uint64_t space : {1U, 3U}) {
    EXPECT_THAT(Keys(space, ""), ElementsAre("big", "small"));
    EXPECT_EQ(Value(space, "big"), big);
  }
}

}  // namespace
}  // namespace levada::services::kv
