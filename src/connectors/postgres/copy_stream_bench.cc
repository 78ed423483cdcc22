// From a server's COPY to Arrow batches that are dropped: what reading costs without any loader,
// for bench/p2_copy_to_arrow.py. LEVADA_BENCH_DSN and LEVADA_BENCH_TABLE name the server and a
// table. The reading is the product's own: the consumer's statements, its session, its batch
// limits.

#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "connectors/postgres/postgres_consumer.h"
#include "elt/value.h"

namespace levada::postgres {
namespace {

struct Cpu {
  double user_s = 0;
  double system_s = 0;
};

Cpu CpuOfProcess() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

Result<ConsumerOptions> OptionsOf(const std::string& table) {
  auto source = std::make_shared<SourceText>(
      SourceText{"bench.yaml", "dsn: ${env:LEVADA_BENCH_DSN}\ntable: " + table});
  ARROW_ASSIGN_OR_RAISE(const elt::Value value, elt::ParseYaml(source));
  auto environment = std::make_shared<elt::Environment>();
  environment->variable = [](const std::string& name) -> std::optional<std::string> {
    const char* text = std::getenv(name.c_str());  // tidy: allow a bench has no plan
    return text == nullptr ? std::nullopt : std::make_optional<std::string>(text);
  };
  std::vector<Diagnostic> problems;
  const elt::Options options =
      elt::ValidateOptions(ConsumerSpec(), value, "the bench", source, environment, problems);
  if (!problems.empty()) return Fault(problems[0].code, problems[0].message).At(problems);
  return ReadConsumerOptions(options, false);
}

/// Reads everything once; the rows the stream's end vouches for.
Result<int64_t> ReadTable(Context& ctx, const PostgresConsumer& consumer) {
  const elt::RunInstance run;
  ARROW_ASSIGN_OR_RAISE(const elt::Source source, consumer.Describe(ctx));
  ARROW_ASSIGN_OR_RAISE(const auto partitions, consumer.Split(ctx, run, source, {}));
  int64_t rows = 0;
  for (const elt::Partition& partition : partitions) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, consumer.Open(ctx, run, partition, source, {}));
    for (const elt::Slice& slice : partition.slices) {
      ARROW_ASSIGN_OR_RAISE(const auto stream, reader->Read(ctx, slice.index));
      std::shared_ptr<arrow::RecordBatch> batch;
      do {
        ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
      } while (batch != nullptr);
      ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream->Finish());
      rows += end.rows_read;
    }
  }
  return rows;
}

void CopyToArrow(benchmark::State& state) {
  const char* table = std::getenv("LEVADA_BENCH_TABLE");  // tidy: allow a bench has no plan
  if (table == nullptr) {
    state.SkipWithError("LEVADA_BENCH_DSN and LEVADA_BENCH_TABLE are not set");
    return;
  }
  Counters counters;
  BudgetPool pool(0);
  Context ctx;
  ctx.pool = &pool;
  ctx.counters = &counters;
  const auto clock = MakeSystemClock();
  ctx.clock = clock.get();
  const auto log = MakeNullLogger();
  ctx.log = log.get();
  const Failpoints failpoints;
  ctx.failpoints = &failpoints;
  int64_t rows = 0;
  const Cpu before = CpuOfProcess();
  for (auto _ : state) {
    auto options = OptionsOf(table);
    const auto read = options.ok() ? ReadTable(ctx, PostgresConsumer(std::move(*options)))
                                   : Result<int64_t>(options.status());
    if (!read.ok()) {
      state.SkipWithError(read.status().ToString().c_str());
      return;
    }
    rows += *read;
  }
  const Cpu after = CpuOfProcess();
  state.SetItemsProcessed(rows);
  state.counters["rows"] = static_cast<double>(rows);
  state.counters["user_s"] = after.user_s - before.user_s;
  state.counters["system_s"] = after.system_s - before.system_s;
}
BENCHMARK(CopyToArrow)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

}  // namespace
}  // namespace levada::postgres
