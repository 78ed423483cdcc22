#pragma once
// The name of a file as a URI that SQLite opens.

#include <string>
#include <string_view>

namespace levada::db::sqlite {

/// "file:" and `path`, with everything escaped that could mean something in a URI; parameters may
/// follow behind a '?'.
std::string FileUriOf(std::string_view path);

}  // namespace levada::db::sqlite
