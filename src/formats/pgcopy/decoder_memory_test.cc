// What the decoder asks of its pool, and what happens when the pool refuses.

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "formats/pgcopy/captured.h"
#include "formats/pgcopy/encoder.h"
#include "formats/pgcopy/sink.h"

namespace levada::pgcopy {
namespace {

/// Counts, and refuses from the `allowed`-th allocation on.
class CountingPool final : public arrow::ProxyMemoryPool {
 public:
  explicit CountingPool(int64_t allowed = INT64_MAX)
      : ProxyMemoryPool(arrow::system_memory_pool()), allowed_(allowed) {}

  Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    ARROW_RETURN_NOT_OK(Count());
    return ProxyMemoryPool::Allocate(size, alignment, out);
  }
  Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                    uint8_t** pointer) override {
    ARROW_RETURN_NOT_OK(Count());
    return ProxyMemoryPool::Reallocate(old_size, new_size, alignment, pointer);
  }
  int64_t count() const { return count_; }

 private:
  Status Count() {
    return ++count_ > allowed_ ? Status::OutOfMemory("the test says so") : Status::OK();
  }

  const int64_t allowed_;
  int64_t count_ = 0;
};

std::vector<Column> Columns() {
  std::vector<Column> columns(4);
  columns[0].name = "number";
  columns[0].type.kind = ValueKind::kInt8;
  columns[1].name = "text";
  columns[2].name = "array";
  columns[2].type.array = true;
  columns[3].name = "flag";
  columns[3].type.kind = ValueKind::kBool;
  return columns;
}

std::vector<uint8_t> Rows(int64_t count) {
  Encoder encoder;
  encoder.Header();
  for (int64_t row = 0; row < count; ++row) {
    encoder.BeginTuple(4);
    row % 3 == 0 ? encoder.Null() : encoder.Int8(row);
    encoder.Text(std::string(static_cast<size_t>(row % 90), 'x'));
    encoder.BeginArray(25, 2, true);
    encoder.Null();
    encoder.Text("element");
    encoder.EndArray();
    encoder.Bool(row % 2 == 0);
  }
  encoder.Trailer();
  return encoder.Take();
}

