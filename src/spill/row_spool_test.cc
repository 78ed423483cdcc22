#include "spill/row_spool.h"

#include "elt/transformer_fixture.h"
#include "os/memory_disk.h"

namespace levada::spill {
namespace {

TEST(RowSpool, GivesBatchesBackAsTheyWere) {
  TestContext surroundings;
  os::MemoryDisk disk;
  const auto random = MakeSeededRandom(1);
  const auto batch = elt::MakeBatch({{"id", "int64", "[1, 2, 3, 4]"},
                                     {"price", "decimal(9,2)", R"(["1.50", null, "3.00", "4.25"])"},
                                     {"t", "text", R"(["a", "", null, "ä"])"},
                                     {"at", "timestamp", R"([null, null, null, null])"}});
  const auto spool = ValueOf(
      RowSpool::Create(surroundings.context(), {&disk, random.get(), "/"}, batch->schema()));
  ASSERT_THAT(spool->Append(*batch), IsOk());
  ASSERT_THAT(spool->Append(*batch->Slice(1, 2)), IsOk());
  EXPECT_EQ(spool->rows(), 6);
  const auto first = ValueOf(spool->Next());
  const auto second = ValueOf(spool->Next());
  EXPECT_TRUE(first->Equals(*batch));
  EXPECT_TRUE(second->Equals(*batch->Slice(1, 2)));
  EXPECT_THAT(first->ValidateFull(), IsOk());
  EXPECT_EQ(ValueOf(spool->Next()), nullptr);
  EXPECT_TRUE(ValueOf(disk.List("/")).empty());
}

TEST(RowSpool, MayBeEmpty) {
  TestContext surroundings;
  os::MemoryDisk disk;
  const auto random = MakeSeededRandom(1);
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  const auto spool =
      ValueOf(RowSpool::Create(surroundings.context(), {&disk, random.get(), "/"}, schema));
  EXPECT_EQ(ValueOf(spool->Next()), nullptr);
}

TEST(RowSpool, NeedsAPlaceToWrite) {
  TestContext surroundings;
  os::MemoryDisk disk;
  const auto random = MakeSeededRandom(1);
  const auto made = RowSpool::Create(surroundings.context(), {&disk, random.get(), "/missing"},
                                     arrow::schema({arrow::field("id", arrow::int64())}));
  EXPECT_THAT(made, FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_THAT(FaultOf(made.status()).help(), testing::HasSubstr("TMPDIR"));
}

}  // namespace
}  // namespace levada::spill
