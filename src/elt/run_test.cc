#include "elt/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"

namespace levada::elt {
namespace {
using testing::HasSubstr;

SplitRecord ExampleSplit() {
  SplitRecord split;
  split.pipeline = "orders \"Ünïcode\"";
  split.label = "2026-01-31";
  split.window = Window{1769817600000000, 1769904000000000, "2026-01-31", "Europe/Lisbon"};
  split.plan_hash = "00112233aabbccdd";
  split.schema = "\"id\" int64 not null";
  split.snapshot = "00000003-0000001B-1";
  split.writer = R"({"row_group_rows": 131072})";
  split.created_at = "2026-02-01T00:00:01.000000Z";
  split.revision = 2;
  split.partitions = {
      Partition{.index = 0,
                .id = "p0000",
                .meaning = "account_id in [0, 500)",
                .bounds = R"({"by": "account_id", "from": 0, "to": 500})",
                .query = "select 1\nfrom t",
                .estimated_rows = 1'000'000,
                .estimated_bytes = int64_t{1} << 40,
                .slices = {Slice{0, R"({"ctid":[0,1200]})"}, Slice{1, R"({"ctid":[1200,null]})"}}},
      Partition{1, "p0001", "", "", "", -1, -1, {Slice{0, ""}}},
  };
  return split;
}

Receipt ExampleReceipt(int slice) {
  Receipt receipt;
  receipt.slice = slice;
  receipt.rows = 98;
  receipt.files = {
      WrittenFile{"day=2026-01-31/part-a.parquet", ".staged/x", 98, 4096, std::string(64, 'a')},
      WrittenFile{"part..b.parquet", "", 0, 0, ""}};
  receipt.rows_hash = "0123456789abcdef";
  receipt.end = StreamEnd{100, 100, 1, 1, 0, 98, "lsn 0/16B3748"};
  receipt.state = R"({"codec":"zstd"})";
  return receipt;
}

PartitionRecord ExamplePartition() {
  PartitionRecord record;
  record.partition = "p0007";
  record.attempt_id = "deadbeef00000001";
  record.generation = 41;
  record.revision = 3;
  record.receipts = {ExampleReceipt(0), ExampleReceipt(1)};
  return record;
}

void ExpectEqual(const Receipt& a, const Receipt& b) {
  EXPECT_EQ(a.slice, b.slice);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.rows_hash, b.rows_hash);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.end.rows_sent, b.end.rows_sent);
  EXPECT_EQ(a.end.rows_read, b.end.rows_read);
  EXPECT_EQ(a.end.rows_filtered, b.end.rows_filtered);
  EXPECT_EQ(a.end.rows_rejected, b.end.rows_rejected);
  EXPECT_EQ(a.end.rows_out, b.end.rows_out);
  EXPECT_EQ(a.end.position, b.end.position);
  ASSERT_EQ(a.files.size(), b.files.size());
  for (size_t i = 0; i < a.files.size(); ++i) {
    EXPECT_EQ(a.files[i].path, b.files[i].path);
    EXPECT_EQ(a.files[i].staged, b.files[i].staged);
    EXPECT_EQ(a.files[i].rows, b.files[i].rows);
    EXPECT_EQ(a.files[i].bytes, b.files[i].bytes);
    EXPECT_EQ(a.files[i].sha256, b.files[i].sha256);
  }
}

Result<SplitRecord> ReadSplit(const Json& json) { return SplitRecord::FromJson(Dump(json)); }

template <typename Record>
void ExpectCorrupt(const Result<Record>& result, const std::string& noun = "") {
  ASSERT_FALSE(result.ok()) << "accepted, expected a complaint about " << noun;
  EXPECT_EQ(CodeOf(result.status()), FaultCode::kManifestCorrupt);
  EXPECT_THAT(FaultOf(result.status()).message(), HasSubstr(noun));
}

/// Every prefix, and every byte replaced by each of a few that matter to JSON, must be refused with
/// kManifestCorrupt or understood; never anything else.
template <typename Record>
void Mangle(const std::string& text) {
  ASSERT_TRUE(Record::FromJson(text).ok());
  for (size_t size = 0; size < text.size(); ++size) {
    ExpectCorrupt(Record::FromJson(text.substr(0, size)));
  }
  std::string mangled = text;
  for (size_t i = 0; i < text.size(); ++i) {
    for (char c : {'"', '{', ']', '-', '9', '\0', '\xff', ' '}) {
      mangled[i] = c;
      auto result = Record::FromJson(mangled);
      if (!result.ok()) ExpectCorrupt(result);
    }
    mangled[i] = text[i];
  }
}

