// The price of a cast per value: the pairs that pipelines have most, a batch at a time.

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "conversions/column_cast.h"
#include "elt/type_name.h"

namespace levada::conversions {
namespace {

constexpr int64_t kRows = 16 * 1024;

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> Column(Builder&& builder, Make&& make) {
  std::mt19937_64 random(7);
  for (int64_t i = 0; i < kRows; ++i) {
    const auto appended = i % 10 == 0 ? builder.AppendNull() : builder.Append(make(random));
    if (!appended.ok()) std::abort();
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Source(const std::string& kind) {
  if (kind == "int64") {
    return Column(arrow::Int64Builder(), [](auto& random) { return int64_t(random() % 100); });
  }
  if (kind == "float64") {
    return Column(arrow::DoubleBuilder(),
                  [](auto& random) { return double(random() % 10'000'000) / 100; });
  }
  if (kind == "decimal") {
    return Column(arrow::Decimal128Builder(arrow::decimal128(15, 2)),
                  [](auto& random) { return arrow::Decimal128(random() % 10'000'000); });
  }
  if (kind == "price") {
    return Column(arrow::StringBuilder(), [](auto& random) {
      return std::to_string(random() % 100'000) + "." + std::to_string(10 + random() % 90);
    });
  }
  if (kind == "day") {
    return Column(arrow::StringBuilder(),
                  [](auto& random) { return "2026-01-" + std::to_string(10 + random() % 20); });
  }
  return Column(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO),
                                        arrow::default_memory_pool()),
                [](auto& random) { return int64_t(random() % 1'700'000'000) * 1'000'000; });
}

void Cast(benchmark::State& state, const std::string& kind, const std::string& to) {
  const auto array = Source(kind);
  CastTarget target;
  target.type = elt::ParseTypeName(to).ValueOrDie();
  const auto cast = MakeColumnCast(array->type(), target).ValueOrDie();
  for (auto _ : state) {
    auto column = cast->Convert(array, arrow::default_memory_pool());
    if (!column.ok() || !column->failures.empty()) std::abort();
    benchmark::DoNotOptimize(column->values);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK_CAPTURE(Cast, IntegerToInt8, "int64", "int8");
BENCHMARK_CAPTURE(Cast, IntegerToDecimal, "int64", "decimal(18,2)");
BENCHMARK_CAPTURE(Cast, IntegerToText, "int64", "text");
BENCHMARK_CAPTURE(Cast, FloatToDecimal, "float64", "decimal(18,2)");
BENCHMARK_CAPTURE(Cast, DecimalToDecimal, "decimal", "decimal(18,4)");
BENCHMARK_CAPTURE(Cast, DecimalToFloat, "decimal", "float64");
BENCHMARK_CAPTURE(Cast, TextToDecimal, "price", "decimal(18,2)");
BENCHMARK_CAPTURE(Cast, TextToDate, "day", "date");
BENCHMARK_CAPTURE(Cast, TimestampToSeconds, "timestamp", "timestamp(s)");

}  // namespace
}  // namespace levada::conversions
