#pragma once
// What the tests of this folder share: a consumer from the text of its options, and everything it
// reads. For *_test.cc only.

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "connectors/postgres/postgres_consumer.h"
#include "elt/value.h"
#include "tests/postgres_fixture.h"  // tidy: allow a header of tests

namespace levada::postgres {

/// Options as they would stand below `postgres:` in a file.
inline Result<ConsumerOptions> OptionsOf(const std::string& yaml) {
  auto source = std::make_shared<SourceText>(SourceText{"test.yaml", yaml});
  ARROW_ASSIGN_OR_RAISE(const elt::Value value, elt::ParseYaml(source));
  auto environment = std::make_shared<elt::Environment>();
  std::vector<Diagnostic> problems;
  const elt::Options options = elt::ValidateOptions(ConsumerSpec(), value, "consumer \"postgres\"",
                                                    source, environment, problems);
  if (!problems.empty()) return Fault(problems[0].code, problems[0].message).At(problems);
  return ReadConsumerOptions(options, false);
}

inline std::unique_ptr<PostgresConsumer> ConsumerOf(const std::string& yaml,
                                                    const std::string& dsn) {
  return std::make_unique<PostgresConsumer>(ValueOf(OptionsOf("dsn: '" + dsn + "'\n" + yaml)));
}
/// Of the shared server.
inline std::unique_ptr<PostgresConsumer> ConsumerOf(const std::string& yaml) {
  return ConsumerOf(yaml, tests::PostgresServer::Shared().Dsn());
}

/// All rows of one slice, in order, and what its end says.
struct SliceRows {
  std::shared_ptr<arrow::Table> table;
  elt::StreamEnd end;
  int64_t batches = 0;
};

inline Result<SliceRows> Drain(elt::BatchStream& stream) {
  SliceRows rows;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    batches.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(rows.end, stream.Finish());
  rows.batches = static_cast<int64_t>(batches.size());
  ARROW_ASSIGN_OR_RAISE(rows.table, arrow::Table::FromRecordBatches(stream.schema(), batches));
  return rows;
}

/// Everything a run reads: Describe, Split, and every slice of every partition.
struct RunRows {
  elt::Source source;
  std::vector<elt::Partition> partitions;
  std::vector<std::vector<SliceRows>> slices;  ///< by partition and slice

  /// All of it, partition after partition.
  std::shared_ptr<arrow::Table> Table() const {
    std::vector<std::shared_ptr<arrow::Table>> tables;
    for (const auto& partition : slices) {
      for (const SliceRows& slice : partition) tables.push_back(slice.table);
    }
    return ValueOf(arrow::ConcatenateTables(tables));
  }
};

inline Result<std::vector<SliceRows>> ReadPartition(Context& ctx, const elt::Consumer& consumer,
                                                    const elt::RunInstance& run,
                                                    const elt::Partition& partition,
                                                    const elt::Source& source,
                                                    elt::BatchLimits limits = {}) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, consumer.Open(ctx, run, partition, source, limits));
  std::vector<SliceRows> slices;
  for (const elt::Slice& slice : partition.slices) {
    ARROW_ASSIGN_OR_RAISE(const auto stream, reader->Read(ctx, slice.index));
    ARROW_ASSIGN_OR_RAISE(SliceRows rows, Drain(*stream));
    slices.push_back(std::move(rows));
  }
  return slices;
}

inline Result<RunRows> ReadRun(Context& ctx, const elt::Consumer& consumer,
                               const elt::RunInstance& run = {},
                               const elt::SplitLimits& limits = {}) {
  RunRows rows;
  ARROW_ASSIGN_OR_RAISE(rows.source, consumer.Describe(ctx));
  ARROW_ASSIGN_OR_RAISE(rows.partitions, consumer.Split(ctx, run, rows.source, limits));
  for (const elt::Partition& partition : rows.partitions) {
    ARROW_ASSIGN_OR_RAISE(auto slices, ReadPartition(ctx, consumer, run, partition, rows.source));
    rows.slices.push_back(std::move(slices));
  }
  return rows;
}

}  // namespace levada::postgres
