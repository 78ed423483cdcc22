#include "connectors/sqlite/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connectors/sqlite/rowid_spread.h"
#include "connectors/sqlite/select_text.h"
#include "connectors/sqlite/table_size.h"
#include "elt/grid_cuts.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;
using Rule = PartitionOptions::Rule;

// Counting further than this for an estimate would cost more than a progress bar is worth.
constexpr int64_t kCountMax = 1'000'000;
// A slice below this is read faster than its file is written.
constexpr int64_t kSliceBytesMin = int64_t{32} << 20;
// More connections than this share the disk and the cores with whoever encodes; who wants more says
// how many.
constexpr int64_t kAutoConnectionsMax = 4;

bool IsRowIdName(std::string_view name) {
  return SameName(name, "rowid") || SameName(name, "_rowid_") || SameName(name, "oid");
}

/// A column that ranges of whole numbers can be of.
bool IsWhole(const Column& column, const ConsumerOptions& options) {
  const Result<ColumnType> type = TypeOf(column, options);
  return type.ok() && type->type->id() == arrow::Type::INT64 &&
         (column.declared.empty() || AffinityOf(column.declared) != Affinity::kText);
}

/// Whether an index leads to the rows of the window.
Result<bool> IsWindowIndexed(const Context& ctx, Database& database, const std::string& rows) {
  ARROW_ASSIGN_OR_RAISE(Statement plan, database.Prepare(ctx, "EXPLAIN QUERY PLAN " + rows));
  ARROW_ASSIGN_OR_RAISE(bool row, plan.Step(ctx));
  const std::string detail = row ? plan.Text(3) : "";
  ARROW_ASSIGN_OR_RAISE(bool more, row ? plan.Step(ctx) : false);
  return !more && detail.starts_with("SEARCH") && detail.find("INDEX") != std::string::npos;
}

