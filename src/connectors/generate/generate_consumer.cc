#include "connectors/generate/generate_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/failpoint.h"
#include "base/quantity.h"
#include "connectors/generate/row_range.h"
#include "connectors/generate/row_stream.h"
#include "connectors/generate/window_rows.h"
#include "elt/type_name.h"

namespace levada::generate {
namespace {

// A column of texts is made in the room of its longest ones, and then cut to its size.
constexpr int64_t kMemoryBytes = int64_t{4} << 20;

/// The partitions of `range`. kImpossiblePlan for too many.
Result<std::vector<RowRange>> Cut(const RowRange& range, const ConsumerOptions& options,
                                  const elt::SplitLimits& limits) {
  const PartitionRule& rule = options.partition;
  switch (rule.kind) {
    case PartitionRule::Kind::kCount:
      return EvenRanges(range, rule.number);
    case PartitionRule::Kind::kSize:
      break;
    case PartitionRule::Kind::kDerived: {
      const int64_t bytes = options.table->EstimatedBytes(range.rows());
      if (limits.partition_bytes <= 0 || bytes <= limits.partition_bytes) return std::vector{range};
      return EvenRanges(range, std::min((bytes - 1) / limits.partition_bytes + 1, kPartitionsMax));
    }
  }
  const int64_t count = CountOfSize(range, rule.number);
  if (count > kPartitionsMax) {
    return Fault(FaultCode::kImpossiblePlan,
                 fmt::format("partition: {} rows in parts of {} are {} partitions, more than {}",
                             FormatCount(range.rows()), FormatCount(rule.number),
                             FormatCount(count), FormatCount(kPartitionsMax)))
        .Help("choose a larger size, or count");
  }
  return RangesOfSize(range, rule.number);
}

/// "created_at in [2026-01-01, 2026-01-02) UTC and row in [0, 500)".
std::string MeaningOf(const RowRange& part, bool is_only, const WindowRows& window) {
  if (is_only) return window.meaning.empty() ? "all rows" : window.meaning;
  return fmt::format("{}{}row in [{}, {})", window.meaning, window.meaning.empty() ? "" : " and ",
                     part.from, part.to);
}

/// As recorded: the record lies in the target, where others may write.
Result<std::vector<RowRange>> SlicesOf(const elt::Partition& partition,
                                       const GeneratedTable& table) {
  ARROW_ASSIGN_OR_RAISE(const RowRange whole, RowRange::FromJson(partition.bounds, table.rows()));
  std::vector<RowRange> slices;
  int64_t from = whole.from;
  for (const elt::Slice& slice : partition.slices) {
    ARROW_ASSIGN_OR_RAISE(const RowRange range, RowRange::FromJson(slice.bounds, table.rows()));
    if (range.from != from) break;
    from = range.to;
    slices.push_back(range);
  }
  if (slices.size() == partition.slices.size() && from == whole.to) return slices;
  return Fault(FaultCode::kManifestCorrupt, "split record: the slices of partition " +
                                                partition.id + " are not all of its rows");
}

class RangeReader final : public elt::PartitionReader {
 public:
  RangeReader(std::shared_ptr<const GeneratedTable> table, std::vector<RowRange> slices,
              const elt::BatchLimits& limits)
      : table_(std::move(table)), slices_(std::move(slices)), limits_(limits) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    if (slice < 0 || static_cast<size_t>(slice) >= slices_.size()) {
      return Fault(FaultCode::kInternal, "generate: no such slice");
    }
    LEVADA_FAILPOINT(ctx, "read.opened");
    return MakeRowStream(ctx, table_, slices_[static_cast<size_t>(slice)], limits_);
  }

 private:
  const std::shared_ptr<const GeneratedTable> table_;
  const std::vector<RowRange> slices_;
  const elt::BatchLimits limits_;
};

}  // namespace

Result<elt::Source> GenerateConsumer::Describe(Context& /*ctx*/) const {
  const GeneratedTable& table = *options_.table;
  elt::Source source;
  source.schema = table.schema();
  for (const auto& column : table.columns()) {
    const ColumnShape& shape = column->shape();
    source.source_types.push_back(elt::TypeName(*shape.field->type()));
    source.hints.push_back({.distinct = std::min(static_cast<double>(table.rows()), shape.distinct),
                            .average_bytes = shape.value_bytes,
                            .null_fraction = shape.null_fraction});
  }
  source.description = fmt::format(
      "{}, made with seed {}",
      table.name().empty() ? "a table of generate" : "table " + table.name() + " of generate",
      table.seed());
  source.estimated_rows = table.rows();
  source.estimated_bytes = table.EstimatedBytes(table.rows());
  source.memory_bytes_per_slice = kMemoryBytes;
  source.repeatable = true;
  return source;
}

Result<std::vector<elt::Partition>> GenerateConsumer::Split(Context& /*ctx*/,
                                                            const elt::RunInstance& run,
                                                            const elt::Source& /*source*/,
                                                            const elt::SplitLimits& limits) const {
  const GeneratedTable& table = *options_.table;
  ARROW_ASSIGN_OR_RAISE(const WindowRows window, RowsOf(run, table));
  ARROW_ASSIGN_OR_RAISE(const std::vector<RowRange> ranges, Cut(window.range, options_, limits));
  std::vector<elt::Partition> partitions;
  for (const RowRange& range : ranges) {
    elt::Partition partition;
    partition.index = static_cast<int>(partitions.size());
    partition.id = fmt::format("p{:04}", partition.index);
    partition.meaning = MeaningOf(range, ranges.size() == 1, window);
    partition.bounds = range.ToJson();
    partition.estimated_rows = range.rows();
    partition.estimated_bytes = table.EstimatedBytes(range.rows());
    for (const RowRange& slice : EvenRanges(range, options_.slices)) {
      partition.slices.push_back({static_cast<int>(partition.slices.size()), slice.ToJson()});
    }
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::unique_ptr<elt::PartitionReader>> GenerateConsumer::Open(
    Context& /*ctx*/, const elt::RunInstance& /*run*/, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  const std::string difference = elt::SchemaDifference(
      elt::SchemaFingerprint(*source.schema), elt::SchemaFingerprint(*options_.table->schema()));
  if (!difference.empty()) {
    return Fault(FaultCode::kSchemaDrift,
                 "the source has changed since the run was planned: " + difference)
        .Help("run it again with --replace, under the new schema");
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<RowRange> slices, SlicesOf(partition, *options_.table));
  return std::make_unique<RangeReader>(options_.table, std::move(slices), limits);
}

}  // namespace levada::generate
