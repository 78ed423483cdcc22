#pragma once
// Values of SQLite as text: as SQL literals, which keep every value apart from every other, as JSON
// numbers, and as UUIDs.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "db/sqlite/database.h"

namespace levada::sqlite {

/// Appends the SQL literal of `cell`, which SQLite reads as the same value of the same storage
/// class:
///
///     INTEGER  5
///     REAL     5.0, 1e-07, 9e999 for infinity: the shortest that is exactly that float (SQLite's
///     own
///              reading may be a bit off where numbers have hundreds of places)
///     TEXT     'it''s', its bytes unchanged; CAST(x'e9' AS TEXT) of one that is no UTF-8
///     BLOB     x'00ff'
///     NULL     NULL
///
/// False, with nothing appended, for a text that is lost (Cell::is_lost).
bool AppendLiteral(const db::sqlite::Cell& cell, std::string& text);

/// Appends `value` in its shortest form, with a point or an exponent: "5.0". Not for infinities.
void AppendFloat(double value, std::string& text);

/// The 36 characters of a UUID, lower case, of 32 hex digits with or without the four hyphens in
/// their places; nullopt for anything else.
std::optional<std::string> UuidOfText(std::string_view text);
/// The same of its 16 bytes.
std::optional<std::string> UuidOfBytes(std::string_view bytes);

}  // namespace levada::sqlite
