#include "spill/duplicate_pass.h"

#include <arrow/builder.h>
#include <arrow/table.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "elt/transformer_fixture.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"

namespace levada::spill {
namespace {

using testing::HasSubstr;

struct Outcome {
  std::vector<int64_t> rows;  // values of column "n" that went on
  int64_t filtered = 0;
  std::vector<std::string> rejected;  // JSON
};

// Batches through one pass.
Result<Outcome> Through(const DuplicateRule& rule, const std::vector<elt::BatchPtr>& batches,
                        int64_t memory, os::Disk& disk) {
  TestContext surroundings;
  Context ctx = surroundings.context();
  const auto random = MakeSeededRandom(1);
  elt::RejectBuffer rejects;
  Outcome outcome;
  int64_t rejected = 0;
  const auto account = [&](const elt::Mapped& mapped) {
    EXPECT_THAT(mapped.batch->ValidateFull(), IsOk());
    const auto& n = static_cast<const arrow::Int64Array&>(*mapped.batch->GetColumnByName("n"));
    for (int64_t i = 0; i < n.length(); ++i) outcome.rows.push_back(n.Value(i));
    outcome.filtered += mapped.filtered;
    rejected += mapped.rejected;
  };
  DuplicatePass pass(rule, batches.front()->schema(), {&disk, random.get(), "/"}, memory);
  for (const auto& batch : batches) {
    ARROW_ASSIGN_OR_RAISE(const elt::Mapped mapped, pass.Take(ctx, batch, rejects));
    account(mapped);
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const elt::Mapped mapped, pass.Drain(ctx, rejects));
    if (mapped.batch == nullptr) break;
    account(mapped);
  }
  for (const elt::Reject& reject : rejects.Take()) outcome.rejected.push_back(reject.row_json);
  EXPECT_EQ(static_cast<int64_t>(outcome.rejected.size()), rejected);
  return outcome;
}

Result<Outcome> Through(const DuplicateRule& rule, const std::vector<elt::BatchPtr>& batches,
                        int64_t memory = 1 << 20) {
  os::MemoryDisk disk;
  return Through(rule, batches, memory, disk);
}

DuplicateRule RuleOf(std::vector<int> key) {
  DuplicateRule rule;
  rule.stage = "dedupe";
  rule.key = std::move(key);
  rule.reason = "again";
  rule.failure = [](int64_t row) -> Status {
    return Fault(FaultCode::kValidationFailed, "row " + std::to_string(row));
  };
  return rule;
}

elt::BatchPtr Rows() {
  return elt::MakeBatch({{"n", "int64", "[0, 1, 2, 3, 4, 5, 6, 7]"},
                         {"k", "text", R"(["a", "b", "a", null, "b", null, "c", "a"])"},
                         {"at", "int64", "[5, 2, 9, 1, 2, null, 0, 5]"}});
}

TEST(DuplicatePass, KeepsTheFirstOrTheLast) {
  DuplicateRule rule = RuleOf({1});
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{0, 1, 3, 6}));
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).filtered, 4);
  rule.keeps_last = true;
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{4, 5, 6, 7}));
}

TEST(DuplicatePass, KeepsByOrder) {
  DuplicateRule rule = RuleOf({1});
  rule.order = 2;
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{0, 1, 5, 6}))
      << "of equals the first one read, NULL before all";
  rule.keeps_last = true;
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{2, 3, 4, 6}))
      << "of equals the last one read";
}

TEST(DuplicatePass, ANullMayBeAValueOrEqualToNothing) {
  DuplicateRule rule = RuleOf({1});
  rule.nulls_differ = true;
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{0, 1, 3, 5, 6}));
  rule.key = {1, 2};
  EXPECT_EQ(ValueOf(Through(rule, {Rows()})).rows, (std::vector<int64_t>{0, 1, 2, 3, 5, 6}));
}

TEST(DuplicatePass, SeesBatchesTogether) {
  EXPECT_EQ(ValueOf(Through(RuleOf({1}), {Rows(), Rows()->Slice(0, 0), Rows()})).filtered, 12);
}

TEST(DuplicatePass, PutsOthersAside) {
  DuplicateRule rule = RuleOf({1});
  rule.fate = elt::OnError::kQuarantine;
  const Outcome outcome = ValueOf(Through(rule, {Rows()}));
  ASSERT_EQ(outcome.rejected.size(), 4u);
  EXPECT_THAT(outcome.rejected[0], HasSubstr("\"n\": 2"));
}

TEST(DuplicatePass, OrEndsTheRun) {
  DuplicateRule rule = RuleOf({1});
  rule.fate = elt::OnError::kFail;
  rule.nulls_differ = true;
  EXPECT_THAT(Through(rule, {Rows()->Slice(5), Rows()->Slice(0, 2), Rows()}),
              FailsWith(FaultCode::kValidationFailed, HasSubstr("row 4")));
  EXPECT_EQ(ValueOf(Through(rule, {Rows()->Slice(3, 4)})).rows, (std::vector<int64_t>{3, 4, 5, 6}));
}

