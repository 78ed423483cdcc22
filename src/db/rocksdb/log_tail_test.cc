#include "db/rocksdb/log_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
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
  /// A store's log of records of these sizes; begins_ is where each of them begins. The store as it
  /// was when its process ended is in "killed".
  std::string LogOf(const std::vector<size_t>& sizes) {
    const auto store = ValueOf(Store::Open(Options()));
    for (size_t i = 0; i < sizes.size(); ++i) {
      begins_.push_back(std::filesystem::file_size(LogPath()));
      Batch batch;
      values_.push_back(RandomValue(*random_, sizes[i]));
      batch.Put(0, std::to_string(i), values_.back());
      EXPECT_THAT(store->Write({&batch}), IsOk());
    }
    std::filesystem::copy(directory_ / "store", directory_ / "killed");
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

/// Without the part of a sector that is behind `begin`.
std::string WithoutSector(std::string log, uint64_t begin, size_t sector) {
  const size_t from = std::max<size_t>(begin, sector * kSector);
  const size_t size = std::min(log.size(), (sector + 1) * kSector) - from;
  return log.replace(from, size, size, '\0');
}

TEST_F(LogTail, IsTheLastRecordWhicheverSectorItLacks) {
  const std::string log = LogOf({10, 3000, 80'000});
  for (size_t sector = begins_[2] / kSector; sector * kSector < log.size(); ++sector) {
    const std::string torn = WithoutSector(log, begins_[2], sector);
    EXPECT_EQ(SizeWithoutTornTail(torn), begins_[2]) << sector;
  }
}

TEST_F(LogTail, IsNotALastRecordThatHasItsSectors) {
  const std::string log = LogOf({10, 3000, 80'000});
  for (uint64_t at = begins_[2]; at < log.size(); at += at < begins_[2] + 40 ? 1 : 97) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_EQ(SizeWithoutTornTail(damaged), std::nullopt) << at;
  }
}

TEST_F(LogTail, IsNotADamagedRecordBeforeAnother) {
  const std::string log = LogOf({10, 50'000, 20});
  for (uint64_t at = 0; at < begins_[2]; at += at < 100 ? 1 : 97) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_EQ(SizeWithoutTornTail(damaged), std::nullopt) << at;
    if (at / kSector == begins_[2] / kSector) break;
    EXPECT_EQ(SizeWithoutTornTail(WithoutSector(log, 0, at / kSector)), std::nullopt) << at;
  }
}

TEST_F(LogTail, EndsAtARecordWhateverIsThere) {
  const std::string log = LogOf({10, 40'000, 70'000});
  for (uint64_t size = 0; size <= log.size(); size += size < 200 ? 1 : 61) {
    for (const char filler : {'\0', '\xff'}) {
      const std::string other = log.substr(0, size) + std::string(log.size() - size, filler);
      for (const std::string_view each : {std::string_view(other).substr(0, size), {other}}) {
        const std::optional<uint64_t> kept = SizeWithoutTornTail(each);
        const bool is_border = !kept || std::ranges::find(begins_, *kept) != begins_.end();
        EXPECT_TRUE(is_border) << size;
      }
    }
  }
}

TEST_F(LogTail, AStoreOpensWithoutAWriteThatAPowerLossTore) {
  const std::string log = LogOf({10, 3000, 80'000});
  int cut = 0;
  for (int trial = 0; trial < 30; ++trial) {
    std::filesystem::remove_all(directory_ / "store");
    std::filesystem::copy(directory_ / "killed", directory_ / "store");
    std::string torn = log;
    for (size_t sector = begins_[2] / kSector; sector * kSector < log.size(); ++sector) {
      if (random_->Next() % 2 == 0) torn = WithoutSector(std::move(torn), begins_[2], sector);
    }
    std::ofstream(LogPath(), std::ios::binary) << torn;
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
