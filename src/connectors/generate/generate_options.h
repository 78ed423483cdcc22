#pragma once
// The options of consumer "generate": their spec, and the table that a checked set of them means.

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/generate/generated_table.h"
#include "elt/catalog.h"
#include "elt/options.h"

namespace levada::generate {

/// Most slices of one partition.
inline constexpr int64_t kSlicesMax = 16;
/// Most partitions one run may have: each is files and a record.
inline constexpr int64_t kPartitionsMax = 10'000;

/// `partition: { size | count }`
struct PartitionRule {
  enum class Kind : uint8_t { kDerived, kSize, kCount };
  Kind kind = Kind::kDerived;
  int64_t number = 0;
};

struct ConsumerOptions {
  std::shared_ptr<const GeneratedTable> table;
  PartitionRule partition;
  int slices = 1;
};

elt::OptionSpec ConsumerSpec();

/// Checks what the spec cannot say. The Fault carries a diagnostic for each problem.
/// `whole_partitions`: of the pipeline, a partition must be one slice.
Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options, bool whole_partitions);

/// "generate:lineitem?rows=1000&seed=7" as {table, rows, seed}. kBadCommandLine for anything else.
Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url);

}  // namespace levada::generate
