#include "connectors/parquet/file_chain.h"

#include <arrow/record_batch.h>

#include <utility>

#include "formats/parquet/file_reader.h"

namespace levada::parquet {

FileChain::FileChain(const Context& ctx, std::shared_ptr<places::Place> place,
                     std::vector<File> files, elt::SchemaPtr file_schema)
    : ctx_(ctx),
      place_(std::move(place)),
      files_(std::move(files)),
      file_schema_(std::move(file_schema)) {}

FileChain::~FileChain() = default;

Status FileChain::OpenNext() {
  const File& file = files_[next_++];
  ARROW_ASSIGN_OR_RAISE(auto opened, place_->Open(ctx_, file.opened_at));
  auto reader = parquet_format::OpenReader(std::move(opened), file_schema_, {}, ctx_.pool);
  if (!reader.ok()) return WithDetail(reader.status(), "path", place_->Location(file.opened_at));
  reader_ = *std::move(reader);
  return Opened(file.path, *reader_->schema());
}

Status FileChain::ReadNext(std::shared_ptr<arrow::RecordBatch>* out) {
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
    return Complete(*batch).Value(out);
  }
}

Result<elt::StreamEnd> FileChain::Finish() {
  elt::StreamEnd end;
  end.rows_read = end.rows_out = rows_;
  return end;
}

Status FileChain::Close() {
  reader_.reset();
  next_ = files_.size();
  return Status::OK();
}

}  // namespace levada::parquet