/// Removes each key, and gives each a value of another type, at every depth.
template <typename Record>
void BreakEveryField(const Json& whole, const std::vector<std::string>& may_be_absent) {
  const Json flat = whole.flatten();
  std::vector<Json::json_pointer> paths;
  for (const auto& [path, value] : flat.items()) {
    for (Json::json_pointer p(path); !p.empty(); p.pop_back()) {
      if (std::find(paths.begin(), paths.end(), p) == paths.end()) paths.push_back(p);
    }
  }
  for (const auto& path : paths) {
    const std::string text = path.to_string();
    Json broken = whole;
    broken[path] = true;
    ExpectCorrupt(Record::FromJson(Dump(broken)));
    Json parent = whole.at(path.parent_pointer());
    if (!parent.is_object()) continue;
    parent.erase(path.back());
    broken = whole;
    if (path.parent_pointer().empty()) {
      broken = parent;
    } else {
      broken[path.parent_pointer()] = parent;
    }
    auto result = Record::FromJson(Dump(broken));
    if (std::find(may_be_absent.begin(), may_be_absent.end(), text) != may_be_absent.end()) {
      EXPECT_TRUE(result.ok()) << text;
    } else {
      ExpectCorrupt(result);
    }
  }
}

TEST(SplitRecord, SurvivesTheRoundTrip) {
  const SplitRecord split = ExampleSplit();
  auto read = SplitRecord::FromJson(split.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pipeline, split.pipeline);
  EXPECT_EQ(read->label, split.label);
  EXPECT_EQ(read->window, split.window);
  EXPECT_EQ(read->plan_hash, split.plan_hash);
  EXPECT_EQ(read->schema, split.schema);
  EXPECT_EQ(read->snapshot, split.snapshot);
  EXPECT_EQ(read->writer, split.writer);
  EXPECT_EQ(read->created_at, split.created_at);
  EXPECT_EQ(read->revision, split.revision);
  EXPECT_EQ(read->partitions, split.partitions);
  EXPECT_EQ(read->ToJson(), split.ToJson());
}

TEST(SplitRecord, KeepsThatItIsHeld) {
  SplitRecord split = ExampleSplit();
  split.held = true;
  EXPECT_TRUE(SplitRecord::FromJson(split.ToJson())->held);
  auto json = ParseJson(split.ToJson());
  json["held"] = 1;
  EXPECT_EQ(CodeOf(ReadSplit(json).status()), FaultCode::kManifestCorrupt);
}

TEST(SplitRecord, KeepsTheAbsenceOfAWindow) {
  SplitRecord split = ExampleSplit();
  split.window.reset();
  auto read = SplitRecord::FromJson(split.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->window.has_value());
}

TEST(SplitRecord, KeepsWindowsBefore1970AndTheExtremes) {
  SplitRecord split = ExampleSplit();
  split.window = Window{INT64_MIN, INT64_MAX, "x", "UTC"};
  split.partitions[0].estimated_bytes = INT64_MAX;
  auto read = SplitRecord::FromJson(split.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->window, split.window);
  EXPECT_EQ(read->partitions, split.partitions);
}

TEST(SplitRecord, ToleratesKeysItDoesNotKnowAtEveryDepth) {
  Json json = ParseJson(ExampleSplit().ToJson());
  json["colour"] = {{"of", "money"}};
  json["window"]["colour"] = 1;
  json["partitions"][0]["colour"] = nullptr;
  json["partitions"][0]["slices"][1]["colour"] = "red";
  auto read = ReadSplit(json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->partitions, ExampleSplit().partitions);
}

TEST(SplitRecord, RefusesOtherKindsAndVersions) {
  for (int version : {0, 2, 1000}) {
    Json json = ParseJson(ExampleSplit().ToJson());
    json["version"] = version;
    ExpectCorrupt(ReadSplit(json), "version");
  }
  ExpectCorrupt(SplitRecord::FromJson(ExamplePartition().ToJson()), "kind");
  ExpectCorrupt(PartitionRecord::FromJson(ExampleSplit().ToJson()), "kind");
}

