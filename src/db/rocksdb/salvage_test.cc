#include "db/rocksdb/salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/testing.h"
#include "db/rocksdb/salvaged_family.h"
#include "os/temporary_directory.h"

namespace levada::db::rocks {
namespace {

constexpr int kTables = 3;
constexpr int kKeys = 2000;

class SalvageTest : public testing::Test {
 protected:
  StoreOptions Options(const std::string& name) {
    StoreOptions options;
    options.path = directory_ / name;
    options.families = {{.name = "plain"}, {.name = "blobs", .blob_bytes_min = 1000}};
    return options;
  }

  /// Tables with the same keys, each newer than the one before, and a log. Every third key was
  /// deleted in the last table.
  void Fill() {
    for (int table = 0; table < kTables; ++table) {
      const auto store = ValueOf(Store::Open(Options("whole")));
      Batch batch;
      for (int i = table; i < kKeys; i += table + 1) Put(batch, 0, Key(i), table, 100);
      for (int i = 0; i < 20; ++i) Put(batch, 1, Key(i), table, 5000);
      if (table == kTables - 1) {
        for (int i = 0; i < kKeys; i += 3) Delete(batch, Key(i));
      }
      EXPECT_THAT(store->Write({&batch}), IsOk());
    }
    const auto store = ValueOf(Store::Open(Options("whole")));
    for (int i = 0; i < 100; ++i) {
      Batch batch;
      Put(batch, 0, "log" + std::to_string(i), 0, 1000);
      EXPECT_THAT(store->Write({&batch}), IsOk());
    }
    std::filesystem::copy(directory_ / "whole", directory_ / "damaged");
  }

  Result<Salvaged> Run() {
    return Salvage(ctx_, directory_ / "damaged", Options("new"), directory_ / "work");
  }

  /// Every record of the new store is one of the old; how many are missing.
  size_t Missing(FamilyIndex family) {
    const auto store = ValueOf(Store::Open(Options("new")));
    std::map<std::string, std::string> there;
    const auto at = store->MakeCursor(family, "", "");
    for (; at->Valid(); at->Next()) there[std::string(at->key())] = at->value();
    EXPECT_THAT(at->status(), IsOk());
    for (const auto& [key, value] : there) {
      const auto known = written_[family].find(key);
      if (known == written_[family].end()) {
        ADD_FAILURE() << key << " was deleted";
      } else {
        EXPECT_EQ(value, known->second) << key;
      }
    }
    return written_[family].size() - there.size();
  }

  std::set<std::string> Files(const std::string& extension) {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "damaged")) {
      if (entry.path().extension() == extension) files.insert(entry.path());
    }
    return files;
  }
  /// The table with most bytes, by default.
  std::string Largest(const std::string& extension) {
    const auto files = Files(extension);
    return *std::ranges::max_element(
        files, {}, [](const std::string& path) { return std::filesystem::file_size(path); });
  }
  static void Damage(const std::string& path, double at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<double>(std::filesystem::file_size(path));
    file.seekp(static_cast<std::streamoff>(size * at));
    file.put('\x55');
  }

  static std::string Key(int i) { return "key" + std::to_string(100'000 + i); }
  void Put(Batch& batch, FamilyIndex family, const std::string& key, int table, size_t size) {
    std::string value = key + " " + std::to_string(table) + " ";
    while (value.size() < size) value.push_back(static_cast<char>('a' + random_->Next() % 26));
    written_[family][key] = value;
    history_[family][key].insert(value);
    batch.Put(family, key, value);
  }
  void Delete(Batch& batch, const std::string& key) {
    written_[0].erase(key);
    batch.Delete(0, key);
  }

  os::TemporaryDirectory directory_;
  const Context ctx_;
  const std::unique_ptr<Random> random_ = MakeSeededRandom(11);
  std::map<FamilyIndex, std::map<std::string, std::string>> written_;
  std::map<FamilyIndex, std::map<std::string, std::set<std::string>>> history_;
};

TEST_F(SalvageTest, OfASoundStoreIsAllOfIt) {
  Fill();
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_TRUE(salvaged.keys.empty());
  EXPECT_TRUE(salvaged.left_out.empty());
  EXPECT_FALSE(salvaged.is_rebuilt);
  EXPECT_EQ(Missing(0), 0U);
  EXPECT_EQ(Missing(1), 0U);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "work"));
}

TEST_F(SalvageTest, OfALogWithADamagedRecordIsAllButThat) {
  Fill();
  Damage(Largest(".log"), 0.5);
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_FALSE(salvaged.left_out.empty());
  EXPECT_GE(Missing(0), 1U);
  EXPECT_LE(Missing(0), 40U) << "a block of the log has 32 KiB";
  EXPECT_EQ(Missing(1), 0U);
}

TEST_F(SalvageTest, OfATableWithADamagedBlockIsAllThatTheBlockHidesNothingOf) {
  Fill();
  Damage(Largest(".sst"), 0.3);
  const Salvaged salvaged = ValueOf(Run());
  ASSERT_EQ(salvaged.keys.size(), 1U);
  EXPECT_LT(salvaged.keys[0].after, salvaged.keys[0].before);
  EXPECT_FALSE(salvaged.is_rebuilt);
  EXPECT_GE(Missing(0), 1U);
  EXPECT_LE(Missing(0), 60U) << "a block has 4 KiB";
  EXPECT_EQ(Missing(1), 0U);
}

