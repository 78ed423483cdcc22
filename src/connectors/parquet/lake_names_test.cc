#include "connectors/parquet/lake_names.h"

#include "base/testing.h"
#include "places/place.h"

namespace levada::parquet {
namespace {

TEST(LakeNames, AreTheOnesOfTheSpecification) {
  const LakeNames names("2026-01");
  EXPECT_EQ(names.Lock(), "_levada/2026-01.lock");
  EXPECT_EQ(names.Split(), "_levada/2026-01.split.json");
  EXPECT_EQ(names.Manifest(), "_levada/2026-01.json");
  EXPECT_EQ(names.Switch(), "_levada/2026-01.switch.json");
  EXPECT_EQ(names.Abandon(), "_levada/2026-01.abandon.json");
  EXPECT_EQ(names.Partition("p0000"), "_levada/2026-01/p0000.json");
  EXPECT_EQ(names.Intent("p0000"), "_levada/2026-01/p0000.intent.json");
  EXPECT_EQ(names.DataFile("p0000", 1, 2, 0), "part-2026-01-p0000-1-0002.parquet");
  EXPECT_EQ(names.DataFile("p0000", 1, 12'345, 3), "part-2026-01-p0000-1-12345-r3.parquet");
  EXPECT_EQ(names.Rejects("p0000", 1, 0), "_levada/2026-01/p0000-1.rejects.jsonl");
  EXPECT_EQ(names.Rejects("p0000", 1, 2), "_levada/2026-01/p0000-1-r2.rejects.jsonl");
}

TEST(LakeNames, KnowItsOwnStagedFilesAndNoOthers) {
  const LakeNames names("2026-01");
  const std::string staged =
      places::StagedName(names.StageTag("0123456789abcdef"), names.DataFile("p0000", 0, 0, 0));
  EXPECT_EQ(staged, ".levada-2026-01-0123456789abcdef-part-2026-01-p0000-0-0000.parquet.staged");
  EXPECT_EQ(names.AttemptOfStaged(staged), "0123456789abcdef");
  EXPECT_EQ(names.AttemptOfStaged(".levada-2026-01-0123456789abcdef-p0000-0.rejects.jsonl.staged"),
            "0123456789abcdef");
  EXPECT_FALSE(LakeNames("2026-01-31").AttemptOfStaged(staged));
  EXPECT_FALSE(LakeNames("2026").AttemptOfStaged(staged));
  for (const char* other : {
           "part-2026-01-p0000-0-0000.parquet",
           ".levada-2026-01-0123456789abcde-part-2026-01-p0000-0-0000.parquet.staged",
           ".levada-2026-01-0123456789ABCDEF-part-2026-01-p0000-0-0000.parquet.staged",
           ".levada-2026-01-0123456789abcdef-part-2026-02-p0000-0-0000.parquet.staged",
           ".levada-2026-01-0123456789abcdef.staged",
           ".levada-2026-01-0123456789abcdef-.staged",
           ".levada-2026-01-.staged",
           ".levada-2026-01-0123456789abcdef-part-2026-01-p0000-0-0000.parquet",
           ".levada-",
           "",
       }) {
    EXPECT_FALSE(names.AttemptOfStaged(other)) << other;
  }
}

TEST(LakeNames, KnowTheirOwnFilesByName) {
  const LakeNames names("2026-01");
  for (const int revision : {0, 1, 12}) {
    EXPECT_EQ(names.RevisionOfDataFile(names.DataFile("p0000", 3, 12'345, revision)), revision);
    const std::string rejects = names.Rejects("17", 0, revision).substr(names.Records().size() + 1);
    EXPECT_EQ(names.RevisionOfRejects(rejects), revision);
  }
  const std::string other = LakeNames("2026-01-31").DataFile("5", 1, 7, 2);
  EXPECT_FALSE(names.RevisionOfDataFile(other)) << other;
  EXPECT_FALSE(LakeNames("2026").RevisionOfDataFile(names.DataFile("5", 1, 7, 2)));
  for (const char* name : {
           "",
           "part-2026-01-.parquet",
           "part-2026-01-p0000-0-0000",
           "part-2026-01-p0000-0-0000.parquet.bak",
           "part-2026-01-p0000-0-000.parquet",
           "part-2026-01-p0000-0-00000.parquet",
           "part-2026-01-p0000-00-0000.parquet",
           "part-2026-01-p0000-+1-0000.parquet",
           "part-2026-01-p0000-0-0000-r0.parquet",
           "part-2026-01-p0000-0-0000-r01.parquet",
           "part-2026-01-p0000-0-0000-x1.parquet",
           "part-2026-01-p0000-0-0000-.parquet",
           "part-2026-01-p0000-0-0000-r99999999999.parquet",
           "part-2026-01-_p-0-0000.parquet",
           "part-2026-01-p0000-0-0000-r1-r2.parquet",
           "Part-2026-01-p0000-0-0000.parquet",
       }) {
    EXPECT_FALSE(names.RevisionOfDataFile(name)) << name;
  }
  for (const char* name :
       {"", ".rejects.jsonl", "p0000.rejects.jsonl", "p0000-0-r0.rejects.jsonl", "p0000-0.jsonl",
        "p-0-0-r1.rejects.jsonl", ".levada-x-p0000-0.rejects.jsonl.staged"}) {
    EXPECT_FALSE(names.RevisionOfRejects(name)) << name;
  }
}

TEST(LakeNames, AcceptLabelsThatAreNamesOnly) {
  for (const char* label : {"all", "2026-01", "2026-10-25T02+0100", "x_1"}) {
    EXPECT_THAT(CheckLabel(label), IsOk()) << label;
  }
  for (const std::string& label :
       {std::string(), std::string("-1"), std::string(".."), std::string("a/b"), std::string("a.b"),
        std::string("_a"), std::string("a b"), std::string(65, 'a'), std::string("a\0b", 3)}) {
    EXPECT_THAT(CheckLabel(label), FailsWith(FaultCode::kBadValue)) << label;
  }
  EXPECT_THAT(CheckPartitionId("p0000"), IsOk());
  for (const char* id : {"", "p-0", "p+0", "../p", "_p"}) {
    EXPECT_THAT(CheckPartitionId(id), FailsWith(FaultCode::kBadValue)) << id;
  }
}

TEST(ParseRecordName, TellsTheRecordsOfALabelApart) {
  using Kind = RecordName::Kind;
  const auto kind_of = [](std::string_view name) {
    const auto parsed = ParseRecordName(name);
    EXPECT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->label, "2026-01") << name;
    return parsed->kind;
  };
  EXPECT_EQ(kind_of("2026-01.json"), Kind::kManifest);
  EXPECT_EQ(kind_of("2026-01.split.json"), Kind::kSplit);
  EXPECT_EQ(kind_of("2026-01.switch.json"), Kind::kSwitch);
  EXPECT_EQ(kind_of("2026-01.abandon.json"), Kind::kAbandon);
  EXPECT_EQ(kind_of("2026-01.lock"), Kind::kLock);
  for (const char* other : {"_owner", "_root.lock", ".2026-01.json.tmp", "2026-01", ".json",
                            "a.b.json", "notes.txt", ""}) {
    EXPECT_FALSE(ParseRecordName(other)) << other;
  }
}

TEST(ParsePartitionRecordName, TellsRecordsFromIntents) {
  EXPECT_FALSE(ParsePartitionRecordName("p0000.json")->is_intent);
  EXPECT_TRUE(ParsePartitionRecordName("p0000.intent.json")->is_intent);
  EXPECT_EQ(ParsePartitionRecordName("p0000.intent.json")->partition, "p0000");
  for (const char* other : {"p0000-0.rejects.jsonl", ".p0000.json.tmp", ".json", "p0000.x.json"}) {
    EXPECT_FALSE(ParsePartitionRecordName(other)) << other;
  }
}

TEST(StaysInside, AcceptsRelativePathsThatGoDownOnly) {
  for (const char* path : {"a", "a/b.parquet", "day=1/..x", "...", ".levada-x"}) {
    EXPECT_TRUE(StaysInside(path)) << path;
  }
  for (const std::string& path :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string("a/./b"), std::string(".."), std::string("a/../b"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(StaysInside(path)) << path;
  }
}

}  // namespace
}  // namespace levada::parquet
