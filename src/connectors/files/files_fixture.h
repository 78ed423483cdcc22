#pragma once
// For the tests of this folder: a directory with files in it, and the consumer made from YAML as a
// pipeline file would make it.

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "elt/catalog.h"
#include "elt/value.h"
#include "os/temporary_directory.h"

namespace levada::files {

void Register(elt::Catalog& catalog);

class FilesFixture : public testing::Test {
 protected:
  FilesFixture() : ctx_(surroundings_.context()) { Register(catalog_); }

  /// The path of file `name` of the directory, with `bytes` in it.
  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = directory_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  /// The consumer of `yaml`, lines of options; `path` is below the directory.
  Result<std::unique_ptr<elt::Consumer>> Make(const std::string& path, const std::string& yaml) {
    const std::string text = "path: \"" + (directory_ / path) + "\"\n" + yaml;
    auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", text});
    ARROW_ASSIGN_OR_RAISE(elt::Value value, elt::ParseYaml(source));
    const auto* entry = catalog_.FindConsumer("files");
    std::vector<Diagnostic> diagnostics;
    elt::Options options = elt::ValidateOptions(
        entry->spec, value, "consumer \"files\"", source,
        std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), diagnostics);
    if (!diagnostics.empty()) {
      return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
    }
    return entry->make(options, {});
  }

  Result<elt::Source> Describe(const std::string& path, const std::string& yaml = "") {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(path, yaml));
    return consumer->Describe(ctx_);
  }

  struct Read {
    std::shared_ptr<arrow::Table> table;
    int64_t filtered = 0;
    size_t partitions = 0;
  };

  /// All partitions of one run, one after the other.
  Result<Read> TryRead(const std::string& path, const std::string& yaml = "",
                       const elt::RunInstance& run = {}, const elt::BatchLimits& limits = {},
                       const elt::SplitLimits& split = {}) {
    ARROW_ASSIGN_OR_RAISE(auto consumer, Make(path, yaml));
    ARROW_ASSIGN_OR_RAISE(elt::Source source, consumer->Describe(ctx_));
    ARROW_ASSIGN_OR_RAISE(auto partitions, consumer->Split(ctx_, run, source, split));
    Read read;
    std::vector<elt::BatchPtr> batches;
    for (const auto& partition : partitions) {
      ARROW_ASSIGN_OR_RAISE(auto reader, consumer->Open(ctx_, run, partition, source, limits));
      ARROW_RETURN_NOT_OK(ReadSlice(*reader, source, limits, batches, read.filtered));
    }
    read.partitions = partitions.size();
    ARROW_ASSIGN_OR_RAISE(read.table, arrow::Table::FromRecordBatches(source.schema, batches));
    return read;
  }

  Status ReadSlice(elt::PartitionReader& reader, const elt::Source& source,
                   const elt::BatchLimits& limits, std::vector<elt::BatchPtr>& batches,
                   int64_t& filtered) {
    ARROW_ASSIGN_OR_RAISE(auto stream, reader.Read(ctx_, 0));
    EXPECT_TRUE(stream->schema()->Equals(*source.schema));
    while (true) {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
      if (batch == nullptr) break;
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      EXPECT_LE(batch->num_rows(), limits.rows);
      EXPECT_GT(batch->num_rows(), 0);
      batches.push_back(std::move(batch));
    }
    ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream->Finish());
    EXPECT_EQ(end.rows_out, end.rows_read - end.rows_filtered);
    filtered += end.rows_filtered;
    return Status::OK();
  }

  Read ReadAll(const std::string& path, const std::string& yaml = "",
               const elt::RunInstance& run = {}, const elt::BatchLimits& limits = {}) {
    return ValueOf(TryRead(path, yaml, run, limits));
  }
  Fault Fails(const std::string& path, const std::string& yaml = "",
              const elt::RunInstance& run = {}) {
    const Status status = TryRead(path, yaml, run).status();
    EXPECT_FALSE(status.ok()) << "it was read";
    return status.ok() ? Fault(FaultCode::kInternal, "none") : FaultOf(status);
  }

  /// Column `name` as Arrow prints it: "1, null".
  static std::string Column(const Read& read, const std::string& name) {
    auto column = read.table->GetColumnByName(name);
    if (column == nullptr) return "no such column";
    std::string text;
    for (int64_t i = 0; i < column->length(); ++i) {
      auto scalar = ValueOf(column->GetScalar(i));
      text += (i ? ", " : "") + (scalar->is_valid ? scalar->ToString() : "null");
    }
    return text;
  }
  static std::string TypeOf(const Read& read, const std::string& name) {
    auto field = read.table->schema()->GetFieldByName(name);
    return field == nullptr ? "no such column" : field->type()->ToString();
  }

  TestContext surroundings_;
  Context ctx_;
  elt::Catalog catalog_;
  os::TemporaryDirectory directory_;
};

}  // namespace levada::files
