// What receiving costs the client. LEVADA_BENCH_DSN and LEVADA_BENCH_TABLE name a server and a
// table of some millions of rows; compare with
//     time psql "$LEVADA_BENCH_DSN" -c "copy $LEVADA_BENCH_TABLE to stdout (format binary)"
//     >/dev/null

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdlib>

#include "base/counters.h"
#include "base/memory.h"
#include "connectors/postgres/copy_out.h"

namespace levada::postgres {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int64_t Drain(CopyOut& copy) {
  int64_t bytes = 0;
  while (true) {
    for (auto row = copy.NextBuffered(); row.data() != nullptr; row = copy.NextBuffered()) {
      bytes += static_cast<int64_t>(row.size());
    }
    if (!copy.Fill().ValueOrDie()) return bytes;
  }
}

void ReceiveOnly(benchmark::State& state) {
  const char* dsn = std::getenv("LEVADA_BENCH_DSN");      // tidy: allow a bench has no plan
  const char* table = std::getenv("LEVADA_BENCH_TABLE");  // tidy: allow as above
  if (dsn == nullptr || table == nullptr) {
    state.SkipWithError("LEVADA_BENCH_DSN and LEVADA_BENCH_TABLE are not set");
    return;
  }
  Counters counters;
  BudgetPool pool(0);
  Context ctx;
  ctx.pool = &pool;
  ctx.counters = &counters;
  int64_t bytes = 0;
  int64_t rows = 0;
  const double before = CpuSeconds();
  for (auto _ : state) {
    auto connection = pq::Connection::Open(ctx, {Secret(dsn), {}}).ValueOrDie();
    auto copy = CopyOut::Start(ctx, std::move(connection),
                               std::string("copy ") + table + " to stdout (format binary)", "bench")
                    .ValueOrDie();
    bytes += Drain(*copy);
    rows += copy->rows_sent();
  }
  state.SetBytesProcessed(bytes);
  state.SetItemsProcessed(rows);
  state.counters["client_cpu_us_per_row"] =
      (CpuSeconds() - before) * 1e6 / static_cast<double>(rows);
}
BENCHMARK(ReceiveOnly)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

}  // namespace
}  // namespace levada::postgres
