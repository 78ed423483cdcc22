#include "db/rocksdb/log_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/testing.h"
#include "db/rocksdb/store.h"
#include "os/temporary_directory.h"

namespace levada::db::rocks {
namespace {

constexpr size_t kSector = 512;

std::string RandomValue(Random& random, size_t size) {
  std::string value;
  while (value.size() < size) value.push_back(static_cast<char>(random.Next()));
  return value;
}

class LogTail : public testing::Test {
 protected:
  StoreOptions Options() {
    StoreOptions options;
    options.path = directory_ / "store";
    options.families = {{.name = "a"}};
    return options;
  }
  std::string LogPath() {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "store")) {
      if (entry.path().extension() == ".log") found = entry.path();
    }
    return found;
  }
  std::string ReadLog() {
    std::ifstream file(LogPath(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// A store's log of records of these sizes; begins_ is where each of them begins.
  std::string LogOf(const std::vector<size_t>& sizes) {
    const auto store = ValueOf(Store::Open(Options()));
    for (size_t i = 0; i < sizes.size(); ++i) {
      begins_.push_back(std::filesystem::file_size(LogPath()));
      Batch batch;
      values_.push_back(RandomValue(*random_, sizes[i]));
      batch.Put(0, std::to_string(i), values_.back());
      EXPECT_THAT(store->Write({&batch}), IsOk());
    }
    return ReadLog();
  }

  os::TemporaryDirectory directory_;
  const std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  std::vector<uint64_t> begins_;
  std::vector<std::string> values_;
};

TEST_F(LogTail, OfAWholeLogIsNothing) {
  const std::string log = LogOf({10, 40'000, 0, 32'700, 100'000, 5});
  EXPECT_EQ(SizeWithoutTornTail(log), std::nullopt);
  EXPECT_EQ(SizeWithoutTornTail(""), std::nullopt);
}

TEST_F(LogTail, IsTheLastRecordWhereverThatIsDamaged) {
  const std::string log = LogOf({10, 3000, 80'000});
  for (uint64_t at = begins_[2]; at < log.size(); at += at < begins_[2] + 40 ? 1 : 97) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_EQ(SizeWithoutTornTail(damaged), begins_[2]) << at;
  }
}

TEST_F(LogTail, IsNotADamagedRecordBeforeAnother) {
  const std::string log = LogOf({10, 50'000, 20});
  for (uint64_t at = 0; at < begins_[2]; at += at < 100 ? 1 : 97) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_EQ(SizeWithoutTornTail(damaged), std::nullopt) << at;
  }
}

TEST_F(LogTail, EndsAtARecordWhereverTheLogIsCut) {
  const std::string log = LogOf({10, 40'000, 70'000});
  for (uint64_t size = 0; size <= log.size(); size += size < 200 ? 1 : 61) {
    const std::optional<uint64_t> kept = SizeWithoutTornTail(std::string_view(log).substr(0, size));
    if (!kept) continue;
    EXPECT_LE(*kept, size);
    EXPECT_NE(std::ranges::find(begins_, *kept), begins_.end()) << size;
  }
}

TEST_F(LogTail, AStoreOpensWithoutAWriteThatAPowerLossTore) {
  const std::string log = LogOf({10, 3000, 80'000});
  const std::string path = LogPath();
  const std::filesystem::path whole = directory_ / "whole";
  std::filesystem::copy(directory_ / "store", whole);
  int cut = 0;
  for (int trial = 0; trial < 30; ++trial) {
    std::filesystem::remove_all(directory_ / "store");
    std::filesystem::copy(whole, directory_ / "store");
    std::string torn = log;
    for (size_t sector = begins_[2] / kSector + 1; sector * kSector < log.size(); ++sector) {
      if (random_->Next() % 2 == 0) continue;
      const size_t size = std::min(kSector, log.size() - sector * kSector);
      torn.replace(sector * kSector, size, size, '\0');
    }
    std::ofstream(path, std::ios::binary) << torn;
    const auto store = ValueOf(Store::Open(Options()));
    EXPECT_EQ(ValueOf(store->Get(0, "0")), values_[0]);
    EXPECT_EQ(ValueOf(store->Get(0, "1")), values_[1]);
    EXPECT_EQ(ValueOf(store->Get(0, "2")), std::nullopt);
    cut += store->torn_bytes() == 0 ? 0 : 1;
  }
  // The others end in zeros, which RocksDB takes for the end.
  EXPECT_GT(cut, 10);
}

}  // namespace
}  // namespace levada::db::rocks
