#include "spill/key_set.h"

#include <set>
#include <string>

#include "base/clock.h"
#include "base/testing.h"

namespace levada::spill {
namespace {

TEST(KeySet, KnowsKeysByTheirBytes) {
  KeySet set(4096);
  EXPECT_EQ(set.Insert(1, "a"), true);
  EXPECT_EQ(set.Insert(1, "a"), false);
  EXPECT_EQ(set.Insert(1, "b"), true) << "of the same hash";
  EXPECT_EQ(set.Insert(1, ""), true);
  EXPECT_EQ(set.Insert(1, ""), false);
}

TEST(KeySet, SaysWhenItIsFull) {
  KeySet many(4096);  // 128 slots
  int count = 0;
  while (many.Insert(static_cast<uint64_t>(count), std::to_string(count)) == true) ++count;
  EXPECT_EQ(count, 96);
  EXPECT_EQ(many.Insert(3, "3"), false) << "what is there is known all the same";
  EXPECT_EQ(many.Insert(1000, "1000"), std::nullopt);
  KeySet large(4096);
  EXPECT_EQ(large.Insert(1, std::string(1500, 'x')), true);
  EXPECT_EQ(large.Insert(1, std::string(1500, 'y')), std::nullopt);
}

TEST(KeySet, IsASet) {
  KeySet set(1 << 20);
  std::set<std::string> model;
  const auto random = MakeSeededRandom(11);
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(random->Next() % 5000);
    // Few hashes, so that many keys share one.
    EXPECT_EQ(set.Insert(std::stoull(key) % 2000, key), model.insert(key).second);
  }
  std::set<std::string> found;
  const Status visited = set.ForEach([&](uint64_t, std::string_view key) {
    found.emplace(key);
    return Status::OK();
  });
  EXPECT_THAT(visited, IsOk());
  EXPECT_EQ(found, model);
}

}  // namespace
}  // namespace levada::spill
