#include "formats/csv/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::csv {
namespace {

using testing::ElementsAre;

TEST(Dialect, TheDelimiterCutsAllRowsAlike) {
  EXPECT_EQ(GuessDialect("id,name\n1,a\n2,b\n").delimiter, ',');
  EXPECT_EQ(GuessDialect("id;price\n1;2,50\n2;3,75\n").delimiter, ';');
  EXPECT_EQ(GuessDialect("id\tnote\n1\ta, b\n2\tc\n").delimiter, '\t');
  EXPECT_EQ(GuessDialect("id|note\n1|a;b;c\n2|d\n").delimiter, '|');
  EXPECT_EQ(GuessDialect("name\nAnna\nBen\n").delimiter, ',');
  EXPECT_EQ(GuessDialect("").delimiter, ',');
}

TEST(Dialect, DelimitersInsideOfQuotesAreNone) {
  EXPECT_EQ(GuessDialect("id,note\n1,\"a;b;c\"\n2,\"d;e;f\"\n").delimiter, ',');
  EXPECT_EQ(GuessDialect("id;note\n1;\"a,b\nc,d\"\n2;\"e\"\n").delimiter, ';');
}

TEST(Dialect, SingleQuotesAreQuotesWhereTheyStandAroundFields) {
  EXPECT_EQ(GuessDialect("id,note\n1,'a,b'\n2,'c,d'\n").quote, '\'');
  EXPECT_EQ(GuessDialect("id,note\n1,'tis\n2,'twas so\n").quote, '"');
  EXPECT_EQ(GuessDialect("id,note\n1,'a'\n2,\"b\"\n").quote, '"');
}

TEST(Dialect, BackslashesEscapeWhereQuotesAreNotDoubled) {
  EXPECT_EQ(GuessDialect("id,note\n1,\"say \\\"a\\\"\"\n").escape, '\\');
  EXPECT_EQ(GuessDialect("id,note\n1,\"say \"\"a\"\"\"\n").escape, '\0');
  EXPECT_EQ(GuessDialect("id,note\n1,\"C:\\temp\"\n").escape, '\0');
}

TEST(Dialect, AFirstRowOfValuesIsNoHeader) {
  EXPECT_TRUE(GuessDialect("id,name\n1,a\n").header);
  EXPECT_TRUE(GuessDialect("name,city\nAnna,Bern\n").header);
  EXPECT_FALSE(GuessDialect("1,a\n2,b\n").header);
  EXPECT_FALSE(GuessDialect("a,2026-01-31\nb,2026-02-01\n").header);
  EXPECT_FALSE(GuessDialect("a,-.5e3\n").header);
  EXPECT_FALSE(GuessDialect("a,,b\n1,2,3\n").header);
  EXPECT_FALSE(GuessDialect("a,a\nb,c\n").header);
}

TEST(Dialect, WhatIsKnownIsNotGuessed) {
  const Dialect given{.delimiter = ';', .quote = '\'', .escape = '\\', .header = false};
  EXPECT_EQ(GuessDialect("id,name\n1,a\n", given, {true, true, true, true}), given);
}

TEST(Dialect, FirstRowsAreWholeOnes) {
  const auto rows = FirstRows("\xEF\xBB\xBFid,name\r\n1,\"a\"\"b\"\r\n\r\n2,cut o", {});
  EXPECT_THAT(rows, ElementsAre(ElementsAre("id", "name"), ElementsAre("1", "a\"b")));
  EXPECT_THAT(FirstRows("only,this", {}), ElementsAre(ElementsAre("only", "this")));
}

}  // namespace
}  // namespace levada::csv
