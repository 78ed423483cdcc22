#include "services/kv/kv_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing.h"
#include "db/rocksdb/store.h"
#include "os/temporary_directory.h"
#include "services/kv/kv_record.h"

namespace levada::services::kv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kNowMs = 1'700'000'000'000;

class KvCheckTest : public testing::Test {
 protected:
  KvCheckTest() { context_.clock = &clock_; }

  /// Writes as the service does, but whatever the test wants.
  void Change(const std::function<void(db::rocks::Batch&)>& change, bool is_last = false) {
    db::rocks::StoreOptions options;
    options.path = directory_ / "kv";
    options.families = {{.name = "keys"}, {.name = "values", .blob_bytes_min = 64 * 1024}};
    const auto store = ValueOf(db::rocks::Store::Open(std::move(options)));
    db::rocks::Batch batch;
    change(batch);
    ASSERT_THAT(store->Write({&batch}), IsOk());
    if (!is_last) return;
    ASSERT_THAT(store->Compact(), IsOk());
  }
  static void PutKey(db::rocks::Batch& batch, const std::string& key, bool value_elsewhere,
                     int64_t expires_ms = 0) {
    KvRecord record;
    record.value_elsewhere = value_elsewhere;
    record.expires_ms = expires_ms;
    if (!value_elsewhere) record.value = "value";
    batch.Put(0, StoreKey(7, key), EncodeRecord(record));
  }
  static void PutValue(db::rocks::Batch& batch, const std::string& key, std::string value,
                       int64_t expires_ms = 0) {
    batch.Put(1, ValueKey(StoreKey(7, key), expires_ms), std::move(value));
  }

  /// "damage record_damaged namespace 97dd, key "k"" of each finding.
  std::vector<std::string> Found(const KnownResources& namespaces = {{{7, "97dd"}}}) {
    Findings findings;
    checked_ = ValueOf(CheckKv(context_, directory_ / "kv", namespaces, findings));
    std::vector<std::string> lines;
    for (const Finding& finding : findings.kept()) {
      EXPECT_EQ(finding.store, "kv");
      lines.push_back((finding.kind == FindingKind::kDamage ? "damage " : "leftover ") +
                      finding.what + " " + finding.where);
    }
    return lines;
  }

  os::TemporaryDirectory directory_;
  ManualClock clock_{kNowMs * 1000};
  Context context_;
  KvChecked checked_;
};

TEST_F(KvCheckTest, AWholeStoreIsClean) {
  Change([](auto& batch) {
    PutKey(batch, "small", false);
    PutKey(batch, "large", true);
    PutValue(batch, "large", std::string(100'000, 'x'));
    PutKey(batch, "expiring", true, kNowMs + 1);
    PutValue(batch, "expiring", "x", kNowMs + 1);
  });
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(checked_.keys, 3U);
  EXPECT_EQ(checked_.value_bytes, 100'006U);
}

TEST_F(KvCheckTest, WhatHasExpiredMayHaveLostAHalf) {
  Change([](auto& batch) {
    PutKey(batch, "a", true, kNowMs);
    PutValue(batch, "b", "x", kNowMs);
  });
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(KvCheckTest, DamagedRecordsAndMissingValuesAreNamed) {
  Change([](auto& batch) {
    batch.Put(0, StoreKey(7, "bad \"key\""), "nonsense");
    batch.Put(0, "short", "x");
    PutKey(batch, "lost", true);
    PutKey(batch, "other", true, kNowMs + 5);
    PutValue(batch, "other", "x", kNowMs + 6);
  });
  EXPECT_THAT(Found(), ElementsAre(R"(damage record_damaged namespace 97dd, key "bad \"key\"")",
                                   R"(damage value_missing namespace 97dd, key "lost")",
                                   R"(damage value_missing namespace 97dd, key "other")",
                                   "damage record_damaged a key of 5 bytes",
                                   R"(leftover value_of_no_key namespace 97dd, key "other")"));
}

TEST_F(KvCheckTest, ADamagedValueIsNamedAndTheOthersAreReadAllTheSame) {
  Change(
      [](auto& batch) {
        for (const char* key : {"a", "b", "c"}) {
          PutKey(batch, key, true);
          PutValue(batch, key, std::string(100'000, *key));
        }
      },
      true);
  // In the blob file that compaction made, the bytes of "b".
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "kv")) {
    if (entry.path().extension() != ".blob") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const size_t at = bytes.find(std::string(1000, 'b'));
    ASSERT_NE(at, std::string::npos);
    file.seekp(static_cast<std::streamoff>(at + 500));
    file.put('x');
  }
  EXPECT_THAT(Found(), ElementsAre(R"(damage value_damaged namespace 97dd, key "b")"));
  EXPECT_EQ(checked_.value_bytes, 200'000U);
}

TEST_F(KvCheckTest, WhatIsOfNoNamespaceIsCounted) {
  Change([](auto& batch) {
    PutKey(batch, "a", false);
    PutKey(batch, "b", false);
  });
  EXPECT_THAT(Found({{{8, "8"}}}), ElementsAre("leftover namespace_gone namespace 7"));
  EXPECT_THAT(Found(std::nullopt), IsEmpty()) << "nobody knows which there are";
}

TEST_F(KvCheckTest, AStoreThatCannotBeOpenedIsDamaged) {
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("damage store_damaged")));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "kv")) << "nothing is made";
}

TEST_F(KvCheckTest, NothingIsChanged) {
  Change([](auto& batch) { PutKey(batch, "a", false); });
  const auto sizes = [this] {
    std::map<std::string, uintmax_t> sizes;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "kv")) {
      const std::string name = entry.path().filename();
      if (!name.starts_with("LOG")) sizes[name] = entry.file_size();  // RocksDB's own notes
    }
    return sizes;
  };
  const auto before = sizes();
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(sizes(), before);
}

TEST_F(KvCheckTest, AStopEndsIt) {
  Change([](auto& batch) { PutKey(batch, "a", false); });
  std::stop_source stop;
  stop.request_stop();
  context_.stop = stop.get_token();
  Findings findings;
  EXPECT_EQ(CodeOf(CheckKv(context_, directory_ / "kv", std::nullopt, findings).status()),
            FaultCode::kStopped);
}

}  // namespace
}  // namespace levada::services::kv
