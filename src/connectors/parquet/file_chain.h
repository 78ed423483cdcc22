#pragma once
// FileChain: the rows of several Parquet files as one stream, file after file. What the directories
// on the way to a file add to its rows is up to who derives from it.

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/stages.h"
#include "elt/stream.h"
#include "places/place.h"

namespace levada::parquet {

class FileChain : public elt::BatchStream {
 public:
  ~FileChain() override;

  std::shared_ptr<arrow::Schema> schema() const final { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) final;
  Result<elt::StreamEnd> Finish() final;
  Status Close() final;

 protected:
  struct File {
    std::string opened_at;  ///< its path, or where it is staged
    std::string path;       ///< its path once it is published
  };
  /// `file_schema` as OpenReader takes it; null: each file's own.
  FileChain(const Context& ctx, std::shared_ptr<places::Place> place, std::vector<File> files,
            elt::SchemaPtr file_schema);

  /// A file was opened; `columns` are its own.
  virtual Status Opened(const std::string& path, const arrow::Schema& columns) = 0;
  /// `batch` with what its directories add: of `schema()`.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Complete(const arrow::RecordBatch& batch) = 0;

  /// Opens the first file ahead of the first ReadNext. Precondition: there is one.
  Status OpenNext();
  void SetSchema(elt::SchemaPtr schema) { schema_ = std::move(schema); }
  std::string LocationOf(const std::string& path) const { return place_->Location(path); }
  arrow::MemoryPool* pool() const { return ctx_.pool; }

 private:
  Context ctx_;
  const std::shared_ptr<places::Place> place_;
  const std::vector<File> files_;
  const elt::SchemaPtr file_schema_;
  elt::SchemaPtr schema_;
  size_t next_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  int64_t rows_ = 0;
};

}  // namespace levada::parquet
