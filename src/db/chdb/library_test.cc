#include "db/chdb/library.h"

#include "base/testing.h"

namespace levada::db::chdb {
namespace {

using testing::HasSubstr;

TEST(LibraryTest, SaysWhichFileIsNoLibrary) {
  EXPECT_THAT(LoadLibrary("/nowhere/libchdb.so"),
              FailsWith(FaultCode::kFileUnreadable, HasSubstr("/nowhere/libchdb.so")));
  EXPECT_THAT(LoadLibrary("libc.so.6"),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("libc.so.6")));
}

TEST(LibraryTest, ReadsTheErrorsOfTheEngine) {
  const EngineError wrapped = ParseError(
      "Code: 164. DB::Exception: Code: 164. DB::Exception: Cannot modify 'x' setting in readonly "
      "mode. (READONLY) (version 26.5.1.1). (READONLY)");
  EXPECT_EQ(wrapped.code, 164);
  EXPECT_EQ(wrapped.message, "Cannot modify 'x' setting in readonly mode.");
  const EngineError plain = ParseError("Code: 6. DB::Exception: Cannot parse 'a' (b). (CANNOT)");
  EXPECT_EQ(plain.code, 6);
  EXPECT_EQ(plain.message, "Cannot parse 'a' (b).");
  EXPECT_EQ(ParseError("out of luck").message, "out of luck");
  EXPECT_EQ(ParseError("").code, 0);
  EXPECT_EQ(ParseError("Code: ").code, 0);
}

}  // namespace
}  // namespace levada::db::chdb
