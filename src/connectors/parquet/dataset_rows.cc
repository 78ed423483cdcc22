#include "connectors/parquet/dataset_rows.h"

#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connectors/parquet/found_files.h"
#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_state.h"
#include "elt/stages.h"
#include "formats/parquet/file_reader.h"

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

Result<std::vector<std::string>> FilesOf(Context& ctx, places::Place& place) {
  ARROW_ASSIGN_OR_RAISE(const auto size, place.Size(ctx, LakeNames::Owner()));
  if (size) return FilesOfManifests(ctx, place);
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, FindVisibleFiles(ctx, place));
  std::erase_if(paths, [](const std::string& path) { return !path.ends_with(".parquet"); });
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

class DatasetStream final : public elt::BatchStream {
 public:
  DatasetStream(const Context& ctx, std::shared_ptr<places::Place> place,
                std::vector<std::string> paths)
      : ctx_(ctx), place_(std::move(place)), paths_(std::move(paths)) {}
  ~DatasetStream() override { (void)Close(); }

  // The schema is that of the first file.
  Status Begin() {
    ARROW_RETURN_NOT_OK(OpenNext());
    schema_ = SchemaWith(values_);
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (true) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      if (reader_ == nullptr) {
        if (next_ == paths_.size()) return Status::OK();
        ARROW_RETURN_NOT_OK(OpenNext());
        ARROW_RETURN_NOT_OK(CheckSchema());
      }
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
      if (batch == nullptr) {
        reader_.reset();
        continue;
      }
      rows_ += batch->num_rows();
      return WithValues(*batch).Value(out);
    }
  }

  Result<elt::StreamEnd> Finish() override {
    elt::StreamEnd end;
    end.rows_read = end.rows_out = rows_;
    return end;
  }

  Status Close() override {
    reader_.reset();
    next_ = paths_.size();
    return Status::OK();
  }

 private:
  Status OpenNext() {
    const std::string& path = paths_[next_++];
    ARROW_ASSIGN_OR_RAISE(auto file, place_->Open(ctx_, path));
    const auto reader = parquet_format::OpenReader(std::move(file), nullptr, {}, ctx_.pool);
    if (!reader.ok()) return WithDetail(reader.status(), "path", place_->Location(path));
    reader_ = *reader;
    ARROW_ASSIGN_OR_RAISE(values_, ValuesIn(path));
    std::erase_if(values_, [this](const auto& value) {
      return reader_->schema()->GetFieldIndex(value.first) >= 0;
    });
    return Status::OK();
  }

  elt::SchemaPtr SchemaWith(const HiveValues& values) const {
    arrow::FieldVector fields = reader_->schema()->fields();
    for (const auto& [name, value] : values) fields.push_back(arrow::field(name, arrow::utf8()));
    return std::make_shared<arrow::Schema>(std::move(fields));
  }

  Status CheckSchema() const {
    const std::string difference = elt::SchemaDifference(
        elt::SchemaFingerprint(*schema_), elt::SchemaFingerprint(*SchemaWith(values_)));
    if (difference.empty()) return Status::OK();
    return Fault(FaultCode::kSchemaDrift,
                 fmt::format("file \"{}\" has other columns than the first one: {}",
                             place_->Location(paths_[next_ - 1]), difference))
        .With("path", place_->Location(paths_[next_ - 1]));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> WithValues(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns = batch.columns();
    for (const auto& [name, value] : values_) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayFromScalar(*value, batch.num_rows(), ctx_.pool));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  Context ctx_;
  const std::shared_ptr<places::Place> place_;
  const std::vector<std::string> paths_;
  elt::SchemaPtr schema_;
  size_t next_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  HiveValues values_;  // of the open file
  int64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<elt::BatchStream>> OpenDataset(Context& ctx,
                                                      std::shared_ptr<places::Place> place) {
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, FilesOf(ctx, *place));
  if (paths.empty()) {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("there is no Parquet file below \"{}\"", place->Location("")))
        .With("path", place->Location(""));
  }
  auto stream = std::make_unique<DatasetStream>(ctx, std::move(place), std::move(paths));
  ARROW_RETURN_NOT_OK(stream->Begin());
  return stream;
}

}  // namespace levada::parquet
