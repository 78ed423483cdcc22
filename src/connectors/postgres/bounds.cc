#include "connectors/postgres/bounds.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "db/postgres/connection.h"

namespace levada::postgres {
namespace {

using Kind = PartitionBounds::Kind;

constexpr const char* kKinds[] = {"all", "range", "value", "rest", "hash"};
// Of a block number: 32 bits, the last value is none (BlockNumber in block.h).
constexpr int64_t kBlockMax = 0xfffffffe;

Json JsonOf(const std::optional<Cut>& cut) {
  if (!cut) return nullptr;
  return Json{{"value", cut->value}, {"after", cut->after}};
}

Fault Corrupt(const std::string& what) {
  return Fault(FaultCode::kManifestCorrupt, "bounds of a split: " + what);
}

/// The member `key` when it is of the type asked for.
template <typename T>
Result<T> MemberOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  bool fits = found != json.end();
  if constexpr (std::is_same_v<T, bool>) {
    fits = fits && found->is_boolean();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    fits = fits && found->is_number_integer();
  } else {
    fits = fits && found->is_string();
  }
  if (!fits) return Corrupt("\"" + std::string(key) + "\" is missing or of another type");
  return found->get<T>();
}

Result<std::optional<Cut>> CutOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  Cut cut;
  ARROW_ASSIGN_OR_RAISE(cut.value, MemberOf<std::string>(*found, "value"));
  ARROW_ASSIGN_OR_RAISE(cut.after, MemberOf<bool>(*found, "after"));
  return cut;
}

Result<std::vector<std::string>> ValuesOf(const Json& json) {
  const auto found = json.find("values");
  if (found == json.end() || !found->is_array() || found->empty()) {
    return Corrupt("\"values\" is missing or of another type");
  }
  std::vector<std::string> values;
  for (const Json& value : *found) {
    if (!value.is_string()) return Corrupt("\"values\" holds something else than text");
    values.push_back(value.get<std::string>());
  }
  return values;
}

Result<Order> OrderFrom(const Json& json, const char* key) {
  ARROW_ASSIGN_OR_RAISE(const std::string name, MemberOf<std::string>(json, key));
  const std::optional<Order> order = OrderNamed(name);
  if (!order) return Corrupt("unknown order \"" + name + "\"");
  return *order;
}

Result<Json> Parse(const std::string& text) {
  Json json = ParseJson(text);
  if (!json.is_object()) return Corrupt("expected a JSON object");
  return json;
}

/// One value alone, as ranges around a heavy value leave it.
bool IsOneValue(const PartitionBounds& bounds) {
  return bounds.from && bounds.to && bounds.from->value == bounds.to->value &&
         !bounds.from->after && bounds.to->after;
}

std::string ListOf(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) {
    if (!list.empty()) list += ", ";
    list += pq::QuoteLiteral(value);
  }
  return list;
}

std::string RangePredicate(const PartitionBounds& bounds, const std::string& column) {
  std::string predicate;
  if (IsOneValue(bounds)) {
    predicate = column + " = " + pq::QuoteLiteral(bounds.from->value);
  } else {
    if (bounds.from) {
      predicate =
          column + (bounds.from->after ? " > " : " >= ") + pq::QuoteLiteral(bounds.from->value);
    }
    if (bounds.to) {
      predicate += (predicate.empty() ? "" : " AND ") + column +
                   (bounds.to->after ? " <= " : " < ") + pq::QuoteLiteral(bounds.to->value);
    }
  }
  if (predicate.empty() || !bounds.nulls) return predicate;
  return "(" + predicate + " OR " + pq::QuoteIdentifier(bounds.by) + " IS NULL)";
}

std::string RangeMeaning(const PartitionBounds& bounds) {
  if (!bounds.from && !bounds.to) return "all rows";
  const std::string null = bounds.nulls ? " or is null" : "";
  if (IsOneValue(bounds)) return bounds.by + " = " + bounds.from->value + null;
  if (!bounds.from) {
    return bounds.by + (bounds.to->after ? " <= " : " < ") + bounds.to->value + null;
  }
  if (!bounds.to) {
    return bounds.by + (bounds.from->after ? " > " : " >= ") + bounds.from->value + null;
  }
  return bounds.by + " in " + (bounds.from->after ? "(" : "[") + bounds.from->value + ", " +
         bounds.to->value + (bounds.to->after ? "]" : ")") + null;
}

}  // namespace

std::string PartitionBounds::ToJson() const {
  Json json{{"kind", kKinds[static_cast<size_t>(kind)]}};
  if (kind != Kind::kAll) {
    json["by"] = by;
    json["order"] = NameOf(order);
  }
  if (kind == Kind::kRange) {
    json["from"] = JsonOf(from);
    json["to"] = JsonOf(to);
    json["nulls"] = nulls;
  }
  if (kind == Kind::kValue || kind == Kind::kRest) json["values"] = values;
  if (kind == Kind::kHash) {
    json["modulus"] = modulus;
    json["remainder"] = remainder;
  }
  // The key of a time when there were windows only; records with it are still gone on with.
  if (run_order != Order::kNone) json["window_order"] = NameOf(run_order);
  return Dump(json);
}

