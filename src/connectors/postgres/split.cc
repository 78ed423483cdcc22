#include "connectors/postgres/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/quantity.h"
#include "connectors/postgres/cuts.h"
#include "connectors/postgres/run_predicate.h"
#include "elt/grid_cuts.h"
#include "elt/literal.h"
#include "elt/time_zone.h"

namespace levada::postgres {
namespace {

using Rule = PartitionOptions::Rule;

constexpr const char* kDoing = "cannot split the run";
// A slice below 32 MiB is read faster than a connection is made and its file written.
constexpr int64_t kSliceBlocksMin = 4096;
// More connections than this are not worth it for anyone: each costs the server a process that
// works at full speed. Who wants more says how many.
constexpr int kAutoConnectionsMax = 4;
// A smaller table is in memory before anybody has read a note about it.
constexpr int64_t kLargeTableBytes = int64_t{256} << 20;
// EXPLAIN of each partition is a round trip; beyond this many the estimate is not shown.
constexpr size_t kEstimatesMax = 32;

std::string WithoutMidnight(std::string time) {
  constexpr std::string_view kMidnight = " 00:00:00";
  if (time.ends_with(kMidnight)) time.resize(time.size() - kMidnight.size());
  return time;
}

/// "id in (1000, 2000]".
std::string MeaningOf(const elt::Increment& increment) {
  const std::string high = increment.high.value_or("");
  if (!increment.low && !increment.high) return "all rows";
  if (!increment.high) return increment.column + " > " + *increment.low;
  if (!increment.low) return increment.column + " <= " + high;
  return increment.column + " in (" + *increment.low + ", " + high + "]";
}

/// "id in [0, 500) and created_at in [2026-01-01, 2026-01-02) UTC".
Result<std::string> MeaningOf(const PartitionBounds& part, const elt::RunInstance& run) {
  std::string meaning = part.Meaning();
  if (run.increment) {
    const std::string rows = MeaningOf(*run.increment);
    return part.kind == PartitionBounds::Kind::kAll ? rows : meaning + " and " + rows;
  }
  if (!run.window) return meaning;
  const elt::Window& window = *run.window;
  ARROW_ASSIGN_OR_RAISE(ValueRange range, ValuesOf(window, part.run_order));
  if (part.run_order == Order::kTimestamptz) {
    ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
    range = {zone.ToLocal(window.start), zone.ToLocal(window.end)};
  }
  const auto shown = [](int64_t local) { return WithoutMidnight(elt::DateTimeText(local)); };
  std::string rows = fmt::format("{} in [{}, {}) {}", run.window_column, shown(range.from),
                                 shown(range.to), window.timezone);
  if (run.null_window == elt::NullWindow::kThisWindow) rows += " or null or infinite";
  return part.kind == PartitionBounds::Kind::kAll ? rows : meaning + " and " + rows;
}

std::vector<Cut> Before(const std::vector<std::string>& values) {
  std::vector<Cut> cuts;
  cuts.reserve(values.size());
  for (const std::string& value : values) {
    if (cuts.empty() || cuts.back().value != value) cuts.push_back({value, false});
  }
  return cuts;
}

std::vector<std::string> TextsOf(const std::vector<int64_t>& numbers) {
  std::vector<std::string> texts;
  texts.reserve(numbers.size());
  for (const int64_t number : numbers) texts.push_back(std::to_string(number));
  return texts;
}

struct Extent {
  int64_t least;
  int64_t greatest;
};

class Splitter {
 public:
  Splitter(const Context& ctx, pq::Connection& connection, const ConsumerOptions& options,
           const Subject& subject, const elt::RunInstance& run, const elt::SplitLimits& limits)
      : ctx_(ctx),
        connection_(connection),
        options_(options),
        subject_(subject),
        run_(run),
        limits_(limits) {}