TEST(DecoderMemoryTest, GivesEverythingBack) {
  CountingPool pool;
  {
    auto decoder = *Decoder::Make(Columns(), {.batch_rows_max = 100}, &pool);
    const std::vector<uint8_t> stream = Rows(1'000);
    ASSERT_TRUE(decoder->Decode(std::span(stream).first(stream.size() - 10)).ok());
    EXPECT_GT(pool.bytes_allocated(), 0);
    const auto batch = *decoder->TakeBatch();
    decoder.reset();
    EXPECT_TRUE(batch->ValidateFull().ok());  // the batch is its own
    EXPECT_GT(pool.bytes_allocated(), 0);
  }
  EXPECT_EQ(pool.bytes_allocated(), 0);
}

TEST(DecoderMemoryTest, AllocatesEachBufferOncePerBatchOnceItKnowsTheSizes) {
  CountingPool pool;
  auto decoder = *Decoder::Make(Columns(), {.batch_rows_max = 5'000}, &pool);
  const std::vector<uint8_t> stream = Rows(50'000);
  int64_t before = 0;
  int64_t batches = 0;
  for (size_t begin = 0; begin < stream.size(); begin += 10'000) {
    const size_t size = std::min<size_t>(10'000, stream.size() - begin);
    ASSERT_TRUE(decoder->Decode(std::span(stream).subspan(begin, size)).ok());
    if (!decoder->BatchReady()) continue;
    (void)*decoder->TakeBatch();
    // number: values, validity. text: offsets, bytes. array: offsets; its items: offsets, bytes,
    // validity. flag: bits.
    if (++batches > 2) {
      EXPECT_LE(pool.count() - before, 9);
    }
    before = pool.count();
  }
  EXPECT_EQ(batches, 10);
}

TEST(DecoderMemoryTest, HandsOverBuffersNotMuchLargerThanTheirContent) {
  auto decoder = *Decoder::Make(Columns(), {}, arrow::default_memory_pool());
  ASSERT_TRUE(decoder->Decode(Rows(3'000)).ok());
  const auto batch = *decoder->TakeBatch();
  for (const auto& column : batch->columns()) {
    for (const auto& buffer : column->data()->buffers) {
      if (buffer == nullptr) continue;
      EXPECT_LE(buffer->capacity(), buffer->size() + buffer->size() / 4 + 64 * 1024 + 64);
    }
  }
}

TEST(DecoderMemoryTest, ManySmallBuffersAreNotMostlySpare) {
  constexpr size_t kColumns = 200;
  std::vector<Column> columns(kColumns);
  for (size_t i = 0; i < kColumns; ++i) columns[i].name = "c" + std::to_string(i);
  auto decoder =
      *Decoder::Make(columns, {.batch_bytes_max = 256 << 10}, arrow::default_memory_pool());
  Encoder encoder;
  encoder.Header();
  for (int row = 0; row < 60; ++row) {
    encoder.BeginTuple(kColumns);
    for (size_t i = 0; i < kColumns; ++i) encoder.Text(std::string(32, 'x'));
  }
  encoder.Trailer();
  ASSERT_TRUE(decoder->Decode(encoder.Take()).ok());
  const auto batch = *decoder->TakeBatch();
  int64_t size = 0, capacity = 0;
  for (const auto& column : batch->columns()) {
    for (const auto& buffer : column->data()->buffers) {
      if (buffer == nullptr) continue;
      size += buffer->size();
      capacity += buffer->capacity();
    }
  }
  EXPECT_GT(size, 256 << 10);
  EXPECT_LE(capacity, size + size / 2);
}

TEST(DecoderMemoryTest, ReturnsWhateverAllocationFails) {
  const std::vector<uint8_t> stream = Rows(3'000);
  CountingPool counting;
  const auto decode = [&](arrow::MemoryPool* pool) -> Status {
    ARROW_ASSIGN_OR_RAISE(auto decoder, Decoder::Make(Columns(), {.batch_rows_max = 700}, pool));
    for (size_t begin = 0; begin < stream.size(); begin += 1'000) {
      const size_t size = std::min<size_t>(1'000, stream.size() - begin);
      ARROW_RETURN_NOT_OK(decoder->Decode(std::span(stream).subspan(begin, size)));
      while (decoder->BatchReady()) ARROW_RETURN_NOT_OK(decoder->TakeBatch().status());
    }
    ARROW_RETURN_NOT_OK(decoder->Finish());
    while (decoder->BatchReady()) ARROW_RETURN_NOT_OK(decoder->TakeBatch().status());
    return Status::OK();
  };
  ASSERT_TRUE(decode(&counting).ok());
  ASSERT_GT(counting.count(), 20);
  for (int64_t allowed = 0; allowed < counting.count(); ++allowed) {
    CountingPool pool(allowed);
    const Status status = decode(&pool);
    // One failure may be met a second time by the second look at a tuple; it is never lost.
    EXPECT_TRUE(status.IsOutOfMemory()) << allowed << ": " << status.ToString();
    EXPECT_EQ(pool.bytes_allocated(), 0) << allowed;
  }
}

TEST(DecoderMemoryTest, CarriesATupleOfManyMegabytesThroughSmallChunks) {
  Encoder encoder;
  encoder.Header();
  for (int row = 0; row < 2; ++row) {
    encoder.BeginTuple(1);
    encoder.Text(std::string(20'000'000, static_cast<char>('a' + row)));
  }
  encoder.Trailer();
  const std::vector<uint8_t> stream = encoder.Take();
  CountingPool pool;
  {
    auto decoder = *Decoder::Make({Column{"t", {}}}, {}, &pool);
    for (size_t begin = 0; begin < stream.size(); begin += 4'096) {
      const size_t size = std::min<size_t>(4'096, stream.size() - begin);
      ASSERT_TRUE(decoder->Decode(std::span(stream).subspan(begin, size)).ok());
    }
    ASSERT_TRUE(decoder->Finish().ok());
    for (const char letter : {'a', 'b'}) {
      const auto batch = *decoder->TakeBatch();
      ASSERT_EQ(batch->num_rows(), 1);
      EXPECT_EQ(std::static_pointer_cast<arrow::StringArray>(batch->column(0))->GetView(0),
                std::string(20'000'000, letter));
    }
    EXPECT_LT(pool.bytes_allocated(), 1'000'000);  // what was carried is given back
  }
  EXPECT_LT(pool.max_memory(), 200'000'000);
}

TEST(SinkTest, RefusesMoreBytesThanOffsetsReachWithoutTakingMemory) {
  CountingPool pool;
  Sink sink = *Sink::Make({}, true, 1'000, &pool);
  ASSERT_TRUE(sink.Reserve(10).ok());
  ASSERT_TRUE(sink.PutBytes(0, "abc", 3).ok());
  const int64_t before = pool.bytes_allocated();
  EXPECT_TRUE(sink.ReserveBytes(1, INT32_MAX - 2).IsCapacityError());
  EXPECT_TRUE(sink.PutBytes(1, nullptr, int64_t{1} << 40).IsCapacityError());
  EXPECT_EQ(pool.bytes_allocated(), before);
}

}  // namespace
}  // namespace levada::pgcopy
