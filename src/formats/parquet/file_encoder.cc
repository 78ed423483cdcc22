#include "formats/parquet/file_encoder.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <arrow/util/future.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/util/thread_pool.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

#include "formats/parquet/footer.h"
#include "formats/parquet/leaf_encoder.h"
#include "formats/parquet/leaf_plan.h"
#include "formats/parquet/levels.h"

namespace levada::parquet_format {
namespace {

constexpr std::string_view kMagic = "PAR1";

}  // namespace

struct FilePlan {
  std::shared_ptr<arrow::Schema> schema;
  FileSchema file_schema;
  EncodeOptions options;
  std::shared_ptr<parquet::WriterProperties> properties;
};

namespace {

/// A row group ends here even where it compresses to next to nothing: readers that want a column of
/// it in one array (pyarrow, for lists) have 32-bit offsets.
constexpr int64_t kRowGroupPlainBytes = int64_t{1} << 30;

arrow::Compression::type CompressionOf(Codec codec) {
  switch (codec) {
    case Codec::kSnappy:
      return arrow::Compression::SNAPPY;
    case Codec::kZstd:
      return arrow::Compression::ZSTD;
    case Codec::kLz4:
      return arrow::Compression::LZ4;  // written as LZ4_RAW
    case Codec::kNone:
      break;
  }
  return arrow::Compression::UNCOMPRESSED;
}

Result<std::unique_ptr<arrow::util::Codec>> MakeCodec(const EncodeOptions& options) {
  if (options.codec == Codec::kNone) return nullptr;
  if (options.codec == Codec::kZstd)
    return arrow::util::Codec::Create(arrow::Compression::ZSTD, options.level);
  return arrow::util::Codec::Create(CompressionOf(options.codec));
}

std::shared_ptr<parquet::WriterProperties> PropertiesOf(const EncodeOptions& options,
                                                        const std::string& created_by) {
  parquet::WriterProperties::Builder builder;
  builder.created_by(created_by)->compression(CompressionOf(options.codec));
  builder.disable_write_page_index()->set_size_statistics_level(parquet::SizeStatisticsLevel::None);
  if (options.codec == Codec::kZstd) builder.compression_level(options.level);
  return builder.build();
}

/// Of a writer it does not know Spark 3 takes days before 1582-10-15 and times before 1900 for
/// ambiguous, and fails to read them. This key tells it that they are counted as its own are, in
/// the proleptic Gregorian calendar; it is the only way to say so
/// (DataSourceUtils.datetimeRebaseSpec).
std::shared_ptr<const arrow::KeyValueMetadata> FooterMetadata(Profile profile) {
  if (profile == Profile::kArrow) return nullptr;
  return arrow::key_value_metadata({"org.apache.spark.version"}, {"3.0.0"});
}

/// Rows of one batch that belong to the chunk under construction. Holds the batch.
struct BatchSlice {
  arrow::ArrayDataVector columns;
  int64_t start;
  int64_t length;
};

int64_t RowBytes(const arrow::ArrayDataVector& columns, int64_t start, int64_t length) {
  int64_t total = 0;
  for (const auto& column : columns) total += PlainBytes(*column, start, length);
  return total;
}

/// The most rows from `start`, at most `rows_max`, whose bytes fit; their bytes too.
std::pair<int64_t, int64_t> RowsThatFit(const arrow::ArrayDataVector& columns, int64_t start,
                                        int64_t rows_max, int64_t bytes_max) {
  const int64_t all = RowBytes(columns, start, rows_max);
  if (all <= bytes_max) return {rows_max, all};
  int64_t fits = 0;
  int64_t too_many = rows_max;
  while (fits + 1 < too_many) {
    const int64_t middle = fits + (too_many - fits) / 2;
    (RowBytes(columns, start, middle) <= bytes_max ? fits : too_many) = middle;
  }
  return {fits, RowBytes(columns, start, fits)};
}

class FileEncoderImpl final : public FileEncoder {
 public:
  FileEncoderImpl(FilePlanPtr plan, std::shared_ptr<arrow::io::OutputStream> sink,
                  EncodeEnvironment environment)
      : plan_(std::move(plan)),
        options_(plan_->options),
        leaf_plans_(plan_->file_schema.leaves),
        sink_(std::move(sink)),
        environment_(std::move(environment)),
        choices_(leaf_plans_.size()) {
    for (size_t i = 0; i < options_.dictionary.size(); ++i) {
      choices_[i].dictionary = options_.dictionary[i];
    }
  }