// Rows of few or of many keys, against a model that has them all in a map, in so little memory that
// everything is sorted on disk, and in so much that nothing is.
class RandomRows : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomRows, IsWhatTheModelSays) {
  const auto random = MakeSeededRandom(GetParam());
  const uint64_t keys = 1 + random->Next() % 3000;
  std::vector<elt::BatchPtr> batches;
  std::vector<std::pair<std::string, int64_t>> rows;  // key and order
  for (int b = 0; b < 12; ++b) {
    arrow::Int64Builder n, at;
    arrow::StringBuilder k;
    const auto count = static_cast<int64_t>(random->Next() % 400);
    for (int64_t i = 0; i < count; ++i) {
      const bool is_null = random->Next() % 20 == 0;
      const std::string key = is_null ? "<null>" : "key " + std::to_string(random->Next() % keys);
      const auto order = static_cast<int64_t>(random->Next() % 10);
      (void)n.Append(static_cast<int64_t>(rows.size()));
      (void)(is_null ? k.AppendNull() : k.Append(key));
      (void)at.Append(order);
      rows.emplace_back(key, order);
    }
    batches.push_back(arrow::RecordBatch::Make(
        arrow::schema({arrow::field("n", arrow::int64()), arrow::field("k", arrow::utf8()),
                       arrow::field("at", arrow::int64())}),
        count, {n.Finish().ValueOrDie(), k.Finish().ValueOrDie(), at.Finish().ValueOrDie()}));
  }
  DuplicateRule rule = RuleOf({1});
  rule.keeps_last = random->Next() % 2 == 0;
  if (random->Next() % 2 == 0) rule.order = 2;
  rule.nulls_differ = !rule.keeps_last && !rule.order && random->Next() % 2 == 0;
  if (random->Next() % 2 == 0) rule.fate = elt::OnError::kQuarantine;

  std::map<std::string, int64_t> staying;
  std::vector<int64_t> expected;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [key, order] = rows[i];
    if (rule.nulls_differ && key == "<null>") {
      expected.push_back(static_cast<int64_t>(i));
      continue;
    }
    const auto [found, is_new] = staying.try_emplace(key, static_cast<int64_t>(i));
    if (is_new) continue;
    const int64_t other = rule.order ? rows[static_cast<size_t>(found->second)].second : 0;
    const int64_t mine = rule.order ? order : 0;
    if (rule.keeps_last ? mine >= other : mine < other) found->second = static_cast<int64_t>(i);
  }
  for (const auto& [key, row] : staying) expected.push_back(row);
  std::ranges::sort(expected);

  const Outcome large = ValueOf(Through(rule, batches, 16 << 20));
  EXPECT_EQ(large.rows, expected);
  for (const int64_t memory : {2048, 64 << 10}) {
    const Outcome small = ValueOf(Through(rule, batches, memory));
    EXPECT_EQ(small.rows, expected) << memory;
    EXPECT_EQ(small.filtered, large.filtered);
    EXPECT_EQ(small.rejected, large.rejected) << "in the same order";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRows, testing::Range<uint64_t>(1, 41));

TEST(DuplicatePass, FindsAMistakeInWhateverMemory) {
  arrow::Int64Builder n, k;
  for (int64_t i = 0; i < 5000; ++i) {
    (void)n.Append(i);
    (void)k.Append(i == 4321 || i == 4700 ? 17 : i);
  }
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("k", arrow::int64())}), 5000,
      {n.Finish().ValueOrDie(), k.Finish().ValueOrDie()});
  DuplicateRule rule = RuleOf({1});
  rule.fate = elt::OnError::kFail;
  for (const int64_t memory : {2048, 1 << 20}) {
    EXPECT_THAT(Through(rule, {batch->Slice(0, 1000), batch->Slice(1000)}, memory),
                FailsWith(FaultCode::kValidationFailed, HasSubstr("row 4322")))
        << memory;
    EXPECT_EQ(ValueOf(Through(rule, {batch->Slice(0, 4000)}, memory)).rows.size(), 4000u);
  }
}

TEST(DuplicatePass, EveryFailureOfTheDiskComesOut) {
  DuplicateRule rule = RuleOf({1});
  rule.keeps_last = true;
  const std::vector<elt::BatchPtr> batches(20, Rows());
  int64_t n = 1;
  for (;; ++n) {
    os::MemoryDisk memory_disk;
    os::FaultyDisk disk(memory_disk);
    auto operations = os::WritingOperations();
    operations.insert({os::DiskOperation::kOpen, os::DiskOperation::kRead});
    disk.Arm({.operations = operations, .nth = n, .error = ENOSPC});
    const auto outcome = Through(rule, batches, 2048, disk);
    if (!disk.fired()) {
      EXPECT_EQ(ValueOf(outcome).rows, (std::vector<int64_t>{4, 5, 6, 7}));
      break;
    }
    if (!outcome.ok()) {
      EXPECT_THAT(outcome, FailsWith(FaultCode::kDiskFull));
    }
  }
  EXPECT_GT(n, 20);
}

}  // namespace
}  // namespace levada::spill
