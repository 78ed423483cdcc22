#include "expressions/functions.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "base/testing.h"

namespace levada::expressions {
namespace {

constexpr const char* kGuide = LEVADA_TESTDATA "/../../../docs/guide/expressions.md";
constexpr std::string_view kBegin = "<!-- functions -->\n";
constexpr std::string_view kEnd = "<!-- end of functions -->\n";

std::string ReadGuide() {
  std::ifstream file(kGuide);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Table() {
  std::string table = "| | |\n|---|---|\n";
  for (const FunctionEntry& entry : FunctionEntries()) {
    table += "| `" + std::string(entry.signature) + "` | " + std::string(entry.doc) + " |\n";
  }
  return table;
}

TEST(Functions, StandInTheOrderOfTheirNames) {
  std::string previous;
  for (const FunctionEntry& entry : FunctionEntries()) {
    EXPECT_LT(previous, entry.name);
    EXPECT_TRUE(entry.signature.starts_with(std::string(entry.name) + "(")) << entry.name;
    EXPECT_FALSE(entry.doc.empty());
    EXPECT_FALSE(entry.doc.ends_with("."));
    previous = entry.name;
  }
}

// LEVADA_UPDATE=1 writes the guide's table.
TEST(Functions, AreAllInTheGuide) {
  std::string guide = ReadGuide();
  const size_t begin = guide.find(kBegin);
  ASSERT_NE(begin, std::string::npos);
  const size_t at = begin + kBegin.size();
  const size_t end = guide.find(kEnd, at);
  ASSERT_NE(end, std::string::npos);
  if (std::getenv("LEVADA_UPDATE") != nullptr) {
    guide.replace(at, end - at, Table());
    std::ofstream(kGuide) << guide;
  } else {
    EXPECT_EQ(guide.substr(at, end - at), Table());
  }
}

}  // namespace
}  // namespace levada::expressions
