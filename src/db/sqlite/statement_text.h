#pragma once
// Where a statement of SQL ends, by SQLite's own reading: a semicolon in a text, in a comment or in
// the body of a trigger ends none (sqlite.org/c3ref/complete.html). Pure functions; whether it is a
// statement at all only compiling it says.

#include <cstddef>
#include <optional>
#include <string_view>

namespace levada::db::sqlite {

/// How many bytes stand before the first statement of `sql`: blanks, comments, and semicolons that
/// end nothing. All of `sql` when there is none.
size_t BlankBytes(std::string_view sql);

/// How long the first statement of `sql` is, its semicolon included; nullopt while it goes on.
/// `looked`: bytes that an earlier call found no end in. `sql` has no NUL.
std::optional<size_t> FirstStatementBytes(std::string_view sql, size_t looked = 0);

}  // namespace levada::db::sqlite
