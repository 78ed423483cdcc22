#include "connectors/parquet/read_back.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "connectors/parquet/directory_router.h"
#include "connectors/parquet/hive.h"
#include "formats/parquet/file_reader.h"
#include "os/disk.h"

namespace levada::parquet {
namespace {

class StagedFilesStream final : public elt::BatchStream {
 public:
  StagedFilesStream(const Context& ctx, std::shared_ptr<places::Place> place,
                    const LakeLayout& layout, elt::SchemaPtr schema,
                    std::vector<elt::WrittenFile> files)
      : ctx_(ctx),
        place_(std::move(place)),
        partition_by_(layout.partition_by),
        schema_(std::move(schema)),
        file_schema_(FileSchemaOf(*schema_, partition_by_)),
        files_(std::move(files)) {}
  ~StagedFilesStream() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (true) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      if (reader_ == nullptr) {
        if (next_ == files_.size()) return Status::OK();
        ARROW_RETURN_NOT_OK(OpenNext());
      }
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
      if (batch == nullptr) {
        reader_.reset();
        continue;
      }
      rows_ += batch->num_rows();
      return WithDirectories(*batch).Value(out);
    }
  }

  Result<elt::StreamEnd> Finish() override {
    elt::StreamEnd end;
    end.rows_read = end.rows_out = rows_;
    return end;
  }

  Status Close() override {
    reader_.reset();
    next_ = files_.size();
    return Status::OK();
  }

 private:
  Status OpenNext() {
    const elt::WrittenFile& file = files_[next_++];
    ARROW_ASSIGN_OR_RAISE(auto opened, place_->Open(ctx_, file.staged));
    ARROW_ASSIGN_OR_RAISE(
        reader_, parquet_format::OpenReader(std::move(opened), file_schema_, {}, ctx_.pool));
    return ReadDirectories(file.path);
  }

  // "day=1/country=DE/part-...": the innermost directories are those of the columns.
  Status ReadDirectories(const std::string& path) {
    values_.assign(partition_by_.size(), nullptr);
    std::string directory = os::ParentPath(path);
    for (size_t i = partition_by_.size(); i-- > 0;) {
      const auto& type = schema_->GetFieldByName(partition_by_[i])->type();
      ARROW_ASSIGN_OR_RAISE(values_[i], HiveValue(os::BaseName(directory), type));
      directory = os::ParentPath(directory);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> WithDirectories(const arrow::RecordBatch& batch) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : schema_->fields()) {
      const auto found = std::ranges::find(partition_by_, field->name());
      if (found == partition_by_.end()) {
        columns.push_back(batch.GetColumnByName(field->name()));
        continue;
      }
      const auto& value = *values_[static_cast<size_t>(found - partition_by_.begin())];
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayFromScalar(value, batch.num_rows(), ctx_.pool));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  Context ctx_;
  const std::shared_ptr<places::Place> place_;
  const std::vector<std::string> partition_by_;
  const elt::SchemaPtr schema_;
  const elt::SchemaPtr file_schema_;
  const std::vector<elt::WrittenFile> files_;
  size_t next_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  std::vector<std::shared_ptr<arrow::Scalar>> values_;  // by partition column, of the open file
  int64_t rows_ = 0;
};

}  // namespace

Result<std::unique_ptr<elt::BatchStream>> ReadStagedFiles(Context& ctx,
                                                          std::shared_ptr<places::Place> place,
                                                          const LakeLayout& layout,
                                                          elt::SchemaPtr schema,
                                                          const elt::Receipt& receipt) {
  return std::make_unique<StagedFilesStream>(ctx, std::move(place), layout, std::move(schema),
                                             receipt.files);
}

}  // namespace levada::parquet
