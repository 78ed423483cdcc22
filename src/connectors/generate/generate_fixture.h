#pragma once
// For the tests of this folder: the consumer made from YAML as a pipeline file would make it, and
// what it gives.

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "connectors/generate/counter_random.h"
#include "elt/catalog.h"
#include "elt/row_hash.h"
#include "elt/value.h"

namespace levada::generate {

void Register(elt::Catalog& catalog);

class GenerateFixture : public testing::Test {
 protected:
  GenerateFixture() : ctx_(surroundings_.context()) { Register(catalog_); }

  /// The consumer of `yaml`, lines of options.
  Result<std::unique_ptr<elt::Consumer>> Make(const std::string& yaml,
                                              bool whole_partitions = false) {
    auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", yaml});
    ARROW_ASSIGN_OR_RAISE(elt::Value value, elt::ParseYaml(source));
    const auto* entry = catalog_.FindConsumer("generate");
    std::vector<Diagnostic> diagnostics;
    elt::Options options = elt::ValidateOptions(
        entry->spec, value, "consumer \"generate\"", source,
        std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), diagnostics);
    if (!diagnostics.empty()) {
      return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
    }
    elt::StageInput input;
    input.whole_partitions = whole_partitions;
    return entry->make(options, input);
  }

  /// A table of one column "x" with these options.
  Result<std::unique_ptr<elt::Consumer>> MakeColumn(const std::string& options, int rows = 10) {
    return Make("rows: " + std::to_string(rows) + "\ncolumns:\n  x: " + options);
  }

  elt::Source Describe(const std::string& yaml) {
    return ValueOf(ValueOf(Make(yaml))->Describe(ctx_));
  }

  Result<std::vector<elt::Partition>> Split(const std::string& yaml,
                                            const elt::RunInstance& run = {},
                                            const elt::SplitLimits& limits = {}) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(yaml));
    ARROW_ASSIGN_OR_RAISE(elt::Source source, consumer->Describe(ctx_));
    return consumer->Split(ctx_, run, source, limits);
  }

  /// What one run reads, all partitions and slices behind each other.
  struct Read {
    std::shared_ptr<arrow::Table> table;
    std::vector<elt::Partition> partitions;
    std::vector<int64_t> batch_rows;
    std::vector<int64_t> batch_bytes;
    std::vector<int64_t> slice_rows;  ///< as each stream's end says
  };

  Result<Read> TryRead(const std::string& yaml, const elt::RunInstance& run = {},
                       const elt::BatchLimits& limits = {}) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(yaml));
    ARROW_ASSIGN_OR_RAISE(elt::Source source, consumer->Describe(ctx_));
    Read read;
    ARROW_ASSIGN_OR_RAISE(read.partitions, consumer->Split(ctx_, run, source, {}));
    std::vector<elt::BatchPtr> batches;
    for (const elt::Partition& partition : read.partitions) {
      ARROW_ASSIGN_OR_RAISE(auto reader, consumer->Open(ctx_, run, partition, source, limits));
      for (const elt::Slice& slice : partition.slices) {
        ARROW_ASSIGN_OR_RAISE(auto stream, reader->Read(ctx_, slice.index));
        EXPECT_TRUE(stream->schema()->Equals(*source.schema));
        ARROW_RETURN_NOT_OK(ReadStream(*stream, read, batches));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(source.schema, batches));
    ARROW_ASSIGN_OR_RAISE(read.table, table->CombineChunks());
    return read;
  }
  Read ReadAll(const std::string& yaml, const elt::RunInstance& run = {},
               const elt::BatchLimits& limits = {}) {
    return ValueOf(TryRead(yaml, run, limits));
  }

  /// Column "x" of MakeColumn, as Arrow prints it: "[1, null]".
  std::string ColumnText(const std::string& options, int rows = 10) {
    const Read read = ReadAll("rows: " + std::to_string(rows) + "\ncolumns:\n  x: " + options);
    return Text(*read.table->column(0));
  }
  static std::string Text(const arrow::ChunkedArray& column) {
    std::string text;
    for (int64_t i = 0; i < column.length(); ++i) {
      auto scalar = ValueOf(column.GetScalar(i));
      text += (i > 0 ? ", " : "") + (scalar->is_valid ? scalar->ToString() : "null");
    }
    return "[" + text + "]";
  }

  /// docs/wire/hash.md of all rows, and one that depends on their order.
  struct Hashes {
    std::string rows;
    std::string order;
  };
  static Hashes HashesOf(const arrow::Table& table) {
    elt::RowHasher hasher;
    uint64_t order = 0;
    arrow::TableBatchReader reader(table);
    for (auto batch = ValueOf(reader.Next()); batch != nullptr; batch = ValueOf(reader.Next())) {
      EXPECT_THAT(hasher.Update(*batch), IsOk());
      for (const std::string& row : ValueOf(elt::CanonicalRows(*batch))) order = KeyOf(order, row);
    }
    return {hasher.Hex(), std::to_string(order)};
  }

  TestContext surroundings_;
  Context ctx_;
  elt::Catalog catalog_;

 private:
  static Status ReadStream(elt::BatchStream& stream, Read& read,
                           std::vector<elt::BatchPtr>& batches) {
    while (true) {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
      if (batch == nullptr) break;
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      read.batch_rows.push_back(batch->num_rows());
      read.batch_bytes.push_back(arrow::util::TotalBufferSize(*batch));
      batches.push_back(std::move(batch));
    }
    ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream.Finish());
    EXPECT_EQ(end.rows_sent, end.rows_read);
    read.slice_rows.push_back(end.rows_sent);
    return Status::OK();
  }
};

/// A run of one window of `column`.
inline elt::RunInstance WindowRun(const std::string& column, WallMicros start, WallMicros end,
                                  const std::string& timezone = "UTC") {
  elt::RunInstance run;
  run.pipeline = "test";
  run.window = elt::Window{start, end, "w", timezone};
  run.window_column = column;
  return run;
}

inline constexpr WallMicros kHour = int64_t{3600} * 1'000'000;
inline constexpr WallMicros kDay = 24 * kHour;
inline constexpr WallMicros kNewYear2025 = 1'735'689'600'000'000;  ///< 2025-01-01T00:00:00Z

}  // namespace levada::generate
