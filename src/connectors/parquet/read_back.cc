#include "connectors/parquet/read_back.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "connectors/parquet/directory_router.h"
#include "connectors/parquet/file_chain.h"
#include "connectors/parquet/hive.h"
#include "os/disk.h"

namespace levada::parquet {
namespace {

class StagedFilesStream final : public FileChain {
 public:
  StagedFilesStream(const Context& ctx, std::shared_ptr<places::Place> place,
                    const LakeLayout& layout, const elt::SchemaPtr& schema,
                    const std::vector<elt::WrittenFile>& files)
      : FileChain(ctx, std::move(place), FilesOf(files),
                  FileSchemaOf(*schema, layout.partition_by)),
        partition_by_(layout.partition_by) {
    SetSchema(schema);
  }

 protected:
  // "day=1/country=DE/part-...": the innermost directories are those of the columns.
  Status Opened(const std::string& path, const arrow::Schema&) override {
    values_.assign(partition_by_.size(), nullptr);
    std::string directory = os::ParentPath(path);
    for (size_t i = partition_by_.size(); i-- > 0;) {
      const auto& type = schema()->GetFieldByName(partition_by_[i])->type();
      ARROW_ASSIGN_OR_RAISE(values_[i], HiveValue(os::BaseName(directory), type));
      directory = os::ParentPath(directory);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Complete(const arrow::RecordBatch& batch) override {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : schema()->fields()) {
      const auto found = std::ranges::find(partition_by_, field->name());
      if (found == partition_by_.end()) {
        columns.push_back(batch.GetColumnByName(field->name()));
        continue;
      }
      const auto& value = *values_[static_cast<size_t>(found - partition_by_.begin())];
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayFromScalar(value, batch.num_rows(), pool()));
    }
    return arrow::RecordBatch::Make(schema(), batch.num_rows(), std::move(columns));
  }

 private:
  static std::vector<File> FilesOf(const std::vector<elt::WrittenFile>& written) {
    std::vector<File> files;
    for (const elt::WrittenFile& file : written) files.push_back({file.staged, file.path});
    return files;
  }

  const std::vector<std::string> partition_by_;
  std::vector<std::shared_ptr<arrow::Scalar>> values_;  // by partition column, of the open file
};

}  // namespace

Result<std::unique_ptr<elt::BatchStream>> ReadStagedFiles(Context& ctx,
                                                          std::shared_ptr<places::Place> place,
                                                          const LakeLayout& layout,
                                                          elt::SchemaPtr schema,
                                                          const elt::Receipt& receipt) {
  return std::make_unique<StagedFilesStream>(ctx, std::move(place), layout, schema, receipt.files);
}

}  // namespace levada::parquet