Result<PartitionBounds> PartitionBounds::FromJson(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const Json json, Parse(text));
  ARROW_ASSIGN_OR_RAISE(const std::string kind, MemberOf<std::string>(json, "kind"));
  const auto* found = std::find(std::begin(kKinds), std::end(kKinds), kind);
  if (found == std::end(kKinds)) return Corrupt("unknown kind \"" + kind + "\"");
  PartitionBounds bounds;
  bounds.kind = static_cast<Kind>(found - std::begin(kKinds));
  // Absent without a window, and from records of older versions.
  if (json.contains("window_order")) {
    ARROW_ASSIGN_OR_RAISE(bounds.run_order, OrderFrom(json, "window_order"));
  }
  if (bounds.kind == Kind::kAll) return bounds;
  ARROW_ASSIGN_OR_RAISE(bounds.by, MemberOf<std::string>(json, "by"));
  ARROW_ASSIGN_OR_RAISE(bounds.order, OrderFrom(json, "order"));
  if (bounds.kind == Kind::kRange) {
    ARROW_ASSIGN_OR_RAISE(bounds.from, CutOf(json, "from"));
    ARROW_ASSIGN_OR_RAISE(bounds.to, CutOf(json, "to"));
    ARROW_ASSIGN_OR_RAISE(bounds.nulls, MemberOf<bool>(json, "nulls"));
  } else if (bounds.kind == Kind::kHash) {
    ARROW_ASSIGN_OR_RAISE(bounds.modulus, MemberOf<int64_t>(json, "modulus"));
    ARROW_ASSIGN_OR_RAISE(bounds.remainder, MemberOf<int64_t>(json, "remainder"));
    if (bounds.modulus < 1 || bounds.remainder < 0 || bounds.remainder >= bounds.modulus) {
      return Corrupt("a remainder outside its modulus");
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(bounds.values, ValuesOf(json));
  }
  return bounds;
}

std::string PartitionBounds::Predicate() const {
  const std::string column =
      pq::QuoteIdentifier(by) + (order == Order::kText ? " COLLATE \"C\"" : "");
  switch (kind) {
    case Kind::kAll:
      return {};
    case Kind::kRange:
      return RangePredicate(*this, column);
    case Kind::kValue:
      return column + " = " + pq::QuoteLiteral(values[0]);
    case Kind::kRest:
      return "(" + pq::QuoteIdentifier(by) + " IS NULL OR " + column + " NOT IN (" +
             ListOf(values) + "))";
    case Kind::kHash:
      // The sign bit is dropped, not the sign: the absolute value of the least integer is none.
      return "(pg_catalog.hashtextextended(coalesce(" + pq::QuoteIdentifier(by) +
             "::pg_catalog.text, '') COLLATE \"C\", 0) & 9223372036854775807) % " +
             std::to_string(modulus) + " = " + std::to_string(remainder);
  }
  return {};
}

std::string PartitionBounds::Meaning() const {
  switch (kind) {
    case Kind::kAll:
      return "all rows";
    case Kind::kRange:
      return RangeMeaning(*this);
    case Kind::kValue:
      return by + " = " + pq::QuoteLiteral(values[0]);
    case Kind::kRest:
      return by + " not in (" + ListOf(values) + ") or is null";
    case Kind::kHash:
      return "hash(" + by + ") mod " + std::to_string(modulus) + " = " + std::to_string(remainder);
  }
  return {};
}

std::vector<PartitionBounds> RangesBetween(const std::string& by, Order order,
                                           const std::vector<Cut>& cuts) {
  std::vector<PartitionBounds> ranges;
  if (cuts.empty()) return {PartitionBounds{}};
  for (size_t i = 0; i <= cuts.size(); ++i) {
    PartitionBounds range;
    range.kind = Kind::kRange;
    range.by = by;
    range.order = order;
    range.nulls = i == 0;
    if (i > 0) range.from = cuts[i - 1];
    if (i < cuts.size()) range.to = cuts[i];
    ranges.push_back(std::move(range));
  }
  return ranges;
}

std::string SliceBounds::ToJson() const {
  if (whole) return "{}";
  Json json;
  json["ctid"] = Json::array({Json(from), to ? Json(*to) : Json(nullptr)});
  return Dump(json);
}

Result<SliceBounds> SliceBounds::FromJson(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const Json json, Parse(text));
  SliceBounds bounds;
  const auto found = json.find("ctid");
  if (found == json.end()) return bounds;
  const auto is_block = [](const Json& number) {
    return number.is_number_integer() && number.get<int64_t>() >= 0 &&
           number.get<int64_t>() <= kBlockMax;
  };
  if (!found->is_array() || found->size() != 2 || !is_block((*found)[0]) ||
      !((*found)[1].is_null() || is_block((*found)[1]))) {
    return Corrupt("\"ctid\" is not a range of blocks");
  }
  bounds.whole = false;
  bounds.from = (*found)[0].get<int64_t>();
  if (!(*found)[1].is_null()) bounds.to = (*found)[1].get<int64_t>();
  return bounds;
}

std::string SliceBounds::Predicate() const {
  if (whole) return {};
  std::string predicate = "ctid >= '(" + std::to_string(from) + ",0)'::pg_catalog.tid";
  if (to) predicate += " AND ctid < '(" + std::to_string(*to) + ",0)'::pg_catalog.tid";
  return predicate;
}

std::vector<SliceBounds> SlicesOf(int64_t blocks, int count) {
  count = static_cast<int>(std::clamp<int64_t>(blocks, 1, count));
  if (count == 1) return {SliceBounds{}};
  std::vector<SliceBounds> slices;
  for (int i = 0; i < count; ++i) {
    SliceBounds slice;
    slice.whole = false;
    slice.from = blocks * i / count;
    if (i + 1 < count) slice.to = blocks * (i + 1) / count;
    slices.push_back(slice);
  }
  return slices;
}

}  // namespace levada::postgres
