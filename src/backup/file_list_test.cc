#include "backup/file_list.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/testing.h"

namespace levada::backup {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

const std::string kHash(64, 'a');

std::string ListOf(const std::vector<FileEntry>& entries) {
  FileListWriter writer = ValueOf(FileListWriter::Make());
  for (const FileEntry& entry : entries) EXPECT_THAT(writer.Add(entry), IsOk());
  return ValueOf(writer.Finish());
}

Result<std::vector<FileEntry>> Read(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(FileListReader reader, FileListReader::Make(bytes));
  std::vector<FileEntry> entries;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto entry, reader.Next());
    if (!entry) return entries;
    entries.push_back(*std::move(entry));
  }
}

TEST(FileListTest, IsReadAsItWasWritten) {
  EXPECT_THAT(ValueOf(Read(ListOf({}))), testing::IsEmpty());
  std::vector<FileEntry> many;
  for (int i = 100'000; i < 130'000; ++i) {
    many.push_back({"kv/" + std::to_string(i) + ".sst", i, i * int64_t{1'000'000'007}, kHash});
  }
  EXPECT_THAT(ValueOf(Read(ListOf(many))), ElementsAreArray(many));
}

TEST(FileListTest, OrderIsThatOfAWalk) {
  EXPECT_LT(ComparePaths("a/b", "a-b"), 0);
  EXPECT_GT(ComparePaths("a-b", "a/b"), 0);
  EXPECT_LT(ComparePaths("a", "a/b"), 0);
  EXPECT_LT(ComparePaths("a/b", "a/c"), 0);
  EXPECT_LT(ComparePaths("z", "\xC3\xA9"), 0);
  EXPECT_EQ(ComparePaths("a/b", "a/b"), 0);
}

void ExpectRefused(const std::vector<FileEntry>& entries, const std::string& what) {
  const auto read = Read(ListOf(entries));
  ASSERT_FALSE(read.ok()) << what;
  EXPECT_EQ(CodeOf(read.status()), FaultCode::kManifestCorrupt);
  EXPECT_THAT(read.status().message(), HasSubstr(what));
}

TEST(FileListTest, PathsStayInTheirDirectory) {
  for (const std::string path :
       {"", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", "./a", "a/.", "a/./b"}) {
    ExpectRefused({{path, 1, 1, kHash}}, "of no file");
  }
  ExpectRefused({{std::string("a\0b", 3), 1, 1, kHash}}, "of no file");
  ExpectRefused({{std::string(5000, 'a'), 1, 1, kHash}}, "of no file");
  ExpectRefused({{"a", -1, 1, kHash}}, "of no file");
  ExpectRefused({{"a", 1, 1, "../../../../etc/passwd"}}, "of no file");
  ExpectRefused({{"a", 1, 1, std::string(64, 'G')}}, "of no file");
  ExpectRefused({{std::string(20'000, 'a'), 1, 1, kHash}}, "damaged");
}

TEST(FileListTest, EachPathStandsOnceAndInOrder) {
  ExpectRefused({{"a", 1, 1, kHash}, {"a", 1, 1, kHash}}, "stands behind");
  ExpectRefused({{"b", 1, 1, kHash}, {"a", 1, 1, kHash}}, "stands behind");
}

TEST(FileListTest, WhatIsNoListIsRefused) {
  const std::string list = ListOf({{"a", 1, 1, kHash}, {"b", 2, 2, kHash}});
  EXPECT_FALSE(Read("").ok() && Read("")->size() > 0);
  EXPECT_FALSE(Read("no list").ok());
  EXPECT_FALSE(Read(list.substr(0, list.size() / 2)).ok());
}

}  // namespace
}  // namespace levada::backup