/// Whether ranges of what `partition: by` names are found without a scan.
Result<bool> CanSeek(const Context& ctx, Database& database, const Relation& relation,
                     const ConsumerOptions& options) {
  const std::string& by = options.partition.by;
  const Column* column = relation.Find(by);
  if (column == nullptr || SameName(by, relation.row_id_column)) return true;
  if (relation.name.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(
      Statement index,
      database.Prepare(
          ctx,
          "SELECT 1 FROM pragma_index_list(?1, ?2) AS l, pragma_index_info(l.name, ?2) "
          "AS i WHERE NOT l.partial AND i.seqno = 0 AND lower(i.name) = lower(?3)"));
  return index.Bind(1, relation.name).Bind(2, options.schema).Bind(3, column->name).Step(ctx);
}

class Splitter {
 public:
  Splitter(const Context& ctx, Database& database, const ConsumerOptions& options,
           const Relation& relation, const elt::RunInstance& run, const elt::SplitLimits& limits)
      : ctx_(ctx),
        database_(database),
        options_(options),
        relation_(relation),
        run_(run),
        limits_(limits) {}

  Result<std::vector<elt::Partition>> Split() {
    ARROW_ASSIGN_OR_RAISE(window_, WindowOf(relation_, options_, run_));
    ARROW_ASSIGN_OR_RAISE(const std::vector<RowRange> ranges, Ranges());
    std::vector<elt::Partition> partitions;
    for (const RowRange& range : ranges) {
      const PartitionBounds bounds{window_, range};
      elt::Partition partition;
      partition.index = static_cast<int>(partitions.size());
      partition.id = fmt::format("p{:04}", partition.index);
      partition.meaning = bounds.Meaning();
      partition.bounds = bounds.ToJson();
      partition.query = SelectOf(relation_, bounds, RowRange{});
      partition.slices = {elt::Slice{0, RowRange{}.ToJson()}};
      if (!run_.window && spread_ && range.by.empty()) {
        partition.estimated_rows = spread_->WidthWithin(range.from, range.to);
      }
      partitions.push_back(std::move(partition));
    }
    if (partitions.size() == 1) ARROW_RETURN_NOT_OK(AddEstimateAndSlices(partitions[0]));
    return partitions;
  }

 private:
  Result<std::vector<RowRange>> Ranges() {
    const PartitionOptions& partition = options_.partition;
    if (partition.rule == Rule::kDerived) return Derived();
    ARROW_ASSIGN_OR_RAISE(const std::string by, By());
    ARROW_ASSIGN_OR_RAISE(const RowidSpread spread, SpreadOf(by));
    if (spread.empty()) return std::vector<RowRange>{RowRange{}};
    if (partition.rule == Rule::kCount) {
      return RangesBetween(by, spread.EvenCuts(partition.number));
    }
    const auto cuts =
        elt::GridCuts(spread.least(), spread.greatest(), partition.number, kPartitionsMax);
    if (cuts) return RangesBetween(by, *cuts);
    return Refuse(fmt::format("values from {} to {} in steps of {} are more than {} partitions",
                              spread.least(), spread.greatest(), partition.number, kPartitionsMax),
                  "choose a larger size, or count");
  }

  Fault Refuse(const std::string& problem, const std::string& help) const {
    const std::string message = "partition: by \"" + options_.partition.by + "\": " + problem;
    return Fault(FaultCode::kImpossiblePlan, message)
        .Help(help)
        .At({options_.written.Group("partition")
                 .ErrorAt("by", FaultCode::kImpossiblePlan, message, help)});
  }

  /// What partitions are by: a column, or the rowid, which has no name here.
  Result<std::string> By() const {
    const std::string& by = options_.partition.by;
    const Column* column = relation_.Find(by);
    if (column == nullptr) {
      if (!IsRowIdName(by)) {
        const std::string message = "partition: by: no column \"" + by + "\"";
        const std::string help = DidYouMean(by, NamesOf(relation_.columns));
        return Fault(FaultCode::kColumnNotFound, message)
            .Help(help)
            .At({options_.written.Group("partition")
                     .ErrorAt("by", FaultCode::kColumnNotFound, message, help)});
      }
      if (!relation_.row_id.empty()) return std::string();
      return Refuse(relation_.without_row_id ? "the table is WITHOUT ROWID"
                                             : "a view, a query or a virtual table has no rowid",
                    WholeColumns());
    }
    const bool is_row_id = SameName(column->name, relation_.row_id_column);
    if (is_row_id && !relation_.row_id.empty()) return std::string();
    if (IsWhole(*column, options_)) return column->name;
    return Refuse("expected a column of whole numbers, declared \"" + column->declared + "\"",
                  WholeColumns());
  }

  /// What else could be cut by.
  std::string WholeColumns() const {
    std::string names;
    for (const Column& column : relation_.columns) {
      if (!IsWhole(column, options_)) continue;
      names += (names.empty() ? "" : ", ") + column.name;
    }
    return names.empty() ? "leave partition: out, no column has whole numbers"
                         : "name a column of whole numbers, best one with an index: " + names;
  }

  Result<RowidSpread> SpreadOf(const std::string& by) {
    if (by.empty() && !run_.window) {
      ARROW_RETURN_NOT_OK(FindSpread());
      return *spread_;
    }
    RowRange range;
    range.by = by;
    const std::string name = RangeName(relation_, range);
    ARROW_ASSIGN_OR_RAISE(const auto least, End(name, ""));
    ARROW_ASSIGN_OR_RAISE(const auto greatest, End(name, " DESC"));
    if (!least || !greatest) return RowidSpread(std::vector<RowidSpan>{});
    return RowidSpread(std::vector<RowidSpan>{{*least, std::max(*least, *greatest)}});
  }

  /// The first whole number of the column in this order, inside the window.
  Result<std::optional<int64_t>> End(const std::string& name, const char* order) {
    const std::string numbers =
        name + " >= -9223372036854775808 AND " + name + " <= 9223372036854775807";
    ARROW_ASSIGN_OR_RAISE(
        Statement ends,
        database_.Prepare(ctx_, "SELECT CAST(" + name + " AS INTEGER) FROM " + relation_.from +
                                    " WHERE " + AllOf({numbers, Condition(window_)}) +
                                    " ORDER BY " + name + order + " LIMIT 1"));
    ARROW_ASSIGN_OR_RAISE(const bool row, ends.Step(ctx_));
    if (!row) return std::nullopt;
    return ends.Int64(0);
  }

  Status FindSpread() {
    if (spread_) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(spread_,
                          RowidSpread::Find(ctx_, database_, relation_.from, relation_.row_id));
    return Status::OK();
  }

  /// Ranges of the rowid for a table that is larger than a partition should be.
  Result<std::vector<RowRange>> Derived() {
    const std::vector<RowRange> one{RowRange{}};
    if (run_.window || relation_.row_id.empty() || limits_.partition_bytes <= 0) return one;
    ARROW_ASSIGN_OR_RAISE(const int64_t file, FileBytes(ctx_, database_, options_.schema));
    if (file <= limits_.partition_bytes) return one;
    ARROW_RETURN_NOT_OK(FindSpread());
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, TableBytes(ctx_, database_, relation_, *spread_));
    if (std::min(bytes, file) <= limits_.partition_bytes) return one;
    const int64_t count = (std::min(bytes, file) - 1) / limits_.partition_bytes + 1;
    return RangesBetween("", spread_->EvenCuts(std::min(count, kPartitionsMax)));
  }

  Status AddEstimateAndSlices(elt::Partition& partition) {
    bool indexed = false;
    if (run_.window) {
      const std::string rows = "SELECT 1 FROM " + relation_.from + " WHERE " + Condition(window_);
      ARROW_ASSIGN_OR_RAISE(indexed, IsWindowIndexed(ctx_, database_, rows));
      if (indexed) {
        ARROW_ASSIGN_OR_RAISE(partition.estimated_rows, CountUpToMax(rows));
      }
    } else {
      ARROW_ASSIGN_OR_RAISE(partition.estimated_rows, RowsAtMost(ctx_, database_, relation_));
    }
    // Rowids would be scanned for nothing where an index finds the window's rows.
    if (!indexed) ARROW_RETURN_NOT_OK(AddSlices(partition));
    return Status::OK();
  }

  Result<int64_t> CountUpToMax(const std::string& rows) {
    ARROW_ASSIGN_OR_RAISE(Statement count,
                          database_.Prepare(ctx_, "SELECT count(*) FROM (" + rows + " LIMIT " +
                                                      std::to_string(kCountMax) + ")"));
    ARROW_ASSIGN_OR_RAISE(const bool row, count.Step(ctx_));
    return row && count.Int64(0) < kCountMax ? count.Int64(0) : -1;
  }

  Status AddSlices(elt::Partition& partition) {
    if (options_.connections == 1 || options_.whole_partitions || relation_.row_id.empty() ||
        options_.partition.rule != Rule::kDerived) {
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(FindSpread());
    int64_t count = options_.connections;
    if (count == 0) {
      ARROW_ASSIGN_OR_RAISE(const int64_t file, FileBytes(ctx_, database_, options_.schema));
      count = std::min<int64_t>(
          {limits_.processors, kAutoConnectionsMax, std::max<int64_t>(file / kSliceBytesMin, 1)});
    }
    partition.slices.clear();
    for (const RowRange& slice : RangesBetween("", spread_->EvenCuts(count))) {
      partition.slices.push_back({static_cast<int>(partition.slices.size()), slice.ToJson()});
    }
    return Status::OK();
  }

  const Context& ctx_;
  Database& database_;
  const ConsumerOptions& options_;
  const Relation& relation_;
  const elt::RunInstance& run_;
  const elt::SplitLimits& limits_;
  WindowBounds window_;
  std::optional<RowidSpread> spread_;
};

}  // namespace

