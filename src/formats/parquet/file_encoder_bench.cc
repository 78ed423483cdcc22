// Rows a second of the encoder alone, on one core, and its peak of memory: batches as the Postgres
// consumer makes them, options as they are chosen from pg_stats, bytes thrown away. The tables are
// those of the whole-run benchmarks: TPC-H lineitem, events, and ten fixed-width columns.

#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "formats/parquet/encode_options.h"
#include "formats/parquet/file_encoder.h"

namespace levada::parquet_format {
namespace {

using arrow::field;

constexpr int64_t kBatchRows = 16 * 1024;
constexpr int64_t kBatches = 32;

struct Table {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<ColumnHint> hints;
  int64_t rows = 0;  ///< that the hints speak of
  arrow::RecordBatchVector batches;
};

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> Column(Builder builder, Make make) {
  for (int64_t i = 0; i < kBatchRows; ++i) {
    if (!make(builder, i).ok()) std::abort();
  }
  return builder.Finish().ValueOrDie();
}

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> Values(Builder builder, Make make) {
  return Column(std::move(builder), [&](Builder& to, int64_t i) { return to.Append(make(i)); });
}

std::string Padded(std::string text, size_t width) {
  text.resize(width, ' ');
  return text;
}

std::string Words() {
  static constexpr const char* kWords[] = {
      "carefully", "furiously", "quickly", "deposits", "requests", "accounts",    "packages",
      "pending",   "final",     "express", "regular",  "ironic",   "special",     "unusual",
      "sleep",     "haggle",    "nag",     "wake",     "above",    "across",      "the",
      "along",     "slyly",     "bold",    "even",     "silent",   "theodolites", "foxes"};
  std::mt19937_64 random(5);
  std::string words;
  while (words.size() < (1 << 20)) {
    words += kWords[random() % std::size(kWords)];
    words += random() % 9 == 0 ? ". " : " ";
  }
  return words;
}

/// Schema and hints; the rows follow.
Table LineitemShape() {
  Table table;
  const auto money = arrow::decimal128(15, 2);
  const auto of = [](const char* name, std::shared_ptr<arrow::DataType> type) {
    return field(name, std::move(type), false);
  };
  table.schema = arrow::schema(
      {of("orderkey", arrow::int64()), of("partkey", arrow::int64()), of("suppkey", arrow::int64()),
       of("linenumber", arrow::int32()), of("quantity", money), of("extendedprice", money),
       of("discount", money), of("tax", money), of("returnflag", arrow::utf8()),
       of("linestatus", arrow::utf8()), of("shipdate", arrow::date32()),
       of("commitdate", arrow::date32()), of("receiptdate", arrow::date32()),
       of("shipinstruct", arrow::utf8()), of("shipmode", arrow::utf8()),
       of("comment", arrow::utf8())});
  table.rows = 6'001'215;
  table.hints = {{1'500'000}, {200'000},      {10'000}, {7},     {50},    {933'900}, {11},
                 {9},         {3, 1},         {2, 1},   {2'526}, {2'466}, {2'554},   {4, 25},
                 {7, 10},     {4'500'000, 27}};
  return table;
}

Table Lineitem() {
  Table table = LineitemShape();
  static constexpr const char* kInstructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                                  "TAKE BACK RETURN"};
  static constexpr const char* kModes[] = {"REG AIR", "AIR",  "RAIL", "SHIP",
                                           "TRUCK",   "MAIL", "FOB"};
  const std::string words = Words();
  std::mt19937_64 random(7);
  int64_t order = 1;
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    std::vector<int64_t> orders, lines, quantity, part, day;
    while (static_cast<int64_t>(orders.size()) < kBatchRows) {
      const int64_t of_order = 1 + static_cast<int64_t>(random() % 7);
      const int64_t ordered = 8'036 + static_cast<int64_t>(random() % 2'405);
      for (int64_t line = 1; line <= of_order; ++line) {
        orders.push_back(order);
        lines.push_back(line);
        quantity.push_back(1 + static_cast<int64_t>(random() % 50));
        part.push_back(1 + static_cast<int64_t>(random() % 200'000));
        day.push_back(ordered + 1 + static_cast<int64_t>(random() % 121));
      }
      order += order % 8 == 7 ? 25 : 1;
    }
    const auto below = [&](int64_t limit) { return static_cast<int64_t>(random() % limit); };
    const auto decimals = [&](auto make) {
      return Values(arrow::Decimal128Builder(table.schema->field(4)->type()),
                    [&](int64_t i) { return arrow::Decimal128(make(i)); });
    };
    const auto days = [&](auto make) {
      return Values(arrow::Date32Builder(),
                    [&](int64_t i) { return static_cast<int32_t>(make(i)); });
    };
    arrow::ArrayVector columns = {
        Values(arrow::Int64Builder(), [&](int64_t i) { return orders[i]; }),
        Values(arrow::Int64Builder(), [&](int64_t i) { return part[i]; }),
        Values(arrow::Int64Builder(), [&](int64_t) { return 1 + below(10'000); }),
        Values(arrow::Int32Builder(), [&](int64_t i) { return static_cast<int32_t>(lines[i]); }),
        decimals([&](int64_t i) { return quantity[i] * 100; }),
        decimals([&](int64_t i) {
          return quantity[i] * (90'000 + part[i] / 10 % 20'001 + 100 * (part[i] % 1'000));
        }),
        decimals([&](int64_t) { return below(11); }),
        decimals([&](int64_t) { return below(9); }),
        Values(arrow::StringBuilder(), [&](int64_t) { return std::string(1, "RAN"[below(3)]); }),
        Values(arrow::StringBuilder(), [&](int64_t) { return std::string(1, "OF"[below(2)]); }),
        days([&](int64_t i) { return day[i]; }),
        days([&](int64_t i) { return day[i] + below(60) - 30; }),
        days([&](int64_t i) { return day[i] + 1 + below(30); }),
        Values(arrow::StringBuilder(),
               [&](int64_t) { return Padded(kInstructions[below(4)], 25); }),
        Values(arrow::StringBuilder(), [&](int64_t) { return Padded(kModes[below(7)], 10); }),
        Values(arrow::StringBuilder(),
               [&](int64_t) { return words.substr(below(1'000'000), 10 + below(34)); }),
    };
    table.batches.push_back(arrow::RecordBatch::Make(table.schema, kBatchRows, columns));
  }
  return table;
}

Table Events() {
  Table table;
  table.schema =
      arrow::schema({field("id", arrow::int64(), false),
                     field("created_at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
                     field("user_id", arrow::int32(), false), field("action", arrow::utf8(), false),
                     field("amount", arrow::float64()), field("session_id", arrow::utf8()),
                     field("is_mobile", arrow::boolean()), field("props", arrow::utf8())});
  table.rows = 10'000'000;
  table.hints = {{1e7},           {1e7},           {1e6},         {1e7, 22},
                 {1e7, -1, 0.02}, {1e7, 36, 0.01}, {2, -1, 0.03}, {14'000, 36, 0.05}};
  static constexpr const char* kActions[] = {"page_view_", "add_to_cart_", "checkout_",
                                             "login_ok_",  "search_q_",    "click_btn_"};
  std::mt19937_64 random(8);
  const auto hex = [&](int digits) {
    std::string text;
    while (static_cast<int>(text.size()) < digits) text += "0123456789abcdef"[random() % 16];
    return text;
  };
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    const int64_t first = 1 + batch * kBatchRows;
    const auto texts = [&](int64_t null_every, auto make) {
      return Column(arrow::StringBuilder(), [=](arrow::StringBuilder& to, int64_t i) {
        return (first + i) % null_every == 0 ? to.AppendNull() : to.Append(make(first + i));
      });
    };
    arrow::ArrayVector columns = {
        Values(arrow::Int64Builder(), [&](int64_t i) { return first + i; }),
        Values(
            arrow::TimestampBuilder(table.schema->field(1)->type(), arrow::default_memory_pool()),
            [&](int64_t i) {
              return 1'704'067'200'000'000 + (first + i) * 3'137'000 +
                     static_cast<int64_t>(random() % 1'000'000);
            }),
        Values(arrow::Int32Builder(),
               [&](int64_t) { return static_cast<int32_t>(random() % 1'000'000); }),
        texts(1 << 30, [&](int64_t g) { return kActions[g % 6] + hex(11); }),
        Column(arrow::DoubleBuilder(),
               [&](arrow::DoubleBuilder& to, int64_t i) {
                 const double value = static_cast<double>(random() % (1ull << 53)) / (1ull << 53);
                 return (first + i) % 50 == 0 ? to.AppendNull() : to.Append(value * 10'000);
               }),
        texts(97,
              [&](int64_t) {
                return hex(8) + "-" + hex(4) + "-" + hex(4) + "-" + hex(4) + "-" + hex(12);
              }),
        Column(arrow::BooleanBuilder(),
               [&](arrow::BooleanBuilder& to, int64_t i) {
                 return (first + i) % 31 == 0 ? to.AppendNull() : to.Append((first + i) % 3 == 0);
               }),
        texts(20,
              [&](int64_t g) {
                return "{\"b\": " + std::to_string(g % 10) +
                       ", \"f\": " + (g % 7 == 0 ? "true" : "false") + ", \"k\": \"v" +
                       std::to_string(g % 1000) + "\"}";
              }),
    };
    table.batches.push_back(arrow::RecordBatch::Make(table.schema, kBatchRows, columns));
  }
  return table;
}

Table Narrow() {
  Table table;
  table.schema =
      arrow::schema({field("id", arrow::int64(), false), field("a", arrow::int32(), false),
                     field("b", arrow::float64(), false),
                     field("c", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
                     field("d", arrow::boolean(), false)});
  table.rows = 10'000'000;
  table.hints = {{1e7}, {1e6}, {1e7}, {1e7}, {2}};
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    const int64_t first = 1 + batch * kBatchRows;
    arrow::ArrayVector columns = {
        Values(arrow::Int64Builder(), [&](int64_t i) { return first + i; }),
        Values(arrow::Int32Builder(),
               [&](int64_t i) { return static_cast<int32_t>((first + i) * 7919 % 1'000'003); }),
        Values(arrow::DoubleBuilder(),
               [&](int64_t i) { return static_cast<double>(first + i) / 7; }),
        Values(
            arrow::TimestampBuilder(table.schema->field(3)->type(), arrow::default_memory_pool()),
            [&](int64_t i) { return 1'704'067'200'000'000 + (first + i) * 1'000'000; }),
        Values(arrow::BooleanBuilder(), [&](int64_t i) { return (first + i) % 3 == 0; }),
    };
    table.batches.push_back(arrow::RecordBatch::Make(table.schema, kBatchRows, columns));
  }
  return table;
}

class Nowhere final : public arrow::io::OutputStream {
 public:
  Status Close() override { return Status::OK(); }
  Result<int64_t> Tell() const override { return at_; }
  bool closed() const override { return false; }
  Status Write(const void*, int64_t size) override {
    at_ += size;
    return Status::OK();
  }
  using arrow::io::OutputStream::Write;

 private:
  int64_t at_ = 0;
};

/// As the program does: jemalloc's pool measured the least memory.
arrow::MemoryPool* Pool() {
  arrow::MemoryPool* pool = nullptr;
  return arrow::jemalloc_memory_pool(&pool).ok() ? pool : arrow::default_memory_pool();
}

void Encode(benchmark::State& state, const Table& table, Codec codec, bool with_hints) {
  EncodeOverrides overrides;
  overrides.codec = codec;
  const auto hints = with_hints ? table.hints : std::vector<ColumnHint>();
  const EncodeOptions options =
      ChooseOptions(*table.schema, hints, with_hints ? table.rows : -1, overrides).ValueOrDie();
  arrow::ProxyMemoryPool pool(Pool());
  int64_t bytes = 0;
  for (auto _ : state) {
    EncodeEnvironment environment;
    environment.pool = &pool;
    auto encoder =
        FileEncoder::Make(*table.schema, options, "bench", std::make_shared<Nowhere>(), environment)
            .ValueOrDie();
    for (const auto& batch : table.batches) {
      if (!encoder->Write(*batch).ok()) std::abort();
    }
    bytes = encoder->Close().ValueOrDie().bytes;
  }
  const double rows = kBatches * kBatchRows;
  state.SetItemsProcessed(state.iterations() * kBatches * kBatchRows);
  state.counters["file_bytes_per_row"] = static_cast<double>(bytes) / rows;
  state.counters["peak_MB"] = static_cast<double>(pool.max_memory()) / 1e6;
}

void EncodeLineitem(benchmark::State& state) {
  static const Table table = Lineitem();
  Encode(state, table, static_cast<Codec>(state.range(0)), state.range(1) != 0);
}
void EncodeEvents(benchmark::State& state) {
  static const Table table = Events();
  Encode(state, table, static_cast<Codec>(state.range(0)), state.range(1) != 0);
}
void EncodeNarrow(benchmark::State& state) {
  static const Table table = Narrow();
  Encode(state, table, static_cast<Codec>(state.range(0)), state.range(1) != 0);
}

constexpr auto kNone = static_cast<int64_t>(Codec::kNone);
constexpr auto kSnappy = static_cast<int64_t>(Codec::kSnappy);
constexpr auto kZstd = static_cast<int64_t>(Codec::kZstd);

BENCHMARK(EncodeLineitem)
    ->ArgNames({"codec", "hints"})
    ->Args({kZstd, 1})
    ->Args({kZstd, 0})
    ->Args({kSnappy, 1})
    ->Args({kNone, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(EncodeEvents)
    ->ArgNames({"codec", "hints"})
    ->Args({kZstd, 1})
    ->Args({kNone, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(EncodeNarrow)
    ->ArgNames({"codec", "hints"})
    ->Args({kZstd, 1})
    ->Args({kNone, 1})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace levada::parquet_format
