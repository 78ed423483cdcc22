#include "places/file_system.h"

#include "base/testing.h"

namespace levada::places {
namespace {

std::string PathOf(const std::string& location) { return ValueOf(FileSystemOf(location)).path; }

TEST(FileSystem, PlainPathsAndUrlsAreLocal) {
  EXPECT_EQ(PathOf("in/day=1/*.csv"), "in/day=1/*.csv");
  EXPECT_EQ(PathOf("/in/"), "/in");
  EXPECT_EQ(PathOf("/"), "/");
  EXPECT_EQ(PathOf("file:///in/a%20b.csv"), "/in/a b.csv");
  EXPECT_EQ(PathOf("file:./in/*.csv"), "./in/*.csv");
  EXPECT_NE(ValueOf(FileSystemOf("in")).system, nullptr);
}

TEST(FileSystem, OtherSchemesAndEmptyPathsAreRefused) {
  for (const char* location : {"", "file:", "file:a%2", "file://host/in", "s3://",
                               "s3://key:secret@bucket/in", "http://host/in.csv"}) {
    EXPECT_EQ(CodeOf(FileSystemOf(location).status()), FaultCode::kBadValue) << location;
  }
}

}  // namespace
}  // namespace levada::places