  Result<int64_t> Write(const arrow::RecordBatch& batch, int64_t offset) override {
    ARROW_RETURN_NOT_OK(CheckBatch(batch, offset));
    arrow::ArrayDataVector columns;
    for (int i = 0; i < batch.num_columns(); ++i) columns.push_back(batch.column_data(i));
    int64_t at = offset;
    while (at < batch.num_rows() && !ShouldRoll()) {
      const int64_t room = std::min(options_.chunk_rows - chunk_rows_,
                                    options_.row_group_rows - row_group_rows_ - chunk_rows_);
      auto [rows, bytes] = RowsThatFit(columns, at, std::min(room, batch.num_rows() - at),
                                       options_.chunk_bytes - chunk_bytes_);
      if (rows == 0 && chunk_rows_ > 0) {  // the next row belongs to the next chunk
        ARROW_RETURN_NOT_OK(EncodeChunk());
        continue;
      }
      if (rows == 0) {  // a row too large for any chunk is one by itself
        rows = 1;
        bytes = RowBytes(columns, at, 1);
      }
      pending_.push_back({columns, at, rows});
      chunk_rows_ += rows;
      chunk_bytes_ += bytes;
      at += rows;
      if (rows == room) ARROW_RETURN_NOT_OK(EncodeChunk());
    }
    return at - offset;
  }

  Status EndChunk() override {
    ARROW_RETURN_NOT_OK(CheckOpen());
    if (chunk_rows_ > 0) ARROW_RETURN_NOT_OK(EncodeChunk());
    scratch_.clear();
    if (row_group_rows_ == 0) ReleaseLeaves();  // the chunk was the last of its row group
    return Status::OK();
  }

  Status EndRowGroup() override {
    ARROW_RETURN_NOT_OK(EndChunk());
    if (row_group_rows_ > 0) ARROW_RETURN_NOT_OK(WriteRowGroup());
    ReleaseLeaves();
    return Status::OK();
  }

  int64_t held_bytes() const override {
    int64_t total = 0;
    for (const auto& leaf : leaves_) total += leaf->held_bytes();
    return total;
  }

  bool ShouldRoll() const override {
    if (row_group_rows_ + chunk_rows_ > 0 || summary_.row_groups == 0) return false;
    return summary_.bytes >= options_.file_bytes ||
           summary_.column_chunks + static_cast<int64_t>(leaf_plans_.size()) >
               options_.file_column_chunks;
  }

  Result<FileSummary> Close() override {
    ARROW_RETURN_NOT_OK(EndRowGroup());
    failed_ = true;  // until the footer is complete
    ARROW_RETURN_NOT_OK(BeginFile());
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    WriteFooter(plan_->file_schema, row_groups_, plan_->properties,
                FooterMetadata(options_.profile), sink_.get());
    END_PARQUET_CATCH_EXCEPTIONS
    ARROW_ASSIGN_OR_RAISE(summary_.bytes, sink_->Tell());
    failed_ = false;
    closed_ = true;
    return summary_;
  }

  FileSummary summary() const override { return summary_; }

 private:
  Status CheckOpen() const {
    if (!failed_ && !closed_) return Status::OK();
    return Fault(FaultCode::kInternal, "a Parquet file that has ended, or failed, takes nothing");
  }

