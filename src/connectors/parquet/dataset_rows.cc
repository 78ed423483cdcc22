#include "connectors/parquet/dataset_rows.h"

#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "connectors/parquet/file_chain.h"
#include "connectors/parquet/found_files.h"
#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_state.h"
#include "elt/stages.h"

namespace levada::parquet {
namespace {

using HiveValues = std::vector<std::pair<std::string, std::shared_ptr<arrow::Scalar>>>;

// Files of finished runs, run after run.
Result<std::vector<std::string>> FilesOfManifests(Context& ctx, places::Place& place) {
  std::vector<std::string> paths;
  ARROW_ASSIGN_OR_RAISE(const auto entries, place.List(ctx, std::string(kRecordsRoot)));
  for (const places::PlaceEntry& entry : entries) {
    const auto name = ParseRecordName(entry.name);
    if (!name || name->kind != RecordName::Kind::kManifest) continue;
    ARROW_ASSIGN_OR_RAISE(const auto manifest,
                          ReadParsed<Manifest>(ctx, place, LakeNames(name->label).Manifest()));
    if (!manifest) continue;
    for (const elt::PartitionRecord& record : manifest->partitions) {
      for (const elt::Receipt& receipt : record.receipts) {
        for (const elt::WrittenFile& file : receipt.files) paths.push_back(file.path);
      }
    }
  }
  return paths;
}

// "a/day=1/b/country=DE/x.parquet" -> day and country.
Result<HiveValues> ValuesIn(std::string_view path) {
  HiveValues values;
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const std::string_view directory = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    const size_t equals = directory.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    ARROW_ASSIGN_OR_RAISE(auto value, HiveValue(directory, arrow::utf8()));
    values.emplace_back(UnescapeHive(directory.substr(0, equals)), std::move(value));
  }
  return values;
}

class DatasetStream final : public FileChain {
 public:
  static Result<std::unique_ptr<DatasetStream>> Open(const Context& ctx,
                                                     std::shared_ptr<places::Place> place,
                                                     const std::vector<std::string>& paths) {
    std::vector<File> files;
    for (const std::string& path : paths) files.push_back({path, path});
    std::unique_ptr<DatasetStream> stream(
        new DatasetStream(ctx, std::move(place), std::move(files)));
    ARROW_RETURN_NOT_OK(stream->OpenNext());
    return stream;
  }

 protected:
  // All files have the columns of the first one.
  Status Opened(const std::string& path, const arrow::Schema& columns) override {
    ARROW_ASSIGN_OR_RAISE(values_, ValuesIn(path));
    std::erase_if(values_,
                  [&](const auto& value) { return columns.GetFieldIndex(value.first) >= 0; });
    arrow::FieldVector fields = columns.fields();
    for (const auto& [name, value] : values_) fields.push_back(arrow::field(name, arrow::utf8()));
    auto with_values = std::make_shared<arrow::Schema>(std::move(fields));
    if (schema() == nullptr) {
      SetSchema(std::move(with_values));
      return Status::OK();
    }
    const std::string difference = elt::SchemaDifference(elt::SchemaFingerprint(*schema()),
                                                         elt::SchemaFingerprint(*with_values));
    if (difference.empty()) return Status::OK();
    return Fault(FaultCode::kSchemaDrift,
                 fmt::format("file \"{}\" has other columns than the first one: {}",
                             LocationOf(path), difference))
        .With("path", LocationOf(path));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Complete(const arrow::RecordBatch& batch) override {
    arrow::ArrayVector columns = batch.columns();
    for (const auto& [name, value] : values_) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayFromScalar(*value, batch.num_rows(), pool()));
    }
    return arrow::RecordBatch::Make(schema(), batch.num_rows(), std::move(columns));
  }

 private:
  DatasetStream(const Context& ctx, std::shared_ptr<places::Place> place, std::vector<File> files)
      : FileChain(ctx, std::move(place), std::move(files), nullptr) {}

  HiveValues values_;  // of the open file
};

}  // namespace

Result<std::vector<std::string>> FilesOfDataset(Context& ctx, places::Place& place) {
  ARROW_ASSIGN_OR_RAISE(const auto size, place.Size(ctx, LakeNames::Owner()));
  if (size) return FilesOfManifests(ctx, place);
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, FindVisibleFiles(ctx, place));
  std::erase_if(paths, [](const std::string& path) { return !path.ends_with(".parquet"); });
  return paths;
}

Result<std::unique_ptr<elt::BatchStream>> OpenDataset(Context& ctx,
                                                      std::shared_ptr<places::Place> place) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> paths, FilesOfDataset(ctx, *place));
  if (paths.empty()) {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("there is no Parquet file below \"{}\"", place->Location("")))
        .With("path", place->Location(""));
  }
  return DatasetStream::Open(ctx, std::move(place), paths);
}

}  // namespace levada::parquet
