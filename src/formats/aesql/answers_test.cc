// testdata/answers/*.txt: queries, what we make of them, and what they answer. Here the first half
// is compared; tests/platform/test_analytics_sql.py runs the second against the engine.
//
//     -- a comment
//     ? the query, on one or more lines
//     > the engine's SQL, written by LEVADA_UPDATE=1; without the settings and FORMAT JSONEachRow
//       that every one of them ends with, which stand in tail.txt
//     = a line of the answer      ! a part of the engine's error      x a part of our refusal
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "base/ascii.h"
#include "base/testing.h"
#include "formats/aesql/functions.h"
#include "formats/aesql/render.h"
#include "formats/aesql/translate.h"

namespace levada::aesql {
namespace {

using testing::HasSubstr;

const std::string kFolder = LEVADA_TESTDATA "/answers/";
constexpr const char* kFiles[] = {"aggregates", "bits", "numbers", "strings", "times", "language"};

bool IsUpdate() { return std::getenv("LEVADA_UPDATE") != nullptr; }

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Golden(const std::string& path, const std::string& text) {
  if (IsUpdate()) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(ReadFile(path), text) << path << " is made by LEVADA_UPDATE=1";
}

const std::vector<Dataset>& Datasets() {
  static const std::vector<Dataset> kDatasets = {{"temperatures", {"analytics", "d1"}},
                                                 {"a-b`c", {"analytics", "d2"}}};
  return kDatasets;
}

std::string Tail() {
  const std::string whole = RenderTimezone(Format::kJsonEachRow);
  return whole.substr(whole.find(" SETTINGS "));
}

/// The engine's SQL without what all of it ends with, or the refusal.
std::string Translated(const std::string& query) {
  const bool has_format = query.find("FORMAT ") != query.npos;
  const std::string sql = has_format ? query : query + "\nFORMAT JSONEachRow";
  const auto translation = Translate(sql, Datasets());
  if (const auto* problem = std::get_if<Problem>(&translation))
    return "x" + Describe(sql, *problem);
  std::string text = std::get<Translation>(translation).sql;
  const std::string tail = Tail();
  if (text.ends_with(tail)) text.resize(text.size() - tail.size());
  return text;
}

/// The file with its > lines written anew. What it refuses must have an x line that says so.
std::string Rewritten(const std::string& text, std::set<std::string>& called) {
  std::istringstream lines(text);
  std::string out, line, query, refusal;
  const auto flush = [&] {
    if (query.empty()) return;
    const std::string translated = Translated(query);
    if (translated.front() == 'x') {
      refusal = translated;
    } else {
      out += "> " + translated + "\n";
    }
    for (const Function& function : Functions()) {
      const std::string call = LowerAscii(function.name) + "(";
      if (LowerAscii(query).find(call) != query.npos) called.emplace(function.name);
    }
    query.clear();
  };
  while (std::getline(lines, line)) {
    if (line.starts_with("? ")) {
      query += (query.empty() ? "" : "\n") + line.substr(2);
    } else {
      flush();
    }
    if (line.starts_with("> ")) continue;
    if (line.starts_with("x ")) {
      EXPECT_THAT(refusal, HasSubstr(line.substr(2)));
      refusal.clear();
    }
    EXPECT_EQ(refusal, "") << "before: " << line;
    out += line + "\n";
  }
  flush();
  return out;
}

TEST(Answers, AreOfTheseStatements) {
  std::set<std::string> called;
  for (const char* name : kFiles) {
    const std::string path = kFolder + name + ".txt";
    const std::string text = ReadFile(path);
    ASSERT_NE(text, "") << path;
    Golden(path, Rewritten(text, called));
  }
  for (const Function& function : Functions()) {
    EXPECT_TRUE(called.contains(std::string(function.name)))
        << function.name << " has no answer in testdata";
  }
}

TEST(Answers, StandInTablesOfThisForm) {
  Golden(kFolder + "tail.txt", Tail() + "\n");
  Golden(kFolder + "columns.txt", RenderTableColumns("temperatures") + "\n");
}

// Between the two comments the page is written from the table that the checker reads.
TEST(Answers, AndTheGuideListsTheFunctions) {
  const std::string path = LEVADA_TESTDATA "/../../../../docs/guide/analytics-sql.md";
  const std::string page = ReadFile(path);
  const std::string begin = "<!-- functions -->\n", end = "<!-- end of functions -->\n";
  const size_t first = page.find(begin), last = page.find(end);
  ASSERT_LT(first, last);
  Golden(path,
         page.substr(0, first + begin.size()) + FunctionReference() + "\n" + page.substr(last));
}

}  // namespace
}  // namespace levada::aesql
