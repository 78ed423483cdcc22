// What may stand at the top of a pipeline file.

#include "elt/plan.h"

namespace levada::elt {
namespace {

OptionSpec RunOptions() {
  OptionSpec run{
      .name = "run",
      .type = OptionType::kGroup,
      .doc = "how the table is cut into runs; without it each run writes the whole table",
      .example = "{ every: day, column: created_at, start: 2026-01-01 }",
      .shorthand = "mode"};
  run.fields = {
      {.name = "mode",
       .type = OptionType::kChoice,
       .doc = "once: the whole table, published once and then skipped; short form: `run: once`. "
              "incremental: each run appends the rows that came since the one before",
       .choices = {"once", "incremental"},
       .example = "once"},
      {.name = "every",
       .type = OptionType::kChoice,
       .doc = "length of a window, in the time zone of the pipeline",
       .choices = {"month", "day", "hour"},
       .example = "day"},
      {.name = "column",
       .doc = "the date or timestamp column that decides a row's window; of mode: incremental the "
              "column that only grows, a whole number or a time",
       .example = "created_at"},
      {.name = "after",
       .doc = "of mode: incremental: the first run reads the rows whose column is greater; without "
              "it all rows",
       .example = "2026-01-01"},
      {.name = "lag",
       .doc = "of mode: incremental: rows this close to the newest wait for the next run, because "
              "some below them may not be there yet: a duration, or a number for a whole number",
       .example = "5m"},
      {.name = "start",
       .doc = "start of the first window; required with every",
       .example = "2026-01-01"},
      {.name = "end",
       .doc = "no window starts at or after it; without it windows go on, up to 20,000",
       .example = "2027-01-01"},
      {.name = "timezone",
       .doc = "IANA time zone in which windows start and end",
       .default_text = "UTC",
       .example = "Europe/Lisbon"},
      {.name = "delay",
       .type = OptionType::kDuration,
       .doc = "a window is run this long after its end, so that late rows are in it",
       .default_text = "0s",
       .example = "2h"},
      {.name = "lookback",
       .type = OptionType::kInteger,
       .doc = "the last n closed windows are run again each time",
       .default_text = "0",
       .max = 1000,
       .example = "3"},
      {.name = "null",
       .doc = "rows whose column is NULL or infinite: error, or the window that takes them",
       .default_text = "error",
       .example = "2026-01-01"},
  };
  return run;
}

OptionSpec ParallelOptions() {
  OptionSpec parallel{.name = "parallel",
                      .type = OptionType::kGroup,
                      .doc = "how much runs at once",
                      .runtime = true,
                      .example = "{ partitions: 2 }",
                      .shorthand = "partitions"};
  parallel.fields = {
      {.name = "partitions",
       .type = OptionType::kInteger,
       .doc = "partitions of one run at once; by default from processors and memory",
       .min = 1,
       .max = 256,
       .example = "2"},
      {.name = "windows",
       .type = OptionType::kInteger,
       .doc = "windows at once",
       .default_text = "1",
       .min = 1,
       .max = 64,
       .example = "2"},
      {.name = "transform",
       .type = OptionType::kInteger,
       .doc = "threads for the transformers of one connection; rows keep their order",
       .default_text = "1",
       .min = 1,
       .max = 64,
       .example = "2"},
  };
  return parallel;
}

OptionSpec RetryOptions() {
  OptionSpec retry{.name = "retry",
                   .type = OptionType::kGroup,
                   .doc = "what happens after a failure that may pass, for each partition",
                   .runtime = true,
                   .example = "{ attempts: 3 }"};
  retry.fields = {
      {.name = "attempts",
       .type = OptionType::kInteger,
       .doc = "tries, the first included",
       .default_text = "5",
       .min = 1,
       .max = 100,
       .example = "3"},
      {.name = "backoff",
       .type = OptionType::kDuration,
       .doc = "wait before the second try; doubles with each further one",
       .default_text = "1s",
       .example = "5s"},
      {.name = "backoff_max",
       .type = OptionType::kDuration,
       .doc = "longest wait between two tries",
       .default_text = "1m",
       .example = "2m"},
      {.name = "deadline",
       .type = OptionType::kDuration,
       .doc = "the whole run gives up after this; 0s: never",
       .default_text = "0s",
       .example = "6h"},
  };
  return retry;
}

OptionSpec MakePipelineSpec() {
  OptionSpec pipeline{
      .name = "pipeline",
      .type = OptionType::kGroup,
      .doc = "a pipeline file: one consumer, any transformers, one or more loaders"};
  pipeline.fields = {
      {.name = "name",
       .doc = "names the pipeline in targets, reports and the ledger",
       .required = true,
       .example = "orders"},
      {.name = "tags",
       .type = OptionType::kList,
       .doc = "words by which commands select pipelines: levada run DIR --tag hourly",
       .runtime = true,
       .example = "[hourly, finance]",
       .fields = {{.name = "tag", .doc = "a word"}}},
      {.name = "defaults",
       .doc = "a file beside this one with what many pipelines have in common",
       .runtime = true,
       .example = "../defaults.yaml"},
      RunOptions(),
      {.name = "consumer",
       .type = OptionType::kMap,
       .doc = "where rows come from: exactly one kind",
       .required = true,
       .example = "{ postgres: { ... } }"},
      {.name = "transformers",
       .type = OptionType::kList,
       .doc = "what happens to the rows, in this order",
       .example = "[{ rename: { id: order_id } }]"},
      {.name = "loaders",
       .type = OptionType::kList,
       .doc = "where rows go; several are published in this order",
       .required = true,
       .example = "[{ parquet: { path: ./lake/orders } }]"},
      ParallelOptions(),
      {.name = "memory",
       .type = OptionType::kBytes,
       .doc = "budget of the whole process; --memory overrides it",
       .runtime = true,
       .min = 1 << 20,
       .example = "256MiB"},
      {.name = "partition_bytes",
       .type = OptionType::kBytes,
       .doc = "a table larger than this is split into partitions",
       .default_text = "8GiB",
       .min = 1 << 20,
       .example = "2GiB"},
      {.name = "verify",
       .type = OptionType::kChoice,
       .doc = "count: rows sent, decoded and written are equal; readback: the files are read again "
              "and compared by hash",
       .default_text = "count",
       .runtime = true,
       .choices = {"count", "readback"},
       .example = "readback"},
      RetryOptions(),
  };
  return pipeline;
}

}  // namespace

const OptionSpec& PipelineSpec() {
  static const OptionSpec kSpec = MakePipelineSpec();
  return kSpec;
}

}  // namespace levada::elt