  Result<std::vector<elt::Partition>> Split() {
    ARROW_ASSIGN_OR_RAISE(window_, RunPredicate(subject_, options_, run_));
    ARROW_ASSIGN_OR_RAISE(
        whole_, EstimateOf(ctx_, connection_, kDoing, SelectOf(subject_, options_, window_)));
    ARROW_ASSIGN_OR_RAISE(std::vector<PartitionBounds> bounds, Bounds());
    std::vector<elt::Partition> partitions;
    for (PartitionBounds& part : bounds) {
      part.run_order = RunOrder();
      elt::Partition partition;
      partition.index = static_cast<int>(partitions.size());
      partition.id = fmt::format("p{:04}", partition.index);
      ARROW_ASSIGN_OR_RAISE(partition.meaning, MeaningOf(part, run_));
      partition.bounds = part.ToJson();
      partition.query = SelectOf(subject_, options_, AllOf({window_, part.Predicate()}));
      partition.slices = {elt::Slice{0, SliceBounds{}.ToJson()}};
      partitions.push_back(std::move(partition));
    }
    ARROW_RETURN_NOT_OK(AddEstimates(partitions));
    if (partitions.size() == 1) ARROW_RETURN_NOT_OK(AddSlices(partitions[0]));
    return partitions;
  }

 private:
  /// Of the column that the run goes by, which RunPredicate has found.
  Order RunOrder() const {
    if (run_.Column().empty()) return Order::kNone;
    return OrderOf(subject_.Find(run_.Column())->type_oid, subject_.types);
  }

  Result<std::vector<PartitionBounds>> Bounds() {
    const PartitionOptions& partition = options_.partition;
    if (partition.rule == Rule::kDerived) return Derived();
    ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                          NeedColumn(subject_, options_, partition.by, "partition: by"));
    by_ = partition.by;
    order_ = OrderOf(column->type_oid, subject_.types);
    switch (partition.rule) {
      case Rule::kSize:
        return BySize();
      case Rule::kCount:
        return ByCount(partition.number);
      case Rule::kValues:
        return ByValues(*column);
      case Rule::kInterval:
        return ByInterval();
      case Rule::kHash:
        return ByHash();
      case Rule::kDerived:
        break;
    }
    return std::vector<PartitionBounds>{PartitionBounds{}};
  }

  Fault Impossible(const std::string& problem) const {
    return Fault(FaultCode::kImpossiblePlan, "partition: by \"" + by_ + "\": " + problem)
        .With("column", by_);
  }

  Result<std::vector<PartitionBounds>> Ranges(const std::vector<Cut>& cuts) {
    std::vector<std::string> values;
    for (const Cut& cut : cuts) {
      if (values.empty() || values.back() != cut.value) values.push_back(cut.value);
    }
    // Ranges between cuts out of order would share rows and nothing else would notice.
    ARROW_ASSIGN_OR_RAISE(const bool in_order,
                          AreInOrder(ctx_, connection_, *subject_.Find(by_), order_, values));
    if (!in_order) {
      return Fault(FaultCode::kInternal, "partition: by \"" + by_ + "\": cuts out of order");
    }
    return RangesBetween(by_, order_, cuts);
  }

  // ------------------------------------------------------------------------------------ declared

  Result<std::vector<PartitionBounds>> BySize() {
    if (order_ != Order::kInteger) {
      return Impossible("size needs a column of whole numbers")
          .Help("use interval for times, count or hash for other types");
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<Extent> extent, ExtentOf());
    if (!extent) return Ranges({});
    const auto cuts =
        elt::GridCuts(extent->least, extent->greatest, options_.partition.number, kPartitionsMax);
    if (!cuts) {
      return Impossible(
                 fmt::format("values from {} to {} in steps of {} are more than {} partitions",
                             extent->least, extent->greatest, options_.partition.number,
                             kPartitionsMax))
          .Help("choose a larger size, or count");
    }
    return Ranges(Before(TextsOf(*cuts)));
  }

  Result<std::vector<PartitionBounds>> ByCount(int64_t count) {
    if (order_ == Order::kNone) {
      return Impossible("its type has no ranges").Help("use values or hash, or another column");
    }
    // Statistics are about the whole table: inside a window they may all be elsewhere.
    const bool countable = order_ == Order::kInteger || IsTime(order_);
    if (subject_.relation && !(run_.window && countable)) {
      ARROW_ASSIGN_OR_RAISE(
          const auto distribution,
          FindDistribution(ctx_, connection_, *subject_.relation, *subject_.Find(by_), order_));
      if (!distribution.empty()) {
        return Ranges(CutsByWeight(distribution, count, order_ == Order::kInteger));
      }
    }
    if (!countable) {
      return Impossible("the server has no statistics of it")
          .Help("run ANALYZE on the table, or use values or hash");
    }
    return EvenRanges(count);
  }

