// Rows a second of the decoder alone, on one core: bytes as COPY sends them, made by our encoder
// with TPC-H's value distributions. The chunks are either one tuple each, as CopyData messages
// carry them, or 64 KiB of whatever comes.

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "formats/pgcopy/decoder.h"
#include "formats/pgcopy/encoder.h"

namespace levada::pgcopy {
namespace {

constexpr int64_t kRows = 64 * 1024;

struct Stream {
  std::vector<Column> columns;
  std::vector<uint8_t> bytes;
  std::vector<size_t> ends;  // of the header, each tuple, the trailer
};

ColumnType Of(ValueKind kind) {
  ColumnType type;
  type.kind = kind;
  type.nullable = false;
  return type;
}

ColumnType Money() {
  ColumnType type = Of(ValueKind::kNumeric);
  type.numeric = NumericBounds{15, 2};
  return type;
}

std::string Cents(int64_t cents) {
  std::string text = std::to_string(cents / 100) + ".";
  return text + static_cast<char>('0' + cents / 10 % 10) + static_cast<char>('0' + cents % 10);
}

std::string Padded(std::string text, size_t width) {
  text.resize(width, ' ');
  return text;
}

void End(Stream& stream, const Encoder& encoder) { stream.ends.push_back(encoder.bytes().size()); }

Stream Lineitem() {
  Stream stream;
  for (const char* name : {"orderkey", "partkey", "suppkey"}) {
    stream.columns.push_back({name, Of(ValueKind::kInt8)});
  }
  stream.columns.push_back({"linenumber", Of(ValueKind::kInt4)});
  for (const char* name : {"quantity", "extendedprice", "discount", "tax"}) {
    stream.columns.push_back({name, Money()});
  }
  for (const char* name : {"returnflag", "linestatus"}) {
    stream.columns.push_back({name, Of(ValueKind::kText)});
  }
  for (const char* name : {"shipdate", "commitdate", "receiptdate"}) {
    stream.columns.push_back({name, Of(ValueKind::kDate)});
  }
  for (const char* name : {"shipinstruct", "shipmode", "comment"}) {
    stream.columns.push_back({name, Of(ValueKind::kText)});
  }
  const char* const instructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                      "TAKE BACK RETURN"};
  const char* const modes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
  std::string words;
  while (words.size() < 4096) words += "carefully final deposits sleep furiously above the ";

