#include "app/shell_statements.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace levada::app {
namespace {

std::vector<std::string> All(ShellStatements& statements) {
  std::vector<std::string> all;
  while (auto statement = statements.Take()) {
    all.push_back(std::to_string(statement->line) + ":" + std::to_string(statement->column) + " " +
                  statement->sql);
  }
  return all;
}

TEST(ShellStatements, AreCutWhereTheyEnd) {
  ShellStatements statements;
  statements.Add("SELECT 1; SELECT 'a;");
  EXPECT_EQ(All(statements), (std::vector<std::string>{"1:1 SELECT 1;"}));
  EXPECT_FALSE(statements.is_between());
  statements.Add("b';");
  EXPECT_EQ(All(statements), (std::vector<std::string>{"1:11 SELECT 'a;\nb';"}));
  EXPECT_TRUE(statements.is_between());
}

TEST(ShellStatements, KnowTheirLines) {
  ShellStatements statements;
  for (const char* line : {"-- orders;", "", "  SELECT", "  2;", "/* one", "two; */ SELECT 3;"}) {
    statements.Add(line);
  }
  EXPECT_EQ(All(statements), (std::vector<std::string>{"3:3 SELECT\n  2;", "6:9 SELECT 3;"}));
}

TEST(ShellStatements, GoOnWithinAComment) {
  ShellStatements statements;
  statements.Add("/* not yet");
  EXPECT_TRUE(All(statements).empty());
  EXPECT_FALSE(statements.is_between());
  EXPECT_FALSE(statements.TakeRest());
  statements.Add("*/ ; ;");
  EXPECT_TRUE(All(statements).empty());
  EXPECT_TRUE(statements.is_between());
}

TEST(ShellStatements, HaveARestWithoutASemicolon) {
  ShellStatements statements;
  statements.Add("SELECT 1;");
  statements.Add(" SELECT 2 ");
  ASSERT_TRUE(statements.Take());
  EXPECT_FALSE(statements.Take());
  const auto rest = statements.TakeRest();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->sql, "SELECT 2");
  EXPECT_EQ(rest->line, 2U);
  EXPECT_EQ(rest->column, 2U);
  EXPECT_FALSE(statements.TakeRest());
}

TEST(ShellStatements, AreForgotten) {
  ShellStatements statements;
  statements.Add("SELECT '");
  EXPECT_FALSE(statements.Take());
  statements.Forget();
  EXPECT_TRUE(statements.is_between());
  statements.Add("SELECT 1;");
  EXPECT_EQ(All(statements), (std::vector<std::string>{"2:1 SELECT 1;"}));
}

TEST(FaultOfStatement, PointsAtTheWord) {
  const ShellStatement statement{"SELECT 1\nFORM t;", 3, 5};
  const Fault fault = FaultOfStatement(statement, "a.sql", "near \"FORM\": x at offset 9: E", 9);
  EXPECT_EQ(fault.message(), "near \"FORM\": x: E");
  ASSERT_EQ(fault.diagnostics().size(), 1U);
  const Span& span = fault.diagnostics()[0].span;
  EXPECT_EQ(span.line, 4U);
  EXPECT_EQ(span.column, 1U);
  EXPECT_EQ(span.length, 4U);
}

TEST(FaultOfStatement, PointsAtTheFirstLineOfWhatIsWrongAsAWhole) {
  const ShellStatement statement{"SELECT 1\nFROM t;", 3, 5};
  const Fault fault = FaultOfStatement(statement, "a.sql", "not authorized", -1);
  const Span& span = fault.diagnostics()[0].span;
  EXPECT_EQ(span.line, 3U);
  EXPECT_EQ(span.column, 5U);
  EXPECT_EQ(span.length, 8U);
}

TEST(FaultOfStatement, TakesAnyOffset) {
  for (const int64_t offset : {int64_t{-1}, int64_t{0}, int64_t{8}, int64_t{9}, INT64_MAX}) {
    const Fault fault = FaultOfStatement({"SELECT 1", 1, 1}, "a", "x", offset);
    EXPECT_GE(fault.diagnostics()[0].span.length, 1U) << offset;
    EXPECT_LE(fault.diagnostics()[0].span.column, 9U) << offset;
  }
}

}  // namespace
}  // namespace levada::app
