#include "db/sqlite/statement_text.h"

#include <gtest/gtest.h>

#include <string>

namespace levada::db::sqlite {
namespace {

/// What FirstStatementBytes takes; "..." while it goes on.
std::string First(std::string_view sql) {
  const auto bytes = FirstStatementBytes(sql);
  return bytes ? std::string(sql.substr(0, *bytes)) : "...";
}

TEST(FirstStatement, EndsWithItsSemicolon) {
  EXPECT_EQ(First("SELECT 1; SELECT 2;"), "SELECT 1;");
  EXPECT_EQ(First("SELECT 1"), "...");
  EXPECT_EQ(First(""), "...");
}

TEST(FirstStatement, GoesOnBehindSemicolonsThatEndNothing) {
  EXPECT_EQ(First("SELECT ';' ; x"), "SELECT ';' ;");
  EXPECT_EQ(First("SELECT 1 -- one;\n; x"), "SELECT 1 -- one;\n;");
  EXPECT_EQ(First("SELECT 1 /* ; */; x"), "SELECT 1 /* ; */;");
  EXPECT_EQ(First("SELECT 'it''s;"), "...");
  EXPECT_EQ(First("SELECT [a;b], \"c;d\", `e;f`; x"), "SELECT [a;b], \"c;d\", `e;f`;");
}

TEST(FirstStatement, HoldsTheBodyOfATrigger) {
  const std::string trigger =
      "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;";
  EXPECT_EQ(First(trigger + " SELECT 1;"), trigger);
  EXPECT_EQ(First("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b;"), "...");
}

TEST(FirstStatement, NeedNotLookTwice) {
  const std::string begun = "SELECT 'a;b;";
  ASSERT_EQ(FirstStatementBytes(begun), std::nullopt);
  const std::string whole = begun + "c'; SELECT 2;";
  EXPECT_EQ(FirstStatementBytes(whole, begun.size()), FirstStatementBytes(whole));
}

TEST(BlankBytes, AreWhatIsNoStatement) {
  EXPECT_EQ(BlankBytes(""), 0U);
  EXPECT_EQ(BlankBytes("SELECT 1"), 0U);
  EXPECT_EQ(BlankBytes(" \n\t;; SELECT 1"), 6U);
  EXPECT_EQ(BlankBytes("-- a\nSELECT 1"), 5U);
  EXPECT_EQ(BlankBytes("/* a */x"), 7U);
  for (const std::string_view nothing : {" ", ";", "-- a", "/* a", "/* a */ ;\n-- b\n", "/", "-"}) {
    EXPECT_EQ(BlankBytes(nothing), nothing == "/" || nothing == "-" ? 0 : nothing.size())
        << nothing;
  }
}

}  // namespace
}  // namespace levada::db::sqlite