TEST_F(SalvageTest, OfADamagedBlobIsAllButItsKey) {
  Fill();
  Damage(Largest(".blob"), 0.5);
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_EQ(Missing(0), 0U);
  EXPECT_LE(Missing(1), 1U);
}

TEST_F(SalvageTest, WithoutTheListOfTablesItIsMadeAnew) {
  Fill();
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "damaged")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::remove(entry.path());
    }
  }
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_TRUE(salvaged.is_rebuilt);
  EXPECT_EQ(Missing(0), 0U);
  EXPECT_EQ(Missing(1), 0U);
}

TEST_F(SalvageTest, WithoutTheListOfTablesADamagedBlobIsAllButItsKey) {
  Fill();
  Damage(Largest(".blob"), 0.5);
  std::ofstream(directory_ / "damaged/CURRENT") << "MANIFEST-999999\n";
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_TRUE(salvaged.is_rebuilt);
  EXPECT_EQ(Missing(0), 0U);
  EXPECT_EQ(Missing(1), salvaged.keys.size());
  EXPECT_LE(Missing(1), 1U);
}

TEST_F(SalvageTest, OfATableThatIsGoneIsAllOfTheOthers) {
  Fill();
  std::filesystem::remove(Largest(".sst"));
  const Salvaged salvaged = ValueOf(Run());
  EXPECT_TRUE(salvaged.is_rebuilt);
  EXPECT_GT(Missing(0), 0U);
  EXPECT_LT(Missing(0), written_[0].size());
}

TEST_F(SalvageTest, NothingOfTheDamagedOneIsChanged) {
  Fill();
  Damage(Largest(".sst"), 0.3);
  const auto state = [this] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "damaged")) {
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
  };
  const auto before = state();
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(state(), before);
}

// Whatever is damaged: nothing that was not written comes out, and what is missing is in what is
// named, unless the end of a log is: that looks as after a loss of power.
TEST_F(SalvageTest, WhateverIsDamagedNothingIsMadeUp) {
  Fill();
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "whole")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("LOG") || name == "LOCK" || entry.file_size() == 0) continue;
    names.push_back(name);
  }
  std::ranges::sort(names);
  int salvaged_count = 0;
  for (size_t trial = 0; trial < 2 * names.size(); ++trial) {
    for (const char* each : {"damaged", "new"}) std::filesystem::remove_all(directory_ / each);
    std::filesystem::copy(directory_ / "whole", directory_ / "damaged");
    const std::string path = directory_ / ("damaged/" + names[trial % names.size()]);
    const double at = static_cast<double>(random_->Next() % 1000) / 1000;
    if (trial < names.size()) {
      Damage(path, at);
    } else {
      std::filesystem::resize_file(
          path, static_cast<uint64_t>(static_cast<double>(std::filesystem::file_size(path)) * at));
    }
    const Result<Salvaged> salvaged = Run();
    if (!salvaged.ok()) {
      EXPECT_THAT(salvaged, FailsWith(FaultCode::kStoreDamaged)) << path;
      continue;
    }
    ++salvaged_count;
    const auto store = ValueOf(Store::Open(Options("new")));
    const auto is_named = [&](FamilyIndex family, const std::string& key) {
      return std::ranges::any_of(salvaged->keys, [&](const LostKeys& lost) {
        const bool is_one = lost.after == key && lost.before == key;
        const bool is_behind = lost.after < key && (lost.before.empty() || key < lost.before);
        return lost.family == family && (is_one || is_behind);
      });
    };
    const bool names_all =
        !salvaged->is_rebuilt && salvaged->left_out.empty() && !path.ends_with(".log");
    for (const FamilyIndex family : {0, 1}) {
      for (const auto& [key, value] : written_[family]) {
        const std::optional<std::string> there = ValueOf(store->Get(family, key));
        if (!there) {
          EXPECT_TRUE(!names_all || is_named(family, key)) << path << " " << at << " " << key;
        } else if (salvaged->is_rebuilt) {
          EXPECT_TRUE(history_[family][key].contains(*there)) << path << " " << at << " " << key;
        } else {
          EXPECT_EQ(*there, value) << path << " " << at << " " << key;
        }
      }
    }
  }
  EXPECT_GT(salvaged_count, static_cast<int>(names.size()));
}

TEST_F(SalvageTest, OfWhatIsNoStoreFails) {
  std::filesystem::create_directory(directory_ / "damaged");
  std::ofstream(directory_ / "damaged/CURRENT") << "nonsense";
  EXPECT_THAT(Run(), FailsWith(FaultCode::kStoreDamaged));
}

TEST(Between, IsBetween) {
  EXPECT_EQ(Between("a", "c").substr(0, 1), "b");
  const std::string low = "key1";
  std::string high = "key2";
  for (int i = 0; i < 200; ++i) {
    const std::string middle = Between(low, high);
    ASSERT_LT(middle, high);
    if (middle == low) return;
    ASSERT_GT(middle, low);
    high = middle;
  }
}

TEST(Between, EndsWhereNothingIsBetween) {
  EXPECT_EQ(Between(std::string_view("a"), std::string_view("a\0", 2)), "a");
}

}  // namespace
}  // namespace levada::db::rocks