Result<WindowBounds> WindowOf(const Relation& relation, const ConsumerOptions& options,
                              const elt::RunInstance& run) {
  if (!run.window) return WindowBounds();
  const Column* column = relation.Find(run.window_column);
  if (column == nullptr) {
    return Fault(FaultCode::kColumnNotFound, "no column \"" + run.window_column + "\"")
        .Help(DidYouMean(run.window_column, NamesOf(relation.columns)));
  }
  ARROW_ASSIGN_OR_RAISE(const ColumnType type, TypeOf(*column, options));
  return BoundsOf(run, *type.type);
}

Result<int64_t> RowsAtMost(const Context& ctx, Database& database, const Relation& relation) {
  if (relation.row_id.empty()) return -1;
  ARROW_ASSIGN_OR_RAISE(const RowidSpread spread,
                        RowidSpread::Find(ctx, database, relation.from, relation.row_id));
  return spread.width();
}

Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, Database& database,
                                             const ConsumerOptions& options,
                                             const Relation& relation, const elt::RunInstance& run,
                                             const elt::SplitLimits& limits) {
  return Splitter(ctx, database, options, relation, run, limits).Split();
}

Result<std::vector<std::string>> NotesOfRelation(const Context& ctx, Database& database,
                                                 const Relation& relation,
                                                 const ConsumerOptions& options) {
  std::vector<std::string> notes;
  if (relation.order.empty()) {
    notes.push_back(
        "rows come in the order the query gives them; without ORDER BY another version of SQLite "
        "may give another, and so other files of the same rows");
  }
  const bool is_cut = options.partition.rule != Rule::kDerived;
  if (is_cut) {
    ARROW_ASSIGN_OR_RAISE(const bool seeks, CanSeek(ctx, database, relation, options));
    if (!seeks) {
      notes.push_back("partitions by \"" + options.partition.by +
                      "\", which no index leads to: each of them reads the whole table");
    }
  }
  if (options.connections != 1 && relation.row_id.empty()) {
    notes.push_back("one connection: only tables with a rowid are read by several");
  } else if (options.connections != 1 && is_cut) {
    notes.push_back(
        "one connection for each partition; parallel: { partitions } reads several at once");
  }
  return notes;
}

Status CheckBounds(const PartitionBounds& bounds, const Relation& relation,
                   const ConsumerOptions& options) {
  if (bounds.rows.whole) return Status::OK();
  std::string problem;
  if (bounds.rows.by.empty()) {
    if (relation.row_id.empty()) problem = "it has no rowid";
  } else {
    const Column* column = relation.Find(bounds.rows.by);
    if (column == nullptr) {
      problem = "no column \"" + bounds.rows.by + "\"";
    } else if (!IsWhole(*column, options)) {
      problem = "column \"" + bounds.rows.by + "\" has no whole numbers";
    }
  }
  if (problem.empty()) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               "the source has changed since the run was split, its partitions are cut by what is "
               "no more: " +
                   problem)
      .Help("run it again with --replace to cut it anew");
}

}  // namespace levada::sqlite
