// The price of `verify: readback` per row: sixteen columns shaped like TPC-H lineitem.

#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <random>

#include "elt/row_hash.h"

namespace levada::elt {
namespace {

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> Column(Builder&& builder, int64_t rows, Make&& make) {
  for (int64_t i = 0; i < rows; ++i) {
    if (!builder.Append(make(i)).ok()) std::abort();
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> Lineitem(int64_t rows) {
  std::mt19937_64 random(7);
  arrow::ArrayVector columns;
  auto add_ints = [&](int count) {
    for (int c = 0; c < count; ++c) {
      columns.push_back(Column(arrow::Int64Builder(), rows,
                               [&](int64_t) { return int64_t(random() % 6000000); }));
    }
  };
  auto add_decimals = [&](int count) {
    for (int c = 0; c < count; ++c) {
      columns.push_back(Column(arrow::Decimal128Builder(arrow::decimal128(15, 2)), rows,
                               [&](int64_t) { return arrow::Decimal128(random() % 10000000); }));
    }
  };
  auto add_texts = [&](int count, size_t size) {
    for (int c = 0; c < count; ++c) {
      columns.push_back(Column(arrow::StringBuilder(), rows, [&](int64_t) {
        return std::string(size == 0 ? random() % 44 : size, char('a' + random() % 26));
      }));
    }
  };
  add_ints(4);
  add_decimals(4);
  add_texts(2, 1);
  for (int c = 0; c < 3; ++c) {
    columns.push_back(Column(arrow::Date32Builder(), rows,
                             [&](int64_t) { return int32_t(8000 + random() % 2500); }));
  }
  add_texts(1, 10);
  add_texts(1, 7);
  add_texts(1, 0);
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field("c", column->type()));
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, columns);
}

void HashLineitem(benchmark::State& state) {
  auto batch = Lineitem(16 * 1024);
  RowHasher hasher;
  for (auto _ : state) {
    if (!hasher.Update(*batch).ok()) std::abort();
    benchmark::DoNotOptimize(hasher.sum());
  }
  state.SetItemsProcessed(state.iterations() * batch->num_rows());
}
BENCHMARK(HashLineitem);

}  // namespace
}  // namespace levada::elt
