#include "app/table.h"

#include <gtest/gtest.h>

namespace levada::app {
namespace {

TEST(DisplayWidth, CountsCellsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("Ærøskøbing"), 10);
  EXPECT_EQ(DisplayWidth("日本"), 4);
  EXPECT_EQ(DisplayWidth(""), 0);
}

TEST(FitWidth, CutsWithAnEllipsisAndNeverInsideACharacter) {
  EXPECT_EQ(FitWidth("orders", 6, true), "orders");
  EXPECT_EQ(FitWidth("orders", 5, true), "orde…");
  EXPECT_EQ(FitWidth("orders", 5, false), "or...");
  EXPECT_EQ(FitWidth("日本語", 4, true), "日…");
  EXPECT_EQ(FitWidth("orders", 0, true), "");
}

TEST(FitWidth, DisarmsControlCharacters) { EXPECT_EQ(FitWidth("a\x1b[2Jb", 80, true), "a [2Jb"); }

TEST(Table, AlignsColumnsAndTrimsLines) {
  Table table({{"name"}, {"rows", Align::kRight}, {"note"}});
  table.AddRow({"orders", "1,204", ""});
  table.AddRow({"søm", "7", "late"});
  EXPECT_EQ(table.Render({}),
            "name     rows  note\n"
            "orders  1,204\n"
            "søm         7  late\n");
}

TEST(Table, SaysNothingWithoutRows) { EXPECT_EQ(Table({{"name"}}).Render({}), ""); }

TEST(Table, ShrinksOnlyTheColumnsThatMayShrink) {
  Table table({{"id"}, {"query", Align::kLeft, true}});
  table.AddRow({"p0000", "SELECT everything FROM somewhere"});
  EXPECT_EQ(table.Render({.width = 24}),
            "id     query\n"
            "p0000  SELECT…\n");
}

TEST(FitWords, CutsBetweenWordsWhereThatLeavesSomething) {
  EXPECT_EQ(FitWords("not published yet", 17, true), "not published yet");
  EXPECT_EQ(FitWords("not published yet", 15, true), "not published…");
  EXPECT_EQ(FitWords("not published yet", 14, true), "not published…");
  EXPECT_EQ(FitWords("not published yet", 9, true), "not…");
  EXPECT_EQ(FitWords("not published yet", 9, false), "not...");
  EXPECT_EQ(FitWords("a verylongidentifier", 12, true), "a verylongi…");
  EXPECT_EQ(FitWords("not published", 0, true), "");
}

TEST(Table, GoesOnInTheNextLineBetweenWords) {
  Table table({{"stream", Align::kLeft, false, false, true}, {"target", Align::kLeft, true}});
  table.AddRow({"decimal128(9, 2) not null", "int32 (Decimal)"});
  table.AddRow({"string", "binary"});
  EXPECT_EQ(table.Render({.width = 26}),
            "stream            target\n"
            "decimal128(9, 2)  int32…\n"
            "not null\n"
            "string            binary\n");
  EXPECT_EQ(table.Render({.width = 5}),
            "stream         target\n"
            "decimal128(9,  int32…\n"
            "2) not null\n"
            "string         binary\n");
  EXPECT_EQ(table.Render({}),
            "stream                     target\n"
            "decimal128(9, 2) not null  int32 (Decimal)\n"
            "string                     binary\n");
}

TEST(Table, LeavesOutAColumnThatHasNothingToSay) {
  Table table({{"id"}, {"error", Align::kLeft, true, true}, {"rows", Align::kRight}});
  table.AddRow({"p0000", "", "7"});
  EXPECT_EQ(table.Render({.width = 9}), "id     rows\np0000     7\n");
  table.AddRow({"p0001", "gone", "8"});
  EXPECT_EQ(table.Render({}), "id     error  rows\np0000            7\np0001  gone      8\n");
}

TEST(Table, ColoursWholeRowsOnlyWhenAsked) {
  Table table({{"name"}});
  table.AddRow({"failed"}, "\x1b[31m");
  EXPECT_EQ(table.Render({}), "name\nfailed\n");
  EXPECT_EQ(table.Render({.color = true}), "\x1b[2mname\x1b[0m\n\x1b[31mfailed\x1b[0m\n");
}

TEST(Table, TimesAreCut) {
  EXPECT_EQ(TimeToSecond("2026-11-30T06:31:46.949109Z"), "2026-11-30T06:31:46Z");
  EXPECT_EQ(TimeToMinute("2026-11-30T06:31:46.949109Z"), "2026-11-30T06:31Z");
  EXPECT_EQ(TimeToMinute("never"), "never");
}

}  // namespace
}  // namespace levada::app
