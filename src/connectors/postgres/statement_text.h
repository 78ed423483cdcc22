#pragma once
// Where one SQL statement ends in what a user wrote.

#include <string_view>

namespace levada::postgres {

/// `sql` without the semicolons, blanks and comments behind its last word, so that it can stand in
/// parentheses. Quotes, dollar quotes and nested comments are skipped as PostgreSQL's own lexer
/// does with standard_conforming_strings on, its default. A quote or comment that does not end is
/// kept: the server says what is wrong with it. Two statements stay two.
/// Source: PostgreSQL documentation, "Lexical Structure".
std::string_view WithoutClosing(std::string_view sql);

}  // namespace levada::postgres
