#pragma once
// For the tests of this folder: a directory with databases in it, and the consumer made from YAML
// as a pipeline file would make it.

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "db/sqlite/database.h"
#include "elt/catalog.h"
#include "elt/value.h"
#include "os/temporary_directory.h"

namespace levada::sqlite {

void Register(elt::Catalog& catalog);

class SqliteFixture : public testing::Test {
 protected:
  SqliteFixture() : ctx_(surroundings_.context()) { Register(catalog_); }

  std::unique_ptr<db::sqlite::Database> Writer(bool wal = false) {
    db::sqlite::OpenOptions options;
    options.mode = db::sqlite::OpenMode::kCreate;
    if (wal) options.journal = db::sqlite::Journal::kDurableWal;
    return ValueOf(db::sqlite::Database::Open(ctx_, path_, options, [](const auto& error) {
      return FaultFrom(FaultCode::kInternal, "test", error);
    }));
  }

  /// Runs `sql` in the database, making it.
  void Do(const std::string& sql) { ASSERT_THAT(Writer()->Execute(ctx_, sql), IsOk()) << sql; }

  /// The consumer of `yaml`, lines of options; "path" is added.
  Result<std::unique_ptr<elt::Consumer>> Make(const std::string& yaml,
                                              const elt::StageInput& input = {}) {
    return MakeRaw("path: " + path_ + "\n" + yaml, input);
  }
  Result<std::unique_ptr<elt::Consumer>> MakeRaw(const std::string& yaml,
                                                 const elt::StageInput& input = {}) {
    auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", yaml});
    ARROW_ASSIGN_OR_RAISE(elt::Value value, elt::ParseYaml(source));
    const auto* entry = catalog_.FindConsumer("sqlite");
    std::vector<Diagnostic> diagnostics;
    elt::Options options = elt::ValidateOptions(
        entry->spec, value, "consumer \"sqlite\"", source,
        std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), diagnostics);
    if (!diagnostics.empty()) {
      return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
    }
    return entry->make(options, input);
  }

  elt::Source Describe(const std::string& yaml) {
    return ValueOf(ValueOf(Make(yaml))->Describe(ctx_));
  }
  Status DescribeFails(const std::string& yaml) {
    auto consumer = Make(yaml);
    return consumer.ok() ? (*consumer)->Describe(ctx_).status() : consumer.status();
  }

  /// What one run reads, and what its stream said at the end.
  struct Read {
    std::shared_ptr<arrow::Table> table;
    elt::StreamEnd end;
    elt::Partition partition;
    std::vector<int64_t> batch_rows;
  };

  Result<Read> TryRead(const std::string& yaml, const elt::RunInstance& run = {},
                       elt::BatchLimits limits = {}) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(yaml));
    ARROW_ASSIGN_OR_RAISE(elt::Source source, consumer->Describe(ctx_));
    ARROW_ASSIGN_OR_RAISE(auto partitions, consumer->Split(ctx_, run, source, {}));
    ARROW_ASSIGN_OR_RAISE(auto reader, consumer->Open(ctx_, run, partitions.at(0), source, limits));
    ARROW_ASSIGN_OR_RAISE(Read read, ReadSlice(*reader, 0, source));
    read.partition = partitions.at(0);
    return read;
  }

  /// One slice to its end.
  Result<Read> ReadSlice(elt::PartitionReader& reader, int slice, const elt::Source& source) {
    Read read;
    ARROW_ASSIGN_OR_RAISE(auto stream, reader.Read(ctx_, slice));
    EXPECT_TRUE(stream->schema()->Equals(*source.schema));
    std::vector<elt::BatchPtr> batches;
    while (true) {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
      if (batch == nullptr) break;
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      read.batch_rows.push_back(batch->num_rows());
      batches.push_back(std::move(batch));
    }
    ARROW_ASSIGN_OR_RAISE(read.end, stream->Finish());
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(source.schema, batches));
    ARROW_ASSIGN_OR_RAISE(read.table, table->CombineChunks());
    return read;
  }

  /// Every slice of every partition, in their order.
  Result<std::vector<Read>> TryReadParts(const std::string& yaml, const elt::RunInstance& run = {},
                                         const elt::SplitLimits& limits = {}) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(yaml));
    ARROW_ASSIGN_OR_RAISE(elt::Source source, consumer->Describe(ctx_));
    ARROW_ASSIGN_OR_RAISE(auto partitions, consumer->Split(ctx_, run, source, limits));
    std::vector<Read> parts;
    for (const elt::Partition& partition : partitions) {
      ARROW_ASSIGN_OR_RAISE(auto reader, consumer->Open(ctx_, run, partition, source, {}));
      for (const elt::Slice& slice : partition.slices) {
        ARROW_ASSIGN_OR_RAISE(Read read, ReadSlice(*reader, slice.index, source));
        read.partition = partition;
        parts.push_back(std::move(read));
      }
    }
    return parts;
  }
  Read ReadAll(const std::string& yaml, const elt::RunInstance& run = {},
               elt::BatchLimits limits = {}) {
    return ValueOf(TryRead(yaml, run, limits));
  }

  /// Column `name` as Arrow prints it: "[1, null]".
  static std::string Column(const Read& read, const std::string& name) {
    auto column = read.table->GetColumnByName(name);
    if (column == nullptr) return "no such column";
    std::string text;
    for (int64_t i = 0; i < column->length(); ++i) {
      auto scalar = ValueOf(column->GetScalar(i));
      text += (i ? ", " : "") + (scalar->is_valid ? scalar->ToString() : "null");
    }
    return "[" + text + "]";
  }

  /// The same of all parts, as one list of each.
  static std::string Columns(const std::vector<Read>& parts, const std::string& name) {
    std::string text;
    for (const Read& part : parts) text += (text.empty() ? "" : " ") + Column(part, name);
    return text;
  }

  TestContext surroundings_;
  Context ctx_;
  elt::Catalog catalog_;
  os::TemporaryDirectory directory_;
  std::string path_ = directory_ / "shop.db";
};

/// A run of one window of `column`.
inline elt::RunInstance WindowRun(const std::string& column, WallMicros start, WallMicros end,
                                  elt::NullWindow nulls = elt::NullWindow::kError,
                                  const std::string& timezone = "UTC") {
  elt::RunInstance run;
  run.pipeline = "test";
  run.window = elt::Window{start, end, "w", timezone};
  run.window_column = column;
  run.null_window = nulls;
  return run;
}

inline constexpr WallMicros kHour = int64_t{3600} * 1'000'000;
inline constexpr WallMicros kDay = 24 * kHour;
inline constexpr WallMicros kNewYear = 1'767'225'600'000'000;  ///< 2026-01-01T00:00:00Z

}  // namespace levada::sqlite
