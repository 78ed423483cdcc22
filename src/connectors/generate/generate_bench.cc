// What a table costs as a source: rows of each preset made in batches of the usual limits and
// dropped. One core.

#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>

#include <memory>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "connectors/generate/preset_tables.h"
#include "connectors/generate/row_stream.h"

namespace levada::generate {
namespace {

void MakeRows(benchmark::State& state, const char* name) {
  Counters counters;
  BudgetPool pool(0);
  const auto clock = MakeSystemClock();
  Context ctx;
  ctx.pool = &pool;
  ctx.counters = &counters;
  ctx.clock = clock.get();
  const auto table =
      std::make_shared<const GeneratedTable>(name, kRowsMax, 7, PresetColumns(name, 7));
  const auto stream = MakeRowStream(ctx, table, {0, kRowsMax}, {});
  int64_t rows = 0;
  for (auto _ : state) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (!stream->ReadNext(&batch).ok()) {
      state.SkipWithError("no batch");
      return;
    }
    rows += batch->num_rows();
  }
  state.SetItemsProcessed(rows);
  state.SetBytesProcessed(table->EstimatedBytes(rows));
}
BENCHMARK_CAPTURE(MakeRows, lineitem, "lineitem");
BENCHMARK_CAPTURE(MakeRows, events, "events");
BENCHMARK_CAPTURE(MakeRows, narrow, "narrow");
BENCHMARK_CAPTURE(MakeRows, wide_500, "wide-500");

}  // namespace
}  // namespace levada::generate
