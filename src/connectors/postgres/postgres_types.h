#pragma once
// PostgreSQL's types and what we make of them: one table, in postgres_types.cc and in the README.
//
// A column's type is an object id and a modifier. Domains are followed to what they are domains of,
// enums are their labels, arrays are lists of their elements; formats/pgcopy then says which Arrow
// type that is and decodes it. Every other type is read as text, which the server makes by a cast.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "connectors/postgres/postgres_options.h"
#include "formats/pgcopy/types.h"

namespace levada::postgres {

/// A row of pg_type.
struct ServerType {
  enum class Kind : char {
    kBase = 'b',
    kComposite = 'c',
    kDomain = 'd',
    kEnum = 'e',
    kPseudo = 'p',
    kRange = 'r',
    kMultirange = 'm'
  };
  Kind kind = Kind::kBase;
  bool is_array = false;       ///< a true one: int2vector and oidvector are not
  uint32_t base = 0;           ///< of a domain
  int32_t base_modifier = -1;  ///< of a domain
  uint32_t element = 0;        ///< of an array
};
/// By object id: those of a statement's columns and all they lead to.
using ServerTypes = std::map<uint32_t, ServerType>;

/// What formats/pgcopy needs to decode a column of type `oid` with `modifier` as `options` ask for;
/// nullopt for a type without a decoder. `nullable` is left true.
std::optional<pgcopy::ColumnType> ColumnTypeOf(uint32_t oid, int32_t modifier,
                                               const ServerTypes& types,
                                               const ConsumerOptions& options);

/// What formats/pgcopy needs to decode a column that the server casts to text.
pgcopy::ColumnType CastType();

/// Whether the server prints values of this type, and so casts them to text. It does of all types
/// that a column of a table can have, and not of the pseudo-types that stand for anything.
bool HasTextForm(uint32_t oid, const ServerTypes& types);

/// Whether it is an array, or a domain over one.
bool IsArray(uint32_t oid, const ServerTypes& types);

/// What a column can be cut by: what `partition: { by }` and windows ask of a type.
enum class Order : uint8_t {
  kNone,     ///< not a type we make ranges of
  kInteger,  ///< int2, int4, int8
  kNumeric,  ///< numeric
  kText,     ///< text, varchar, char(n): compared COLLATE "C"
  kUuid,
  kDate,
  kTimestamp,
  kTimestamptz,
};
Order OrderOf(uint32_t oid, const ServerTypes& types);
/// "integer", "text", ...; of kNone "none".
std::string_view NameOf(Order order);
std::optional<Order> OrderNamed(std::string_view name);

}  // namespace levada::postgres
