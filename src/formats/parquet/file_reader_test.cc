#include "formats/parquet/file_reader.h"

#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "formats/parquet/file_encoder.h"
#include "formats/parquet/random_rows.h"

namespace levada::parquet_format {
namespace {

using arrow::field;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

std::shared_ptr<arrow::Buffer> Encode(const arrow::RecordBatch& batch,
                                      const EncodeOptions& options) {
  EncodeEnvironment environment;
  environment.pool = arrow::default_memory_pool();
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*batch.schema(), options, "levada version test", sink, environment)
          .ValueOrDie();
  EXPECT_TRUE(encoder->Write(batch).ok());
  EXPECT_TRUE(encoder->Close().ok());
  return sink->Finish().ValueOrDie();
}

SchemaPtr SmallSchema() {
  return arrow::schema({field("id", arrow::int64(), false), field("word", arrow::large_utf8()),
                        field("price", arrow::decimal64(12, 2)),
                        field("tags", arrow::list(arrow::utf8())),
                        field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "Asia/Tokyo")),
                        field("ok", arrow::boolean())});
}

EncodeOptions SmallOptions(Codec codec) {
  EncodeOptions options;
  options.codec = codec;
  options.level = codec == Codec::kZstd ? 1 : 0;
  options.chunk_rows = 20;
  options.row_group_rows = 40;
  return options;
}

/// Reads to the end; OK, or what went wrong.
Status ReadAll(std::shared_ptr<arrow::Buffer> file, SchemaPtr schema) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), 256 << 20);
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        OpenReader(std::make_shared<arrow::io::BufferReader>(std::move(file)),
                                   std::move(schema), {}, &pool));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(batch->Validate());
  }
}

TEST(FileReader, AFooterTellsWhatIsInTheFile) {
  auto batch = RandomRows(1).Batch(SmallSchema(), 100);
  auto file = Encode(*batch, SmallOptions(Codec::kZstd));
  auto footer =
      ReadFooter(std::make_shared<arrow::io::BufferReader>(file), arrow::default_memory_pool())
          .ValueOrDie();
  EXPECT_EQ(footer.rows, 100);
  EXPECT_EQ(footer.leaf_columns, 6);
  EXPECT_THAT(footer.row_group_rows, testing::ElementsAre(40, 40, 20));
  EXPECT_EQ(footer.created_by, "levada version test");
  EXPECT_EQ(footer.schema->field_names(), SmallSchema()->field_names());
}