TEST(SplitRecord, RefusesWhatIsNotAJsonObject) {
  for (const char* text : {"", " ", "null", "[]", "3", "\"text\"", "{", "{}x", "{} {}", "PAR1"}) {
    ExpectCorrupt(SplitRecord::FromJson(text));
    ExpectCorrupt(PartitionRecord::FromJson(text));
    ExpectCorrupt(Receipt::FromJson(text));
  }
  ExpectCorrupt(SplitRecord::FromJson(std::string(1'000'000, '[')));
  ExpectCorrupt(SplitRecord::FromJson(std::string(1'000, '\0')));
}

TEST(SplitRecord, RefusesEveryFieldThatIsMissingOrOfAnotherType) {
  BreakEveryField<SplitRecord>(ParseJson(ExampleSplit().ToJson()), {"/window"});
}

TEST(SplitRecord, RefusesDamagedBytesWithoutHarm) { Mangle<SplitRecord>(ExampleSplit().ToJson()); }

TEST(SplitRecord, RefusesNumbersOutOfRange) {
  auto with = [](const char* pointer, Json value) {
    Json json = ParseJson(ExampleSplit().ToJson());
    json[Json::json_pointer(pointer)] = std::move(value);
    return ReadSplit(json);
  };
  ExpectCorrupt(with("/revision", -1), "revision");
  ExpectCorrupt(with("/revision", int64_t{1} << 31), "revision");
  ExpectCorrupt(with("/revision", 1.0), "revision");
  ExpectCorrupt(with("/window/start", uint64_t{1} << 63), "start");
  ExpectCorrupt(with("/window/start", 1769904000000000), "start");
  ExpectCorrupt(with("/partitions/0/estimated_rows", -2), "estimated_rows");
  ExpectCorrupt(with("/partitions/1/index", 0), "index");
  ExpectCorrupt(with("/partitions/0/slices/1/index", 2), "index");
}

TEST(SplitRecord, RefusesPartitionsWithoutSlicesOrNameAndRepeatedNames) {
  auto with = [](const char* pointer, Json value) {
    Json json = ParseJson(ExampleSplit().ToJson());
    json[Json::json_pointer(pointer)] = std::move(value);
    return ReadSplit(json);
  };
  ExpectCorrupt(with("/partitions", Json::array()), "partitions");
  ExpectCorrupt(with("/partitions/1/slices", Json::array()), "slices");
  ExpectCorrupt(with("/partitions/1/id", ""), "id");
  ExpectCorrupt(with("/partitions/1/id", "p0000"), "id");
}

TEST(SplitRecord, CanBeWrittenWithTextThatIsNotUtf8) {
  SplitRecord split = ExampleSplit();
  split.snapshot = "caf\xe9";
  auto read = SplitRecord::FromJson(split.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->snapshot, "caf\xef\xbf\xbd");
}

TEST(Receipt, SurvivesTheRoundTrip) {
  auto read = Receipt::FromJson(ExampleReceipt(3).ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectEqual(*read, ExampleReceipt(3));
  auto empty = Receipt::FromJson(Receipt().ToJson());
  ASSERT_TRUE(empty.ok()) << empty.status();
  ExpectEqual(*empty, Receipt());
}

TEST(Receipt, IsOneLine) { EXPECT_EQ(ExampleReceipt(0).ToJson().find('\n'), std::string::npos); }

TEST(Receipt, KnowsHowManyValuesWereDiscarded) {
  Receipt receipt = ExampleReceipt(0);
  EXPECT_EQ(receipt.ToJson().find("values_discarded"), std::string::npos);
  receipt.end.values_discarded = 3;
  EXPECT_EQ(Receipt::FromJson(receipt.ToJson())->end.values_discarded, 3);
}

TEST(Receipt, RefusesPathsThatLeaveTheDataset) {
  for (const char* path : {"", "/etc/passwd", "..", "../x", "a/../../x", "a/.."}) {
    Json json = ParseJson(ExampleReceipt(0).ToJson());
    json["files"][0]["path"] = path;
    ExpectCorrupt(Receipt::FromJson(Dump(json)), "path");
  }
  Json json = ParseJson(ExampleReceipt(0).ToJson());
  json["files"][0]["path"] = std::string("a\0b", 3);
  ExpectCorrupt(Receipt::FromJson(Dump(json)), "path");
}

TEST(Receipt, RefusesNegativeCounts) {
  for (const char* pointer :
       {"/slice", "/rows", "/files/0/rows", "/files/0/bytes", "/end/rows_read",
        "/end/rows_filtered", "/end/rows_rejected", "/end/rows_out"}) {
    Json json = ParseJson(ExampleReceipt(0).ToJson());
    json[Json::json_pointer(pointer)] = -1;
    ExpectCorrupt(Receipt::FromJson(Dump(json)));
  }
}

TEST(Receipt, RefusesEveryFieldThatIsMissingOrOfAnotherType) {
  BreakEveryField<Receipt>(ParseJson(ExampleReceipt(0).ToJson()), {});
}

TEST(PartitionRecord, SurvivesTheRoundTrip) {
  const PartitionRecord record = ExamplePartition();
  auto read = PartitionRecord::FromJson(record.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->partition, record.partition);
  EXPECT_EQ(read->attempt_id, record.attempt_id);
  EXPECT_EQ(read->generation, record.generation);
  EXPECT_EQ(read->revision, record.revision);
  ASSERT_EQ(read->receipts.size(), 2u);
  ExpectEqual(read->receipts[0], record.receipts[0]);
  ExpectEqual(read->receipts[1], record.receipts[1]);
  EXPECT_EQ(read->Rows(), 196);
}

TEST(PartitionRecord, HasNoRowsWithoutReceipts) {
  PartitionRecord record = ExamplePartition();
  record.receipts.clear();
  auto read = PartitionRecord::FromJson(record.ToJson());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Rows(), 0);
}

TEST(PartitionRecord, RefusesEveryFieldThatIsMissingOrOfAnotherType) {
  BreakEveryField<PartitionRecord>(ParseJson(ExamplePartition().ToJson()), {});
}

TEST(PartitionRecord, RefusesDamagedBytesWithoutHarm) {
  Mangle<PartitionRecord>(ExamplePartition().ToJson());
}

TEST(PartitionRecord, RefusesRowsThatOverflowTheirSum) {
  PartitionRecord record = ExamplePartition();
  for (Receipt& receipt : record.receipts) receipt.rows = INT64_MAX;
  ExpectCorrupt(PartitionRecord::FromJson(record.ToJson()), "rows");
}

TEST(PartitionRecord, ToleratesKeysItDoesNotKnow) {
  Json json = ParseJson(ExamplePartition().ToJson());
  json["receipts"][0]["files"][0]["etag"] = "x";
  json["receipts"][0]["end"]["lag"] = 3;
  json["note"] = "";
  EXPECT_TRUE(PartitionRecord::FromJson(Dump(json)).ok());
}

Reject SmallReject() { return Reject{"cast", "amount", "not a number", R"({"amount":"x"})"}; }

TEST(RejectBuffer, GivesBackWhatWasAddedInOrder) {
  RejectBuffer buffer;
  for (int i = 0; i < 3; ++i) {
    Reject reject = SmallReject();
    reject.reason = std::to_string(i);
    ASSERT_TRUE(buffer.Add(reject).ok());
  }
  EXPECT_EQ(buffer.size(), 3u);
  std::vector<Reject> taken = buffer.Take();
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(taken[0].reason, "0");
  EXPECT_EQ(taken[2].reason, "2");
  EXPECT_EQ(taken[2].row_json, R"({"amount":"x"})");
  EXPECT_EQ(buffer.size(), 0u);
}

TEST(RejectBuffer, RefusesMoreRowsThanItsBound) {
  RejectBuffer buffer;
  for (size_t i = 0; i < RejectBuffer::kRowsMax; ++i) ASSERT_TRUE(buffer.Add(SmallReject()).ok());
  Status status = buffer.Add(SmallReject());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(CodeOf(status), FaultCode::kRejectsTooMany);
  EXPECT_EQ(FaultOf(status).Detail("column"), "amount");
  EXPECT_EQ(buffer.Take().size(), RejectBuffer::kRowsMax);
  EXPECT_FALSE(buffer.Add(SmallReject()).ok()) << "the bound is the slice's";
}

TEST(RejectBuffer, RefusesMoreBytesThanItsBound) {
  const std::string half(RejectBuffer::kBytesMax / 2, 'x');
  RejectBuffer buffer;
  ASSERT_TRUE(buffer.Add({"", "", "", half}).ok());
  buffer.Take();
  ASSERT_TRUE(buffer.Add({"", "", "", half}).ok());
  EXPECT_EQ(CodeOf(buffer.Add(SmallReject())), FaultCode::kRejectsTooMany);
  EXPECT_FALSE(RejectBuffer().Add({"", "", "", half + half + 'x'}).ok());
}

TEST(RejectBuffer, MayBeFilledByManyThreads) {
  RejectBuffer buffer;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&buffer] {
      for (int i = 0; i < 1000; ++i) EXPECT_TRUE(buffer.Add(SmallReject()).ok());
    });
  }
  threads.clear();
  EXPECT_EQ(buffer.Take().size(), 4000u);
}

}  // namespace
}  // namespace levada::elt