  Status CheckBatch(const arrow::RecordBatch& batch, int64_t offset) const {
    ARROW_RETURN_NOT_OK(CheckOpen());
    const auto& schema = plan_->schema;
    if (offset < 0 || offset > batch.num_rows())
      return Fault(FaultCode::kInternal, "a row offset outside the batch");
    if (batch.schema().get() == schema.get()) return Status::OK();
    if (batch.num_columns() != schema->num_fields()) {
      return Fault(FaultCode::kInternal, "a batch of " + std::to_string(batch.num_columns()) +
                                             " columns for a file of " +
                                             std::to_string(schema->num_fields()));
    }
    for (int i = 0; i < batch.num_columns(); ++i) {
      if (!batch.column_data(i)->type->Equals(*schema->field(i)->type())) {
        return Fault(FaultCode::kInternal, "column \"" + schema->field(i)->name() +
                                               "\": expected " +
                                               schema->field(i)->type()->ToString() + ", got " +
                                               batch.column_data(i)->type->ToString());
      }
    }
    return Status::OK();
  }

  /// What encoding needs, where EndChunk or EndRowGroup has given it back.
  Status PrepareToEncode() {
    if (leaves_.empty()) {
      for (size_t i = 0; i < leaf_plans_.size(); ++i) {
        leaves_.push_back(std::make_unique<LeafEncoder>(
            leaf_plans_[i], options_, static_cast<int>(i), choices_[i], environment_.pool));
      }
    }
    if (!scratch_.empty()) return Status::OK();
    const int threads = environment_.executor == nullptr ? 1 : std::max(environment_.threads, 1);
    for (int i = 0; i < std::min<int>(threads, static_cast<int>(leaves_.size())); ++i) {
      scratch_.push_back(std::make_unique<EncodeScratch>(environment_.pool));
      ARROW_ASSIGN_OR_RAISE(scratch_.back()->codec, MakeCodec(options_));
    }
    return Status::OK();
  }

  void ReleaseLeaves() {
    for (size_t i = 0; i < leaves_.size(); ++i) choices_[i] = leaves_[i]->choices();
    leaves_.clear();
  }

  Status EncodeChunk() {
    failed_ = true;  // until it is done
    ARROW_RETURN_NOT_OK(PrepareToEncode());
    ARROW_RETURN_NOT_OK(ForEachLeaf(
        [this](int leaf, EncodeScratch* scratch) { return EncodeLeaf(leaf, scratch); }));
    pending_.clear();
    row_group_rows_ += chunk_rows_;
    row_group_plain_bytes_ += chunk_bytes_;
    chunk_rows_ = 0;
    chunk_bytes_ = 0;
    int64_t encoded = 0;
    for (const auto& leaf : leaves_) encoded += leaf->encoded_bytes();
    if (row_group_rows_ >= options_.row_group_rows || encoded >= options_.row_group_bytes ||
        row_group_plain_bytes_ >= kRowGroupPlainBytes) {
      ARROW_RETURN_NOT_OK(WriteRowGroup());
    }
    failed_ = false;
    return Status::OK();
  }

  Status EncodeLeaf(int leaf, EncodeScratch* scratch) {
    std::vector<ColumnSlice> slices;
    slices.reserve(pending_.size());
    for (const BatchSlice& slice : pending_) {
      slices.push_back({slice.columns[leaf_plans_[leaf].column].get(), slice.start, slice.length});
    }
    try {
      return leaves_[leaf]->EncodeChunk(slices, scratch);
    } catch (const std::bad_alloc&) {  // dictionaries allocate through the standard library
      return Status::OutOfMemory("encoding column \"", leaf_plans_[leaf].path, "\"");
    }
  }

  /// Runs `work` for every leaf on the calling thread and on as many of the executor's as there is
  /// scratch for. Of several failures the first column's is returned.
  template <typename Work>
  Status ForEachLeaf(Work work) {
    const int count = static_cast<int>(leaves_.size());
    std::vector<Status> results(count);
    std::atomic<int> next{0};
    auto run = [&](EncodeScratch* scratch) {
      for (int leaf = next++; leaf < count; leaf = next++) results[leaf] = work(leaf, scratch);
    };
    std::vector<arrow::Future<>> others;
    for (size_t i = 1; i < scratch_.size(); ++i) {
      auto submitted =
          environment_.executor->Submit([&run, scratch = scratch_[i].get()] { run(scratch); });
      if (submitted.ok()) others.push_back(*submitted);  // else the calling thread does it all
    }
    run(scratch_[0].get());
    for (auto& other : others) other.Wait();
    for (Status& result : results) ARROW_RETURN_NOT_OK(result);
    return Status::OK();
  }