TEST(FileReader, BatchesAreSmallWhereRowsAreLarge) {
  auto schema = arrow::schema({field("s", arrow::utf8())});
  arrow::StringBuilder builder;
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(builder.Append(std::string(10'000, static_cast<char>('a' + i % 20))).ok());
  auto batch = arrow::RecordBatch::Make(schema, 40, {builder.Finish().ValueOrDie()});
  EncodeOptions encode = SmallOptions(Codec::kNone);
  encode.dictionary = {DictionaryUse::kOff};
  ReadOptions options;
  options.batch_bytes = 50'000;
  auto reader = OpenReader(std::make_shared<arrow::io::BufferReader>(Encode(*batch, encode)),
                           schema, options, arrow::default_memory_pool())
                    .ValueOrDie();
  EXPECT_LE(reader->Next().ValueOrDie()->num_rows(), 5);
}

TEST(FileReader, WithoutASchemaTheFilesOwnIsUsed) {
  auto batch = RandomRows(1).Batch(SmallSchema(), 30);
  auto reader =
      OpenReader(
          std::make_shared<arrow::io::BufferReader>(Encode(*batch, SmallOptions(Codec::kSnappy))),
          nullptr, {}, arrow::default_memory_pool())
          .ValueOrDie();
  EXPECT_TRUE(reader->schema()->field(1)->type()->Equals(arrow::utf8()));
  EXPECT_EQ(reader->ToTable().ValueOrDie()->num_rows(), 30);
}

TEST(FileReader, ColumnsOtherThanThoseWrittenAreAMismatch) {
  auto batch = RandomRows(1).Batch(SmallSchema(), 30);
  auto file = Encode(*batch, SmallOptions(Codec::kZstd));
  auto mismatch = [&](const SchemaPtr& schema) {
    EXPECT_EQ(CodeOf(ReadAll(file, schema)), FaultCode::kReadbackMismatch) << schema->ToString();
  };
  EXPECT_TRUE(ReadAll(file, SmallSchema()).ok());
  auto changed = [](int column, const std::shared_ptr<arrow::Field>& to) {
    return SmallSchema()->SetField(column, to).ValueOrDie();
  };
  mismatch(SmallSchema()->RemoveField(5).ValueOrDie());
  mismatch(changed(0, field("key", arrow::int64())));
  mismatch(changed(0, field("id", arrow::int32())));
  mismatch(changed(1, field("word", arrow::binary())));
  mismatch(changed(1, field("word", arrow::utf8(), false)));  // it has NULLs
  mismatch(changed(2, field("price", arrow::decimal128(12, 3))));
  mismatch(changed(3, field("tags", arrow::list(arrow::int32()))));
  mismatch(changed(3, field("tags", arrow::utf8())));
  mismatch(changed(4, field("at", arrow::timestamp(arrow::TimeUnit::MICRO))));
  mismatch(changed(4, field("at", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"))));
}

TEST(FileReader, ATruncatedFileIsAMismatchAtEveryLength) {
  for (Codec codec : {Codec::kNone, Codec::kZstd}) {
    auto file = Encode(*RandomRows(2).Batch(SmallSchema(), 60), SmallOptions(codec));
    for (int64_t size = 0; size < file->size(); ++size) {
      EXPECT_EQ(CodeOf(ReadAll(arrow::SliceBuffer(file, 0, size), SmallSchema())),
                FaultCode::kReadbackMismatch)
          << size;
    }
  }
}

TEST(FileReader, AFlippedByteNeverCrashes) {
  for (Codec codec : {Codec::kNone, Codec::kSnappy, Codec::kZstd, Codec::kLz4}) {
    auto file = Encode(*RandomRows(3).Batch(SmallSchema(), 40), SmallOptions(codec));
    for (int64_t at = 0; at < file->size(); ++at) {
      constexpr uint8_t kMasks[] = {0x01, 0x80, 0xff};
      auto bytes = file->ToString();
      bytes[at] = static_cast<char>(bytes[at] ^ kMasks[at % std::size(kMasks)]);
      Status status = ReadAll(arrow::Buffer::FromString(bytes), SmallSchema());
      EXPECT_TRUE(status.ok() || CodeOf(status) == FaultCode::kReadbackMismatch)
          << at << " " << status;
    }
  }
}

/// Fails like a disk does, after some reads.
class BrokenFile final : public arrow::io::RandomAccessFile {
 public:
  BrokenFile(std::shared_ptr<arrow::Buffer> file, int reads, Status failure)
      : file_(std::make_shared<arrow::io::BufferReader>(std::move(file))),
        reads_(reads),
        failure_(std::move(failure)) {}
  Result<int64_t> GetSize() override { return file_->GetSize(); }
  Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    if (reads_-- <= 0) return failure_;
    return file_->ReadAt(position, size, out);
  }
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    if (reads_-- <= 0) return failure_;
    return file_->ReadAt(position, size);
  }
  Result<int64_t> Read(int64_t, void*) override { return failure_; }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t) override { return failure_; }
  Status Seek(int64_t position) override { return file_->Seek(position); }
  Result<int64_t> Tell() const override { return file_->Tell(); }
  Status Close() override { return Status::OK(); }
  bool closed() const override { return false; }

 private:
  std::shared_ptr<arrow::io::BufferReader> file_;
  int reads_;
  Status failure_;
};

TEST(FileReader, AFailingDiskIsNotAMismatch) {
  auto file = Encode(*RandomRows(2).Batch(SmallSchema(), 60), SmallOptions(Codec::kZstd));
  const Status failure = ErrnoFault(FaultCode::kTargetIo, EIO, "cannot read");
  for (int reads = 0; reads < 5; ++reads) {
    auto broken = std::make_shared<BrokenFile>(file, reads, failure);
    auto reader = OpenReader(broken, SmallSchema(), {}, arrow::default_memory_pool());
    Status status = reader.status();
    if (status.ok()) status = (*reader)->ToTable().status();
    EXPECT_EQ(CodeOf(status), FaultCode::kTargetIo) << reads;
  }
}

/// The corpus of the fuzz target. Set LEVADA_WRITE_TESTDATA to make it anew.
// The seeds that are whole files; what a fuzzer found may be in the folder too, and is only not to
// crash.
TEST(FileReader, ReadsTheSeedsOfItsFuzzTarget) {
  const std::filesystem::path folder = std::filesystem::path(LEVADA_TESTDATA) / "reader_fuzz";
  const std::vector<std::string> whole = {"arrow_no_rows", "arrow_snappy_plain", "arrow_zstd",
                                          "written_plain", "written_zstd"};
  size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    (void)ReadAll(arrow::Buffer::FromString(bytes), SmallSchema());
    const bool of_any_schema = ReadAll(arrow::Buffer::FromString(bytes), nullptr).ok();
    const std::string name = entry.path().filename();
    if (std::ranges::find(whole, name) == whole.end()) continue;
    EXPECT_TRUE(of_any_schema) << name;
    ++read;
  }
  EXPECT_EQ(read, whole.size());
}

}  // namespace
}  // namespace levada::parquet_format
