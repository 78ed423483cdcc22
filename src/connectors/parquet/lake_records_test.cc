#include "connectors/parquet/lake_records.h"

#include "base/json.h"
#include "base/testing.h"

namespace levada::parquet {
namespace {

using ::testing::HasSubstr;

elt::PartitionRecord ExampleRecord(bool staged) {
  ReceiptState state;
  state.rejects = RejectsFile{
      "_levada/all/p0000-0.rejects.jsonl",
      staged ? "_levada/all/.levada-all-x-p0000-0.rejects.jsonl.staged" : "", 2, 80, "cc"};
  elt::Receipt receipt;
  receipt.rows = 30;
  receipt.files = {
      {"part-all-p0000-0-0000.parquet", staged ? ".levada-all-x-part" : "", 10, 100, "aa"},
      {"part-all-p0000-0-0001.parquet", staged ? ".levada-all-y-part" : "", 20, 200, "bb"}};
  receipt.state = state.ToJson();
  elt::PartitionRecord record;
  record.partition = "p0000";
  record.attempt_id = "0123456789abcdef";
  record.generation = 4;
  record.revision = 1;
  record.receipts = {receipt};
  return record;
}

Manifest ExampleManifest() {
  Manifest manifest;
  manifest.pipeline = "orders";
  manifest.label = "2026-01";
  manifest.window = elt::Window{1, 2, "2026-01", "Europe/Lisbon"};
  manifest.plan_hash = "00000000000000aa";
  manifest.schema = "\"id\" int64";
  manifest.snapshot = "lsn 1";
  manifest.writer = "{}";
  manifest.revision = 1;
  manifest.generation = 4;
  manifest.finished_at = "2026-01-01T00:00:00Z";
  manifest.replaces = {"part-all-p0000-0-0000.parquet"};
  manifest.partitions = {ExampleRecord(false)};
  return manifest;
}

// Every key missing and every value of another type is refused, and never understood by half.
template <typename Record>
void ExpectStrict(const std::string& text, const std::vector<std::string>& optional) {
  const Json whole = ParseJson(text);
  ASSERT_THAT(Record::FromJson(text), IsOk());
  for (const auto& item : whole.items()) {
    const std::string& key = item.key();
    Json damaged = whole;
    damaged.erase(key);
    const bool may_miss = testing::Matches(testing::Contains(key))(optional);
    if (!may_miss) {
      EXPECT_THAT(Record::FromJson(Dump(damaged)), FailsWith(FaultCode::kManifestCorrupt)) << key;
    }
    for (const Json& other : {Json(true), Json(-1), Json(1.5)}) {
      damaged[key] = other;
      if (key == "rows" || key == "bytes" || key == "files") continue;  // totals, for people
      EXPECT_THAT(Record::FromJson(Dump(damaged)), FailsWith(FaultCode::kManifestCorrupt)) << key;
    }
  }
  Json more = whole;
  more["later"] = 1;
  EXPECT_THAT(Record::FromJson(Dump(more)), IsOk()) << "unknown keys are passed over";
  for (const int version : {0, 2}) {
    Json other = whole;
    other["version"] = version;
    EXPECT_THAT(Record::FromJson(Dump(other)), FailsWith(FaultCode::kManifestCorrupt));
  }
  Json kind = whole;
  kind["kind"] = "levada.other";
  EXPECT_THAT(Record::FromJson(Dump(kind)),
              FailsWith(FaultCode::kManifestCorrupt, HasSubstr("kind")));
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(Record::FromJson(text.substr(0, size)).ok()) << size;
  }
}

TEST(LakeRecords, AreStrict) {
  ExpectStrict<Generation>(Generation{7, "0123456789abcdef", "host 1", "now"}.ToJson(), {});
  ExpectStrict<Owner>(Owner{"orders"}.ToJson(), {});
  ExpectStrict<Manifest>(ExampleManifest().ToJson(), {"window", "rows", "bytes", "files"});
  ExpectStrict<PublishIntent>(PublishIntent{ExampleRecord(true)}.ToJson(), {});
  ExpectStrict<SwitchIntent>(SwitchIntent{ExampleManifest()}.ToJson(), {});
  ExpectStrict<AbandonIntent>(AbandonIntent{1, {"a"}, {"p0000"}}.ToJson(), {});
}

TEST(Manifest, SurvivesTheRoundTrip) {
  const Manifest manifest = ExampleManifest();
  const Manifest read = ValueOf(Manifest::FromJson(manifest.ToJson()));
  EXPECT_EQ(read.ToJson(), manifest.ToJson());
  EXPECT_EQ(read.window, manifest.window);
  EXPECT_EQ(read.Rows(), 30);
  EXPECT_EQ(read.Bytes(), 300);
  EXPECT_EQ(read.FileCount(), 2);
}

TEST(Manifest, WithoutAWindowSurvivesTheRoundTrip) {
  Manifest manifest = ExampleManifest();
  manifest.window.reset();
  EXPECT_FALSE(ValueOf(Manifest::FromJson(manifest.ToJson())).window);
}

TEST(Manifest, RefusesPathsThatLeaveTheDataset) {
  Manifest manifest = ExampleManifest();
  manifest.replaces = {"../x"};
  EXPECT_THAT(Manifest::FromJson(manifest.ToJson()), FailsWith(FaultCode::kManifestCorrupt));
  manifest = ExampleManifest();
  manifest.partitions[0].receipts[0].files[0].staged = "/etc/passwd";
  EXPECT_THAT(Manifest::FromJson(manifest.ToJson()), FailsWith(FaultCode::kManifestCorrupt));
  manifest = ExampleManifest();
  manifest.partitions[0].receipts[0].state =
      R"({"rejects":{"path":"a/../../x","staged":"","rows":1,"bytes":1,"sha256":""}})";
  EXPECT_THAT(Manifest::FromJson(manifest.ToJson()), FailsWith(FaultCode::kManifestCorrupt));
}

TEST(Manifest, CapsTotalsInsteadOfOverflowing) {
  Manifest manifest = ExampleManifest();
  manifest.partitions.push_back(manifest.partitions[0]);
  for (auto& record : manifest.partitions) {
    record.receipts[0].rows = INT64_MAX;
    for (auto& file : record.receipts[0].files) file.bytes = INT64_MAX;
  }
  const Manifest read = ValueOf(Manifest::FromJson(manifest.ToJson()));
  EXPECT_EQ(read.Rows(), INT64_MAX);
  EXPECT_EQ(read.Bytes(), INT64_MAX);
}

TEST(AbandonIntent, RefusesPathsAndNamesThatAreNone) {
  EXPECT_THAT(AbandonIntent::FromJson(AbandonIntent{1, {"../a"}, {}}.ToJson()),
              FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_THAT(AbandonIntent::FromJson(AbandonIntent{1, {}, {"../a"}}.ToJson()),
              FailsWith(FaultCode::kManifestCorrupt));
}

TEST(ReceiptState, TakesNothingForNothing) {
  EXPECT_FALSE(ValueOf(ReceiptState::FromJson("")).rejects);
  EXPECT_FALSE(ValueOf(ReceiptState::FromJson("{}")).rejects);
  for (const char* text : {"[]", "{\"rejects\": 1}", "{\"rejects\": {\"path\": \"a\"}}", "x"}) {
    EXPECT_THAT(ReceiptState::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

TEST(PlacementsOf, ListsDataAndRejects) {
  const auto placements = ValueOf(PlacementsOf(ExampleRecord(true)));
  ASSERT_EQ(placements.size(), 3u);
  EXPECT_EQ(placements[1].path, "part-all-p0000-0-0001.parquet");
  EXPECT_EQ(placements[1].staged, ".levada-all-y-part");
  EXPECT_EQ(placements[2].bytes, 80);
}

TEST(Published, LeavesNothingStaged) {
  const elt::PartitionRecord published = ValueOf(Published(ExampleRecord(true)));
  EXPECT_EQ(published.ToJson(), ExampleRecord(false).ToJson());
}

}  // namespace
}  // namespace levada::parquet