  Status BeginFile() {
    if (summary_.bytes > 0) return Status::OK();
    ARROW_RETURN_NOT_OK(sink_->Write(kMagic));
    summary_.bytes = kMagic.size();
    return Status::OK();
  }

  Status WriteRowGroup() {
    failed_ = true;
    ARROW_RETURN_NOT_OK(BeginFile());
    RowGroupRecord record;
    record.rows = row_group_rows_;
    record.columns.reserve(leaves_.size());
    for (auto& leaf : leaves_) {
      ARROW_ASSIGN_OR_RAISE(record.columns.emplace_back(), leaf->Flush(sink_, plan_->properties));
    }
    row_groups_.push_back(std::move(record));
    ARROW_ASSIGN_OR_RAISE(summary_.bytes, sink_->Tell());
    summary_.rows += row_group_rows_;
    summary_.row_groups += 1;
    summary_.column_chunks += static_cast<int64_t>(leaves_.size());
    row_group_rows_ = 0;
    row_group_plain_bytes_ = 0;
    if (environment_.on_row_group) ARROW_RETURN_NOT_OK(environment_.on_row_group());
    failed_ = false;
    return Status::OK();
  }

  const FilePlanPtr plan_;
  const EncodeOptions& options_;
  const std::vector<LeafPlan>& leaf_plans_;
  const std::shared_ptr<arrow::io::OutputStream> sink_;
  const EncodeEnvironment environment_;
  std::vector<LeafChoices> choices_;  ///< kept here while there are no leaves_
  std::vector<RowGroupRecord> row_groups_;
  std::vector<std::unique_ptr<LeafEncoder>> leaves_;  ///< empty between row groups that were ended
  std::vector<std::unique_ptr<EncodeScratch>> scratch_;  ///< one per thread; empty after EndChunk

  std::vector<BatchSlice> pending_;  ///< the chunk under construction
  int64_t chunk_rows_ = 0;
  int64_t chunk_bytes_ = 0;
  int64_t row_group_rows_ = 0;  ///< of the chunks that are encoded
  int64_t row_group_plain_bytes_ = 0;
  FileSummary summary_;
  bool failed_ = false;
  bool closed_ = false;
};

}  // namespace

Result<FilePlanPtr> PlanFile(const arrow::Schema& schema, const EncodeOptions& options,
                             const std::string& created_by) {
  ARROW_ASSIGN_OR_RAISE(FileSchema file_schema, PlanFileSchema(schema, options.profile));
  ARROW_RETURN_NOT_OK(CheckOptions(options, static_cast<int>(file_schema.leaves.size())));
  return std::make_shared<const FilePlan>(std::make_shared<arrow::Schema>(schema),
                                          std::move(file_schema), options,
                                          PropertiesOf(options, created_by));
}

Result<std::unique_ptr<FileEncoder>> FileEncoder::Make(
    FilePlanPtr plan, std::shared_ptr<arrow::io::OutputStream> sink,
    EncodeEnvironment environment) {
  ARROW_ASSIGN_OR_RAISE(int64_t position, sink->Tell());
  if (position != 0)
    return Fault(FaultCode::kInternal,
                 "a Parquet file begins at 0, the sink stands at " + std::to_string(position));
  return std::make_unique<FileEncoderImpl>(std::move(plan), std::move(sink),
                                           std::move(environment));
}

Result<std::unique_ptr<FileEncoder>> FileEncoder::Make(
    const arrow::Schema& schema, const EncodeOptions& options, const std::string& created_by,
    std::shared_ptr<arrow::io::OutputStream> sink, EncodeEnvironment environment) {
  ARROW_ASSIGN_OR_RAISE(FilePlanPtr plan, PlanFile(schema, options, created_by));
  return Make(std::move(plan), std::move(sink), std::move(environment));
}

int64_t PlainBytes(const arrow::RecordBatch& batch, int64_t start, int64_t length) {
  int64_t total = 0;
  for (int i = 0; i < batch.num_columns(); ++i) {
    total += PlainBytes(*batch.column_data(i), start, length);
  }
  return total;
}

}  // namespace levada::parquet_format
