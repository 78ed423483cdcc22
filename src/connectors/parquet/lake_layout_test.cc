#include "connectors/parquet/lake_layout.h"

#include "base/json.h"
#include "base/testing.h"

namespace levada::parquet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LakeLayout, SurvivesTheRoundTrip) {
  LakeLayout layout;
  layout.directory = "day=2026-01-01";
  layout.partition_by = {"country", "year"};
  layout.created_by = "levada version 0.1.0";
  layout.encode.row_group_rows = 1234;
  const LakeLayout read = ValueOf(LakeLayout::FromJson(layout.ToJson()));
  EXPECT_EQ(read.directory, layout.directory);
  EXPECT_EQ(read.partition_by, layout.partition_by);
  EXPECT_EQ(read.created_by, layout.created_by);
  EXPECT_EQ(read.encode, layout.encode);
  EXPECT_EQ(read.ToJson(), layout.ToJson());
}

TEST(LakeDirectories, AreKnownOfAnotherBuildToo) {
  LakeLayout layout;
  layout.directory = "day=2026-01-31";
  layout.partition_by = {"country"};
  Json json = ParseJson(layout.ToJson());
  json["encode"] = {{"version", 999}};
  EXPECT_THAT(LakeLayout::FromJson(Dump(json)), FailsWith(FaultCode::kManifestCorrupt));
  const LakeDirectories read = ValueOf(LakeDirectories::FromJson(Dump(json)));
  EXPECT_EQ(read.directory, layout.directory);
  EXPECT_EQ(read.partition_by, layout.partition_by);
}

TEST(LakeLayout, RefusesWhatItDidNotWrite) {
  const std::string whole = LakeLayout().ToJson();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(LakeLayout::FromJson(whole.substr(0, size)),
                FailsWith(FaultCode::kManifestCorrupt));
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {with("levada.parquet", "levada.other"), with("\"version\":1", "\"version\":2"),
        with("\"directory\":\"\"", "\"directory\":\"../x\""),
        with("\"partition_by\":[]", "\"partition_by\":[1]"),
        with("\"created_by\":\"\"", "\"created_by\":1"), with("\"chunk_rows\":", "\"chunks\":")}) {
    EXPECT_THAT(LakeLayout::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

TEST(DirectoryOf, EscapesValuesAndKeepsThePath) {
  EXPECT_EQ(ValueOf(DirectoryOf("")), "");
  EXPECT_EQ(ValueOf(DirectoryOf("day=2026-01-01")), "day=2026-01-01");
  EXPECT_EQ(ValueOf(DirectoryOf("year=2026/hour=05:00")), "year=2026/hour=05%3A00");
  EXPECT_EQ(ValueOf(DirectoryOf("raw/2026")), "raw/2026");
  EXPECT_EQ(ValueOf(DirectoryOf("k=a=b")), "k=a%3Db");
}

TEST(DirectoryOf, RefusesWhatIsNoDirectoryBelowThePath) {
  for (const std::string& layout :
       {std::string("/day=1"), std::string("day=1/"), std::string("a//b"), std::string(".."),
        std::string("a/../b"), std::string("_a"), std::string("a/.b"), std::string("=1"),
        std::string("k=") + std::string(300, 'x')}) {
    EXPECT_THAT(DirectoryOf(layout), FailsWith(FaultCode::kBadLayout)) << layout;
  }
}

TEST(KeysOf, GivesTheKeysOfADirectory) {
  EXPECT_THAT(KeysOf("year=2026/raw/a%3Db=1"), ElementsAre("year", "a=b"));
  EXPECT_THAT(KeysOf(""), IsEmpty());
}

}  // namespace
}  // namespace levada::parquet
