#include "connectors/clickhouse/bounds.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "connectors/clickhouse/sql_text.h"
#include "elt/literal.h"

namespace levada::clickhouse {
namespace {

using Kind = PartitionBounds::Kind;

constexpr std::array<std::string_view, 4> kKindNames = {"all", "range", "value", "rest"};
constexpr std::array<std::string_view, 7> kOrderNames = {"none",   "text",     "integer",   "date",
                                                         "date32", "datetime", "datetime64"};

template <size_t N>
std::optional<size_t> IndexOf(const std::array<std::string_view, N>& names, const Json& name) {
  if (!name.is_string()) return std::nullopt;
  const auto found = std::ranges::find(names, name.get<std::string>());
  if (found == names.end()) return std::nullopt;
  return static_cast<size_t>(found - names.begin());
}

std::string Literal(int64_t value, Order order) {
  const std::string number = std::to_string(value);
  if (order == Order::kDate) return "toDate(" + number + ")";
  return order == Order::kDateTime ? "toDateTime(" + number + ")" : number;
}

std::string Shown(int64_t value, Order order) {
  if (order == Order::kDate) return elt::DateText(static_cast<int32_t>(value));
  if (order == Order::kDateTime) return elt::DateTimeText(value * 1'000'000);
  return std::to_string(value);
}

/// Values that stand for ends of ranges of this order.
bool IsEnd(int64_t value, Order order) {
  if (order == Order::kInteger) return true;
  return value >= 0 && value <= (order == Order::kDate ? int64_t{0xffff} : int64_t{0xffffffff});
}

Result<std::optional<int64_t>> EndOf(const Json& json, const char* key, Order order) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  if (!found->is_number_integer() || !IsEnd(found->get<int64_t>(), order)) {
    return Status::Invalid("no end of a range");
  }
  return found->get<int64_t>();
}

Result<PartitionBounds> Read(const Json& json) {
  const Status corrupt = Status::Invalid("no bounds");
  if (!json.is_object() || !json.contains("kind")) return corrupt;
  PartitionBounds bounds;
  const auto kind = IndexOf(kKindNames, json["kind"]);
  if (!kind) return corrupt;
  bounds.kind = static_cast<Kind>(*kind);
  if (bounds.kind == Kind::kAll) return bounds;
  const auto order = IndexOf(kOrderNames, json.value("order", Json()));
  const Json by = json.value("by", Json());
  if (!order || !by.is_string()) return corrupt;
  bounds.order = static_cast<Order>(*order);
  bounds.by = by.get<std::string>();
  if (bounds.kind == Kind::kRange) {
    const bool ranged = bounds.order == Order::kInteger || bounds.order == Order::kDate ||
                        bounds.order == Order::kDateTime;
    if (!ranged) return corrupt;
    ARROW_ASSIGN_OR_RAISE(bounds.from, EndOf(json, "from", bounds.order));
    ARROW_ASSIGN_OR_RAISE(bounds.to, EndOf(json, "to", bounds.order));
    return bounds;
  }
  const Json values = json.value("values", Json());
  if (!values.is_array() || values.empty()) return corrupt;
  for (const Json& value : values) {
    if (!value.is_string()) return corrupt;
    bounds.values.push_back(value.get<std::string>());
  }
  return bounds;
}

}  // namespace

std::string_view NameOf(Order order) { return kOrderNames[static_cast<size_t>(order)]; }

Order OrderOf(const chnative::Type& type) {
  using chnative::Kind;
  switch (type.kind) {
    case Kind::kNullable:
    case Kind::kLowCardinality:
      return OrderOf(type.children[0]);
    case Kind::kInt:
    case Kind::kUInt:
      return type.bits <= 64 ? Order::kInteger : Order::kNone;
    case Kind::kDate:
      return Order::kDate;
    case Kind::kDate32:
      return Order::kDate32;
    case Kind::kDateTime:
      return Order::kDateTime;
    case Kind::kDateTime64:
      return Order::kDateTime64;
    case Kind::kString:
      return Order::kText;
    default:
      return Order::kNone;
  }
}

bool MayBeNull(const chnative::Type& type) {
  if (type.kind == chnative::Kind::kLowCardinality) return MayBeNull(type.children[0]);
  return type.kind == chnative::Kind::kNullable;
}

std::string PartitionBounds::ToJson() const {
  Json json = {{"kind", kKindNames[static_cast<size_t>(kind)]}};
  if (kind != Kind::kAll) {
    json["by"] = by;
    json["order"] = NameOf(order);
  }
  if (from) json["from"] = *from;
  if (to) json["to"] = *to;
  if (!values.empty()) json["values"] = values;
  return Dump(json);
}

Result<PartitionBounds> PartitionBounds::FromJson(const std::string& text) {
  Result<PartitionBounds> read = Read(ParseJson(text));
  if (read.ok()) return read;
  return Fault(FaultCode::kManifestCorrupt,
               "split record: bounds that the clickhouse consumer did not write");
}

std::string PartitionBounds::Predicate() const {
  if (kind == Kind::kAll) return {};
  const std::string name = QuoteName(by);
  if (kind == Kind::kRange) {
    std::string low, high;
    if (from) low = name + " >= " + Literal(*from, order);
    if (to) high = name + " < " + Literal(*to, order);
    if (!from && to) high = "(" + high + " OR isNull(" + name + "))";
    return AllOf({low, high});
  }
  const std::string text = order == Order::kText ? name : "toString(" + name + ")";
  if (kind == Kind::kValue) return text + " = " + QuoteText(values.front());
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + QuoteText(value);
  return text + " NOT IN (" + list + ") OR isNull(" + name + ")";
}

std::string PartitionBounds::Meaning() const {
  switch (kind) {
    case Kind::kAll:
      return "all rows";
    case Kind::kValue:
      return by + " = " + values.front();
    case Kind::kRest:
      return by + " is another value, or NULL";
    case Kind::kRange:
      break;
  }
  if (from && to) return by + " in [" + Shown(*from, order) + ", " + Shown(*to, order) + ")";
  if (from) return by + " >= " + Shown(*from, order);
  return to ? by + " < " + Shown(*to, order) + ", or NULL" : "all rows";
}

std::vector<PartitionBounds> RangesBetween(const std::string& by, Order order,
                                           const std::vector<int64_t>& cuts) {
  std::vector<PartitionBounds> ranges;
  if (cuts.empty()) return {PartitionBounds{}};
  for (size_t i = 0; i <= cuts.size(); ++i) {
    PartitionBounds range{.kind = Kind::kRange, .by = by, .order = order};
    if (i > 0) range.from = cuts[i - 1];
    if (i < cuts.size()) range.to = cuts[i];
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace levada::clickhouse
