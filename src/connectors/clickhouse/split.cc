#include "connectors/clickhouse/split.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <utility>

#include "connectors/clickhouse/run_predicate.h"
#include "connectors/clickhouse/sql_text.h"
#include "elt/grid_cuts.h"

namespace levada::clickhouse {
namespace {

using Kind = PartitionBounds::Kind;
using Rule = PartitionOptions::Rule;

struct Span {
  int64_t least = 0;
  int64_t greatest = 0;
};

/// `count` - 1 values at even distances within the span, each greater than the one before.
std::vector<int64_t> EvenCuts(const Span& span, int64_t count) {
  std::vector<int64_t> cuts;
  const auto width =
      static_cast<unsigned __int128>(static_cast<__int128>(span.greatest) - span.least + 1);
  for (int64_t i = 1; i < count; ++i) {
    const auto step = width * static_cast<unsigned __int128>(i) / static_cast<unsigned>(count);
    const auto cut = static_cast<int64_t>(span.least + static_cast<__int128>(step));
    if (cut > span.least && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
  }
  return cuts;
}

std::optional<int64_t> Number(const std::optional<std::string>& text) {
  int64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

class Splitter {
 public:
  Splitter(const Context& ctx, Session& session, const ConsumerOptions& options,
           const Relation& relation, const elt::RunInstance& run)
      : ctx_(ctx), session_(session), options_(options), relation_(relation), run_(run) {}

  Result<std::vector<elt::Partition>> Split() {
    ARROW_ASSIGN_OR_RAISE(window_, WindowCondition(ctx_, session_, relation_, options_, run_));
    ARROW_ASSIGN_OR_RAISE(const std::vector<PartitionBounds> bounds, Bounds());
    std::vector<elt::Partition> partitions;
    for (const PartitionBounds& part : bounds) {
      elt::Partition partition;
      partition.index = static_cast<int>(partitions.size());
      partition.id = fmt::format("p{:04}", partition.index);
      partition.meaning = part.Meaning();
      partition.bounds = part.ToJson();
      partition.query = SelectOf(relation_, options_, AllOf({window_, part.Predicate()}));
      partition.slices = {elt::Slice{0, "{}"}};
      partitions.push_back(std::move(partition));
    }
    if (partitions.size() == 1 && window_.empty()) {
      ARROW_ASSIGN_OR_RAISE(const TableSize size, SizeOf(ctx_, session_, relation_, options_));
      partitions[0].estimated_rows = size.rows;
      partitions[0].estimated_bytes = size.bytes;
    }
    return partitions;
  }

 private:
  Result<std::vector<PartitionBounds>> Bounds() {
    const PartitionOptions& partition = options_.partition;
    if (partition.rule == Rule::kDerived) return std::vector<PartitionBounds>{PartitionBounds{}};
    ARROW_ASSIGN_OR_RAISE(
        const chnative::Type type,
        TypeOfColumn(ctx_, session_, relation_, options_, partition.by, "partition: by"));
    const Order order = OrderOf(type);
    if (partition.rule == Rule::kValues) return ValueBounds(order);
    if (order != Order::kInteger && order != Order::kDate && order != Order::kDateTime) {
      return Refuse("expected a whole number of up to 64 bits, a Date or a DateTime",
                    "name such a column, or list values:");
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<Span> span, FindSpan(order));
    if (!span) return std::vector<PartitionBounds>{PartitionBounds{}};
    if (partition.rule == Rule::kCount) {
      return RangesBetween(partition.by, order, EvenCuts(*span, partition.number));
    }
    const auto cuts = elt::GridCuts(span->least, span->greatest, partition.number, kPartitionsMax);
    if (cuts) return RangesBetween(partition.by, order, *cuts);
    return Refuse(fmt::format("values from {} to {} in steps of {} are more than {} partitions",
                              span->least, span->greatest, partition.number, kPartitionsMax),
                  "choose a larger size, or count");
  }

  std::vector<PartitionBounds> ValueBounds(Order order) const {
    std::vector<PartitionBounds> parts;
    PartitionBounds rest{.kind = Kind::kRest,
                         .by = options_.partition.by,
                         .order = order,
                         .values = options_.partition.values};
    for (const std::string& value : rest.values) {
      parts.push_back({.kind = Kind::kValue, .by = rest.by, .order = order, .values = {value}});
    }
    parts.push_back(std::move(rest));
    return parts;
  }

  /// From the least to the greatest value of the window; nullopt: there is none.
  Result<std::optional<Span>> FindSpan(Order order) {
    const std::string name = QuoteName(options_.partition.by);
    const auto number = [&](const std::string& value) {
      if (order == Order::kInteger) return "toString(" + value + ")";
      return std::string("toString(") + (order == Order::kDate ? "toUInt16(" : "toUInt32(") +
             value + "))";
    };
    std::string sql = "SELECT toString(count(" + name + ")), " + number("min(" + name + ")") +
                      ", " + number("max(" + name + ")") + " FROM " + relation_.from;
    if (!window_.empty()) sql += " WHERE " + window_;
    ARROW_ASSIGN_OR_RAISE(
        const Session::Rows rows,
        session_.Ask(ctx_, "cannot look for the ends of \"" + options_.partition.by + "\"", sql));
    if (rows.size() != 1 || rows[0].size() != 3) {
      return Fault(FaultCode::kSourceProtocol, "no least and greatest value were answered");
    }
    if (rows[0][0] == "0") return std::nullopt;
    const auto least = Number(rows[0][1]), greatest = Number(rows[0][2]);
    if (least && greatest && *least <= *greatest) return Span{*least, *greatest};
    return Refuse("values beyond 9223372036854775807 are no bounds of partitions",
                  "cut by another column, or list values:");
  }

  Fault Refuse(const std::string& problem, const std::string& help) const {
    const std::string message = "partition: by \"" + options_.partition.by + "\": " + problem;
    return Fault(FaultCode::kImpossiblePlan, message)
        .Help(help)
        .At({options_.written.Group("partition")
                 .ErrorAt("by", FaultCode::kImpossiblePlan, message, help)});
  }

  const Context& ctx_;
  Session& session_;
  const ConsumerOptions& options_;
  const Relation& relation_;
  const elt::RunInstance& run_;
  std::string window_;
};

}  // namespace

Result<std::string> WindowCondition(const Context& ctx, Session& session, const Relation& relation,
                                    const ConsumerOptions& options, const elt::RunInstance& run) {
  if (!run.window) return std::string();
  ARROW_ASSIGN_OR_RAISE(const chnative::Type type, TypeOfColumn(ctx, session, relation, options,
                                                                run.window_column, "run: column"));
  return RunPredicate(run, type);
}

Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, Session& session,
                                             const ConsumerOptions& options,
                                             const Relation& relation,
                                             const elt::RunInstance& run) {
  return Splitter(ctx, session, options, relation, run).Split();
}

Status CheckNoNulls(const Context& ctx, Session& session, const Relation& relation,
                    const ConsumerOptions& options, const elt::RunInstance& run) {
  if (!run.window || run.null_window != elt::NullWindow::kError) return Status::OK();
  const std::string& column = run.window_column;
  ARROW_ASSIGN_OR_RAISE(const chnative::Type type,
                        TypeOfColumn(ctx, session, relation, options, column, "run: column"));
  if (!MayBeNull(type)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const Session::Rows rows,
                        session.Ask(ctx, "cannot look for rows without a place among the others",
                                    "SELECT '1' FROM " + relation.from + " WHERE isNull(" +
                                        QuoteName(column) + ") LIMIT 1"));
  if (rows.empty()) return Status::OK();
  return Fault(FaultCode::kNullInWindow, "column \"" + column + "\" of " + options.What() +
                                             " is NULL in some rows: they belong to no window")
      .With("column", column)
      .Help("say with run: { null: <window's label> } which window takes them");
}

Status CheckBounds(const Context& ctx, Session& session, const Relation& relation,
                   const ConsumerOptions& options, const PartitionBounds& bounds) {
  if (bounds.kind == Kind::kAll) return Status::OK();
  const auto type = TypeOfColumn(ctx, session, relation, options, bounds.by, "partition: by");
  if (!type.ok() && CodeOf(type.status()) != FaultCode::kColumnNotFound) return type.status();
  const Order now = type.ok() ? OrderOf(*type) : Order::kNone;
  if (type.ok() && now == bounds.order) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               options.What() + " has changed since the run was split: column \"" + bounds.by +
                   "\", which its partitions are cut by: expected order " +
                   std::string(NameOf(bounds.order)) + ", got " +
                   (type.ok() ? std::string(NameOf(now)) : "no such column"))
      .With("column", bounds.by)
      .Help("run it again with --replace to cut it anew");
}

}  // namespace levada::clickhouse
