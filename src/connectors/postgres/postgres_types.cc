#include "connectors/postgres/postgres_types.h"

#include <algorithm>
#include <array>

namespace levada::postgres {
namespace {

using pgcopy::ValueKind;

struct KnownType {
  uint32_t oid;  // fixed in every server: src/include/catalog/pg_type.dat
  ValueKind kind;
  Order order;
};

constexpr uint32_t kCharN = 1042;

constexpr auto kKnownTypes = std::to_array<KnownType>({
    {16, ValueKind::kBool, Order::kNone},
    {17, ValueKind::kBytea, Order::kNone},
    {18, ValueKind::kInternalChar, Order::kNone},  // "char"
    {19, ValueKind::kText, Order::kNone},          // name
    {20, ValueKind::kInt8, Order::kInteger},
    {21, ValueKind::kInt2, Order::kInteger},
    {23, ValueKind::kInt4, Order::kInteger},
    {25, ValueKind::kText, Order::kText},
    {26, ValueKind::kOid, Order::kNone},
    {114, ValueKind::kText, Order::kNone},  // json
    {700, ValueKind::kFloat4, Order::kNone},
    {701, ValueKind::kFloat8, Order::kNone},
    {kCharN, ValueKind::kText, Order::kText},
    {1043, ValueKind::kText, Order::kText},  // varchar
    {1082, ValueKind::kDate, Order::kDate},
    {1083, ValueKind::kTime, Order::kNone},
    {1114, ValueKind::kTimestamp, Order::kTimestamp},
    {1184, ValueKind::kTimestamptz, Order::kTimestamptz},
    {1186, ValueKind::kInterval, Order::kNone},
    {1700, ValueKind::kNumeric, Order::kNumeric},
    {2950, ValueKind::kUuid, Order::kUuid},
    {3802, ValueKind::kJsonb, Order::kNone},
});

// In the order of the enumeration; recorded with the bounds of partitions, so never renamed.
constexpr auto kOrderNames = std::to_array<std::string_view>(
    {"none", "integer", "numeric", "text", "uuid", "date", "timestamp", "timestamptz"});

// Pseudo-types whose values are printed: unknown, record, void, cstring, anyarray (of pg_stats),
// record[]. All others have an output function that raises an error: pseudotypes.c.
constexpr auto kPrintedPseudoTypes = std::to_array<uint32_t>({705, 2249, 2275, 2277, 2278, 2287});

// Domains of domains end here: a server's own recursion would have refused more.
constexpr int kDomainDepthMax = 64;

struct Resolved {
  uint32_t oid;
  int32_t modifier;
};

Resolved WithoutDomains(uint32_t oid, int32_t modifier, const ServerTypes& types) {
  for (int depth = 0; depth < kDomainDepthMax; ++depth) {
    const auto found = types.find(oid);
    if (found == types.end() || found->second.kind != ServerType::Kind::kDomain) break;
    oid = found->second.base;
    modifier = found->second.base_modifier;
  }
  return {oid, modifier};
}

const KnownType* FindKnown(uint32_t oid) {
  const auto* found = std::find_if(kKnownTypes.begin(), kKnownTypes.end(),
                                   [&](const KnownType& known) { return known.oid == oid; });
  return found == kKnownTypes.end() ? nullptr : found;
}

void ApplyNumericOptions(int32_t modifier, const ConsumerOptions& options,
                         pgcopy::ColumnType& type) {
  constexpr int32_t kDigitsMax = 76;
  type.numeric = pgcopy::NumericBoundsOf(modifier);
  type.unbounded = options.unbounded;
  type.special = options.non_finite;
  const bool fits = type.numeric && type.numeric->scale <= kDigitsMax &&
                    type.numeric->precision - std::min(type.numeric->scale, 0) <= kDigitsMax;
  if (!fits && options.numeric) type.numeric = options.numeric;
}

bool HasInfinity(ValueKind kind) {
  return kind == ValueKind::kDate || kind == ValueKind::kTime || kind == ValueKind::kTimestamp ||
         kind == ValueKind::kTimestamptz || kind == ValueKind::kInterval;
}

std::optional<pgcopy::ColumnType> ScalarTypeOf(const Resolved& resolved, const ServerTypes& types,
                                               const ConsumerOptions& options) {
  pgcopy::ColumnType type;
  const auto found = types.find(resolved.oid);
  if (found != types.end() && found->second.kind == ServerType::Kind::kEnum) {
    type.kind = ValueKind::kText;
    return type;
  }
  const KnownType* known = FindKnown(resolved.oid);
  if (known == nullptr) return std::nullopt;
  type.kind = known->kind;
  type.trim = resolved.oid == kCharN && options.trim;
  type.uuid_as_bytes = type.kind == ValueKind::kUuid && options.uuid_as_bytes;
  if (type.kind == ValueKind::kNumeric) ApplyNumericOptions(resolved.modifier, options, type);
  if (HasInfinity(type.kind)) type.special = options.infinity;
  if (type.kind == ValueKind::kTime && options.time_as_text) {
    type.special = pgcopy::ValuePolicy::kString;
  }
  return type;
}

}  // namespace

std::optional<pgcopy::ColumnType> ColumnTypeOf(uint32_t oid, int32_t modifier,
                                               const ServerTypes& types,
                                               const ConsumerOptions& options) {
  const Resolved resolved = WithoutDomains(oid, modifier, types);
  const auto found = types.find(resolved.oid);
  if (found == types.end() || !found->second.is_array) {
    return ScalarTypeOf(resolved, types, options);
  }
  // The modifier of an array is that of its elements; on the wire they carry the declared type's
  // id, which may be a domain.
  const uint32_t element = found->second.element;
  auto type = ScalarTypeOf(WithoutDomains(element, resolved.modifier, types), types, options);
  if (!type) return std::nullopt;
  type->array = true;
  type->element_oid = element;
  return type;
}

pgcopy::ColumnType CastType() {
  pgcopy::ColumnType type;
  type.kind = ValueKind::kText;
  // The output function of a type that others have made may print any bytes.
  type.check_utf8 = true;
  return type;
}

bool HasTextForm(uint32_t oid, const ServerTypes& types) {
  const auto found = types.find(oid);
  if (found == types.end() || found->second.kind != ServerType::Kind::kPseudo) return true;
  return std::find(kPrintedPseudoTypes.begin(), kPrintedPseudoTypes.end(), oid) !=
         kPrintedPseudoTypes.end();
}

bool IsArray(uint32_t oid, const ServerTypes& types) {
  const auto found = types.find(WithoutDomains(oid, -1, types).oid);
  return found != types.end() && found->second.is_array;
}

Order OrderOf(uint32_t oid, const ServerTypes& types) {
  const KnownType* known = FindKnown(WithoutDomains(oid, -1, types).oid);
  return known == nullptr ? Order::kNone : known->order;
}

std::string_view NameOf(Order order) { return kOrderNames[static_cast<size_t>(order)]; }

std::optional<Order> OrderNamed(std::string_view name) {
  const auto* found = std::find(kOrderNames.begin(), kOrderNames.end(), name);
  if (found == kOrderNames.end()) return std::nullopt;
  return static_cast<Order>(found - kOrderNames.begin());
}

}  // namespace levada::postgres