  Result<std::vector<PartitionBounds>> EvenRanges(int64_t count) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<Extent> extent, ExtentOf());
    if (!extent) return Ranges({});
    const auto cuts = EvenCuts(extent->least, extent->greatest, count);
    if (!IsTime(order_)) return Ranges(Before(TextsOf(cuts)));
    ARROW_ASSIGN_OR_RAISE(const auto values, TimeValues(cuts));
    return Ranges(Before(values));
  }

  Result<std::vector<PartitionBounds>> ByValues(pq::StatementColumn column) {
    const std::vector<std::string>& values = options_.partition.values;
    column.type_modifier = -1;  // a length would cut values off
    ARROW_ASSIGN_OR_RAISE(const auto names, TypeNames(ctx_, connection_, {column}));
    std::string list;
    for (const std::string& value : values) {
      list += (list.empty() ? "" : ", ") + pq::QuoteLiteral(value) + "::" + names[0];
    }
    const std::string collation = order_ == Order::kText ? " COLLATE \"C\"" : "";
    // Two ways to write one value would put its rows into two partitions.
    ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                          connection_.Query(ctx_, "partition: values",
                                            "select count(distinct v" + collation +
                                                ") from unnest(ARRAY[" + list + "]) v"));
    if (rows[0][0] != std::to_string(values.size())) {
      return Impossible("a value is listed twice, or is NULL")
          .Help("list each value once, as the server writes it");
    }
    std::vector<PartitionBounds> bounds;
    for (const std::string& value : values) {
      bounds.push_back(ValueBounds(PartitionBounds::Kind::kValue, {value}));
    }
    bounds.push_back(ValueBounds(PartitionBounds::Kind::kRest, values));
    return bounds;
  }

  PartitionBounds ValueBounds(PartitionBounds::Kind kind,
                              const std::vector<std::string>& values) const {
    PartitionBounds bounds;
    bounds.kind = kind;
    bounds.by = by_;
    bounds.order = order_;
    bounds.values = values;
    return bounds;
  }

  Result<std::vector<PartitionBounds>> ByInterval() {
    const int64_t step =
        std::chrono::duration_cast<std::chrono::microseconds>(options_.partition.interval).count();
    constexpr int64_t kDay = std::chrono::microseconds(std::chrono::hours(24)).count();
    if (!IsTime(order_) || (order_ == Order::kDate && step % kDay != 0)) {
      return Impossible(order_ == Order::kDate ? "an interval on a date needs whole days"
                                               : "interval needs a date, timestamp or timestamptz")
          .Help(order_ == Order::kDate ? "for example interval: 1d" : "use size, count or hash");
    }
    // The window's own column is cut from where the window begins.
    const bool of_window = run_.window && run_.window_column == by_;
    ARROW_ASSIGN_OR_RAISE(std::optional<Extent> extent, of_window ? WindowExtent() : ExtentOf());
    if (!extent) return Ranges({});
    const int64_t origin = of_window ? extent->least : 0;
    auto cuts =
        elt::GridCuts(extent->least - origin, extent->greatest - origin, step, kPartitionsMax);
    if (!cuts) {
      return Impossible(fmt::format("its values in steps of {} are more than {} partitions",
                                    FormatDuration(options_.partition.interval), kPartitionsMax))
          .Help("choose a longer interval");
    }
    for (int64_t& cut : *cuts) cut += origin;
    ARROW_ASSIGN_OR_RAISE(const auto values, TimeValues(*cuts));
    return Ranges(Before(values));
  }

  Result<std::vector<PartitionBounds>> ByHash() {
    if (order_ != Order::kInteger && order_ != Order::kText && order_ != Order::kUuid) {
      return Impossible("hash needs whole numbers, text or uuid")
          .Help("use count, interval or values");
    }
    std::vector<PartitionBounds> bounds;
    for (int64_t remainder = 0; remainder < options_.partition.number; ++remainder) {
      PartitionBounds part;
      part.kind = PartitionBounds::Kind::kHash;
      part.by = by_;
      part.order = order_;
      part.modulus = options_.partition.number;
      part.remainder = remainder;
      bounds.push_back(std::move(part));
    }
    return bounds;
  }

  // ------------------------------------------------------------------------------------- derived

  Result<std::vector<PartitionBounds>> Derived() {
    const int64_t bytes = TotalBytes();
    const std::vector<PartitionBounds> one = {PartitionBounds{}};
    if (!subject_.relation || limits_.partition_bytes <= 0 || bytes <= limits_.partition_bytes) {
      return one;
    }
    const int64_t count = std::min((bytes - 1) / limits_.partition_bytes + 1, kPartitionsMax);
    if (run_.window) {
      const pq::StatementColumn* column = subject_.Find(run_.window_column);
      by_ = run_.window_column;
      order_ = OrderOf(column->type_oid, subject_.types);
      if (order_ != Order::kDate) return EvenWindow(count);
    }
    ARROW_ASSIGN_OR_RAISE(by_, LeadingKeyColumn(ctx_, connection_, *subject_.relation));
    const pq::StatementColumn* key = by_.empty() ? nullptr : subject_.Find(by_);
    if (key == nullptr) return one;
    order_ = OrderOf(key->type_oid, subject_.types);
    if (order_ == Order::kNone) return one;
    Result<std::vector<PartitionBounds>> ranges = ByCount(count);
    // A key without statistics is no reason to fail: nobody asked for this.
    if (!ranges.ok() && CodeOf(ranges.status()) == FaultCode::kImpossiblePlan) return one;
    return ranges;
  }

  /// The window itself in equal parts: they use the index that the window uses.
  Result<std::vector<PartitionBounds>> EvenWindow(int64_t count) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<Extent> extent, WindowExtent());
    if (!extent) return Ranges({});
    ARROW_ASSIGN_OR_RAISE(const auto values,
                          TimeValues(EvenCuts(extent->least, extent->greatest, count)));
    return Ranges(Before(values));
  }

  // ----------------------------------------------------------------------------------- questions

  /// The least and greatest value inside the window, finite ones: whole numbers, or microseconds
  /// since 1970 of times (of a timestamp: as if it were UTC).
  Result<std::optional<Extent>> ExtentOf() {
    const std::string name = pq::QuoteIdentifier(by_);
    const auto number = [&](const std::string& value) {
      if (!IsTime(order_)) return value;
      return "(extract(epoch from " + value + ") * 1000000)::int8";
    };
    const std::string finite =
        IsTime(order_) ? name + " > '-infinity' AND " + name + " < 'infinity'" : std::string();
    const std::string condition = AllOf({window_, finite});
    ARROW_ASSIGN_OR_RAISE(
        const pq::Rows rows,
        connection_.Query(ctx_, kDoing,
                          "select " + number("min(" + name + ")") + ", " +
                              number("max(" + name + ")") + " from " + FromOf(subject_, options_) +
                              (condition.empty() ? "" : " where " + condition)));
    if (rows.empty() || !rows[0][0] || !rows[0][1]) return std::nullopt;
    Extent extent{};
    const auto parse = [](const std::string& text, int64_t& into) {
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), into);
      return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    };
    if (!parse(*rows[0][0], extent.least) || !parse(*rows[0][1], extent.greatest)) {
      return Fault(FaultCode::kSourceProtocol, "partition: by \"" + by_ +
                                                   "\": expected whole numbers as its least and "
                                                   "greatest value");
    }
    return extent;
  }

  /// The least and greatest value that the window can hold, as ExtentOf counts them; none where it
  /// is empty.
  Result<std::optional<Extent>> WindowExtent() const {
    ARROW_ASSIGN_OR_RAISE(const ValueRange values, ValuesOf(*run_.window, order_));
    if (values.from >= values.to) return std::nullopt;
    return Extent{values.from, values.to - 1};
  }

  /// Times in the server's own text; `micros` count as in ExtentOf and are in order.
  Result<std::vector<std::string>> TimeValues(const std::vector<int64_t>& micros) {
    std::string array = "{";
    for (const int64_t value : micros) {
      array += (array.size() > 1 ? "," : "") + std::to_string(value);
    }
    array += "}";
    const std::string zero = order_ == Order::kTimestamptz ? "timestamptz" : "timestamp";
    std::string value = zero + " 'epoch' + t * interval '1 microsecond'";
    if (order_ == Order::kDate) value = "(" + value + ")::date";
    // In order and each once: several cuts may be in one day.
    ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                          connection_.Query(ctx_, kDoing,
                                            "select v::text from (select distinct (" + value +
                                                ") v from unnest($1::int8[]) t) shown order by v",
                                            {array}));
    std::vector<std::string> values;
    values.reserve(rows.size());
    for (const pq::Row& row : rows) values.push_back(row[0].value_or(""));
    return values;
  }

  // ----------------------------------------------------------------------------------- estimates

  /// Of the whole run.
  int64_t TotalBytes() const {
    const bool is_whole_table = !run_.window && !run_.increment;
    const bool known = is_whole_table && subject_.relation && subject_.relation->bytes >= 0;
    return known ? subject_.relation->bytes : EstimatedBytes(whole_.rows);
  }

  /// Of `rows` of this source, as the source stores them.
  int64_t EstimatedBytes(int64_t rows) const {
    if (rows < 0) return -1;
    double row_bytes = static_cast<double>(std::max<int64_t>(whole_.row_bytes, 0));
    if (subject_.relation && subject_.relation->rows > 0 && subject_.relation->bytes >= 0) {
      row_bytes = static_cast<double>(subject_.relation->bytes) /
                  static_cast<double>(subject_.relation->rows);
    }
    return static_cast<int64_t>(std::min(9e18, row_bytes * static_cast<double>(rows)));
  }

  Result<elt::QueryCost> CostOf(const Estimate& estimate) const {
    elt::QueryCost cost{estimate.cost, estimate.scan, {}};
    // The first increment reads the whole table anyhow, and of a partitioned one only those parts
    // are scanned that have rows of the run.
    const bool reads_a_part = run_.window || (run_.increment && run_.increment->low);
    if (reads_a_part && estimate.scan == "sequential scan" && subject_.relation &&
        subject_.relation->kind != 'p' && subject_.relation->bytes >= kLargeTableBytes) {
      ARROW_ASSIGN_OR_RAISE(const bool indexed,
                            HasIndexOn(ctx_, connection_, *subject_.relation, run_.Column()));
      if (indexed) return cost;
      cost.note = fmt::format(
          "each {} reads the whole table, {}, by a sequential scan: an index on \"{}\" finds its "
          "rows{}",
          run_.window ? "window" : "increment", FormatBytes(subject_.relation->bytes),
          run_.Column(), run_.window ? ", or make the windows larger" : "");
    }
    return cost;
  }

  Status AddEstimates(std::vector<elt::Partition>& partitions) {
    if (partitions.size() > kEstimatesMax) return Status::OK();
    if (partitions.size() == 1) {
      partitions[0].estimated_rows = whole_.rows;
      partitions[0].estimated_bytes = TotalBytes();
      ARROW_ASSIGN_OR_RAISE(partitions[0].cost, CostOf(whole_));
      return Status::OK();
    }
    for (elt::Partition& partition : partitions) {
      ARROW_ASSIGN_OR_RAISE(const Estimate estimate,
                            EstimateOf(ctx_, connection_, kDoing, partition.query));
      partition.estimated_rows = estimate.rows;
      partition.estimated_bytes = EstimatedBytes(estimate.rows);
      ARROW_ASSIGN_OR_RAISE(partition.cost, CostOf(estimate));
    }
    return Status::OK();
  }

  Status AddSlices(elt::Partition& partition) {
    if (options_.connections == 1 || options_.whole_partitions || !subject_.relation ||
        !subject_.relation->plain() || connection_.server_version() < kSliceVersionMin) {
      return Status::OK();
    }
    // Blocks would be read for nothing where an index finds the run's rows.
    if (run_.window || (run_.increment && run_.increment->low)) {
      ARROW_ASSIGN_OR_RAISE(const bool indexed,
                            HasIndexOn(ctx_, connection_, *subject_.relation, run_.Column()));
      if (indexed) return Status::OK();
    }
    const int64_t blocks = subject_.relation->blocks;
    int64_t count = options_.connections;
    if (count == 0) {
      count =
          std::min<int64_t>({limits_.processors, kAutoConnectionsMax, blocks / kSliceBlocksMin});
    }
    partition.slices.clear();
    for (const SliceBounds& slice :
         SlicesOf(blocks, static_cast<int>(std::max<int64_t>(count, 1)))) {
      partition.slices.push_back({static_cast<int>(partition.slices.size()), slice.ToJson()});
    }
    return Status::OK();
  }

  const Context& ctx_;
  pq::Connection& connection_;
  const ConsumerOptions& options_;
  const Subject& subject_;
  const elt::RunInstance& run_;
  const elt::SplitLimits& limits_;
  std::string window_;
  Estimate whole_;
  std::string by_;
  Order order_ = Order::kNone;
};

}  // namespace

Result<std::vector<elt::Partition>> SplitRun(const Context& ctx, pq::Connection& connection,
                                             const ConsumerOptions& options, const Subject& subject,
                                             const elt::RunInstance& run,
                                             const elt::SplitLimits& limits) {
  return Splitter(ctx, connection, options, subject, run, limits).Split();
}

}  // namespace levada::postgres