  std::mt19937_64 random(1);
  Encoder encoder;
  encoder.Header();
  End(stream, encoder);
  for (int64_t row = 0; row < kRows; ++row) {
    const int64_t quantity = 1 + static_cast<int64_t>(random() % 50);
    const int64_t part = 1 + static_cast<int64_t>(random() % 200'000);
    const int64_t price = quantity * (90'000 + part / 10 % 20'001 + 100 * (part % 1'000));
    const int32_t day = 8'036 + static_cast<int32_t>(random() % 2'526);
    encoder.BeginTuple(16);
    encoder.Int8(row / 4 * 8 % 6'000'000);
    encoder.Int8(part);
    encoder.Int8(1 + static_cast<int64_t>(random() % 10'000));
    encoder.Int4(1 + static_cast<int32_t>(row % 7));
    (void)encoder.Numeric(std::to_string(quantity) + ".00");
    (void)encoder.Numeric(Cents(price));
    (void)encoder.Numeric(Cents(static_cast<int64_t>(random() % 11)));
    (void)encoder.Numeric(Cents(static_cast<int64_t>(random() % 9)));
    encoder.Text(std::string_view("RAN" + random() % 3, 1));
    encoder.Text(std::string_view("OF" + random() % 2, 1));
    (void)encoder.Date(day);
    (void)encoder.Date(day + static_cast<int32_t>(random() % 60) - 30);
    (void)encoder.Date(day + 1 + static_cast<int32_t>(random() % 30));
    encoder.Text(Padded(instructions[random() % 4], 25));
    encoder.Text(Padded(modes[random() % 7], 10));
    encoder.Text(std::string_view(words).substr(random() % 4'000, 10 + random() % 34));
    End(stream, encoder);
  }
  encoder.Trailer();
  End(stream, encoder);
  stream.bytes = encoder.Take();
  return stream;
}

Stream Narrow() {
  Stream stream;
  stream.columns = {{"id", Of(ValueKind::kInt8)},
                    {"account", Of(ValueKind::kInt4)},
                    {"at", Of(ValueKind::kTimestamptz)},
                    {"amount", Of(ValueKind::kFloat8)},
                    {"paid", Of(ValueKind::kBool)}};
  std::mt19937_64 random(2);
  Encoder encoder;
  encoder.Header();
  End(stream, encoder);
  for (int64_t row = 0; row < kRows; ++row) {
    encoder.BeginTuple(5);
    encoder.Int8(row);
    encoder.Int4(static_cast<int32_t>(random() % 100'000));
    (void)encoder.Timestamp(1'795'000'000'000'000 + static_cast<int64_t>(random() % 1'000'000'000));
    encoder.Float8(static_cast<double>(random() % 1'000'000) / 100);
    encoder.Bool(random() % 2 == 0);
    End(stream, encoder);
  }
  encoder.Trailer();
  End(stream, encoder);
  stream.bytes = encoder.Take();
  return stream;
}

/// Nullable columns, half of them NULL, and the kinds off the common way.
Stream Events() {
  Stream stream;
  stream.columns = {{"id", Of(ValueKind::kUuid)},
                    {"at", Of(ValueKind::kTimestamptz)},
                    {"payload", Of(ValueKind::kJsonb)},
                    {"note", Of(ValueKind::kText)},
                    {"score", Of(ValueKind::kInt4)}};
  for (Column& column : stream.columns) column.type.nullable = true;
  std::mt19937_64 random(3);
  Encoder encoder;
  encoder.Header();
  End(stream, encoder);
  std::array<uint8_t, 16> uuid{};
  for (int64_t row = 0; row < kRows; ++row) {
    for (uint8_t& byte : uuid) byte = static_cast<uint8_t>(random());
    encoder.BeginTuple(5);
    encoder.Uuid(uuid);
    (void)encoder.Timestamp(1'795'000'000'000'000 + row);
    encoder.Jsonb("{\"kind\": \"click\", \"x\": " + std::to_string(random() % 1'000) + "}");
    random() % 2 == 0 ? encoder.Null() : encoder.Text("żółć i jaźń");
    random() % 2 == 0 ? encoder.Null() : encoder.Int4(7);
    End(stream, encoder);
  }
  encoder.Trailer();
  End(stream, encoder);
  stream.bytes = encoder.Take();
  return stream;
}

void Require(const Status& status) {
  if (!status.ok()) status.Abort();
}

void Run(benchmark::State& state, const Stream& stream, const DecoderOptions& options) {
  const bool by_tuple = state.range(0) == 0;
  std::vector<std::span<const uint8_t>> chunks;
  const std::span<const uint8_t> bytes(stream.bytes);
  if (by_tuple) {
    size_t begin = 0;
    for (const size_t end : stream.ends) {
      chunks.push_back(bytes.subspan(begin, end - begin));
      begin = end;
    }
  } else {
    const size_t size = static_cast<size_t>(state.range(0));
    chunks.reserve(bytes.size() / size + 1);
    for (size_t begin = 0; begin < bytes.size(); begin += size) {
      chunks.push_back(bytes.subspan(begin, std::min(size, bytes.size() - begin)));
    }
  }
  for (auto _ : state) {
    auto decoder =
        Decoder::Make(stream.columns, options, arrow::default_memory_pool()).ValueOrDie();
    for (const std::span<const uint8_t> chunk : chunks) {
      Require(decoder->Decode(chunk));
      if (decoder->BatchReady()) benchmark::DoNotOptimize(decoder->TakeBatch().ValueOrDie());
    }
    Require(decoder->Finish());
    while (decoder->BatchReady()) benchmark::DoNotOptimize(decoder->TakeBatch().ValueOrDie());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(stream.bytes.size()));
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["ns_per_row"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kRows) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

DecoderOptions Options(int64_t rows, bool validate) {
  DecoderOptions options;
  options.batch_rows_max = rows;
  options.validate_utf8 = validate;
  return options;
}

void LineitemTrusted(benchmark::State& state) {
  static const Stream stream = Lineitem();
  Run(state, stream, Options(state.range(1), false));
}
void LineitemValidated(benchmark::State& state) {
  static const Stream stream = Lineitem();
  Run(state, stream, Options(state.range(1), true));
}
void NarrowRows(benchmark::State& state) {
  static const Stream stream = Narrow();
  Run(state, stream, Options(state.range(1), true));
}
void EventRows(benchmark::State& state) {
  static const Stream stream = Events();
  Run(state, stream, Options(state.range(1), true));
}

#define LEVADA_SHAPES         \
  ArgNames({"chunk", "rows"}) \
      ->Args({0, 8192})       \
      ->Args({0, 1024})       \
      ->Args({0, 65536})      \
      ->Args({65536, 8192})
BENCHMARK(LineitemTrusted)->LEVADA_SHAPES;
BENCHMARK(LineitemValidated)->LEVADA_SHAPES;
BENCHMARK(NarrowRows)->LEVADA_SHAPES;
BENCHMARK(EventRows)->LEVADA_SHAPES;

}  // namespace
}  // namespace levada::pgcopy
