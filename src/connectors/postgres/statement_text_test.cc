#include "connectors/postgres/statement_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace levada::postgres {
namespace {

TEST(StatementText, EndsBehindTheLastWord) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {" ; -- nothing", ""},
      {"select 1", "select 1"},
      {"select 1 ;; \r\n", "select 1"},
      {"select 1; -- the last; one", "select 1"},
      {"select 1 -- one\n;\n", "select 1"},
      {"-- first\nselect 1 /* a /* nested; */ one */ ; ", "-- first\nselect 1"},
      {"select 1 -- one\r; select 2", "select 1 -- one\r; select 2"},
      {"select 1; select 2;", "select 1; select 2"},
  };
  for (const auto& [sql, kept] : cases) EXPECT_EQ(WithoutClosing(sql), kept) << sql;
}

TEST(StatementText, LeavesQuotedTextAlone) {
  for (const std::string sql :
       {"select '; -- no comment'", "select 'it''s; --'", "select E'\\'; --'", "select 'a\\'",
        "select \"a;\"\"--\"", "select $$; -- $$", "select $t$ $$ ; -- $t$", "select '/*', 1",
        "select a$1 , 2", "select $1", "select e''", "select type'x\\'"}) {
    EXPECT_EQ(WithoutClosing(sql + "; -- \" ' $$ end"), sql);
  }
}

TEST(StatementText, KeepsWhatDoesNotEnd) {
  for (const char* sql : {"select '; ", "select \"; ", "select 1; /* ", "select $a$ ; $b$ ",
                          "select E'\\' ; --", "select E'\\"}) {
    EXPECT_EQ(WithoutClosing(sql), sql);
  }
}

}  // namespace
}  // namespace levada::postgres
