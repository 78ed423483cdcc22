#include "connectors/postgres/loader_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "connectors/postgres/postgres_options.h"
#include "elt/stage_problems.h"

namespace levada::postgres {
namespace {

using elt::OptionSpec;
using elt::OptionType;

constexpr auto kUrlOptions =
    std::to_array<std::string_view>({"table", "mode", "key", "create", "lock_timeout"});

LoadMode ModeOf(const std::string& name) {
  if (name == "append") return LoadMode::kAppend;
  return name == "upsert" ? LoadMode::kUpsert : LoadMode::kReplace;
}

}  // namespace

elt::OptionSpec LoaderSpec() {
  OptionSpec spec{.name = "postgres",
                  .type = OptionType::kGroup,
                  .doc =
                      "loads a table of PostgreSQL, each run's rows in one transaction or by "
                      "partition"};
  spec.fields = {
      {.name = "dsn",
       .doc = "postgres:// URL or libpq key=value text; left out: PG* variables and the service "
              "file",
       .secret = true,
       .example = "${env:WAREHOUSE_DSN}"},
      {.name = "table",
       .doc = "table to load, as schema.table with exact names",
       .required = true,
       .example = "public.orders"},
      {.name = "mode",
       .type = OptionType::kChoice,
       .doc = "replace: a run's rows take the place of those it had before; append: they come "
              "beside what is there; upsert: each takes the place of the row with its key",
       .default_text = "replace",
       .choices = {"replace", "append", "upsert"}},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "the columns that name a row: the primary key of a table that is created, and what "
              "upsert goes by",
       .example = "[id]",
       .fields = {{.name = "column", .doc = "a column"}}},
      {.name = "create",
       .type = OptionType::kBool,
       .doc = "create the table when there is none",
       .default_text = "true"},
      {.name = "lock_timeout",
       .type = OptionType::kDuration,
       .doc = "how long a statement waits for somebody else's lock before the attempt is repeated",
       .default_text = "1m",
       .runtime = true,
       .example = "10s"},
      {.name = "connect_timeout",
       .type = OptionType::kDuration,
       .doc = "for a connection to be made, over all hosts; left out: the dsn's for each, else 10s",
       .runtime = true,
       .example = "10s"},
  };
  return spec;
}

Result<LoaderOptions> ReadLoaderOptions(const elt::Options& options) {
  LoaderOptions read;
  read.written = options;
  std::vector<Diagnostic> problems;
  const auto refuse = [&](std::string_view option, FaultCode code, std::string message,
                          std::string help) {
    problems.push_back(options.ErrorAt(option, code, std::move(message), std::move(help)));
  };
  Result<TableName> table = ParseTableName(options.Text("table"));
  if (table.ok()) {
    read.table = *std::move(table);
  } else {
    const Fault fault = FaultOf(table.status());
    refuse("table", fault.code(), fault.message(), fault.help());
  }
  read.mode = ModeOf(options.Text("mode"));
  read.key = options.Texts("key");
  for (size_t i = 0; i < read.key.size(); ++i) {
    const auto end = read.key.begin() + static_cast<ptrdiff_t>(i);
    if (std::find(read.key.begin(), end, read.key[i]) == end) continue;
    refuse("key", FaultCode::kDuplicateColumn, "column \"" + read.key[i] + "\" is listed twice",
           "remove one of them");
  }
  if (read.mode == LoadMode::kUpsert && read.key.empty()) {
    refuse("mode", FaultCode::kImpossiblePlan, "\"mode: upsert\" without \"key\"",
           "say which columns name a row: key: [id]");
  }
  read.create = options.Bool("create");
  read.lock_timeout = options.Duration("lock_timeout");
  if (options.Given("connect_timeout")) {
    read.connect_timeout = options.Duration("connect_timeout");
  }
  ARROW_RETURN_NOT_OK(elt::Refused("loader \"postgres\"", std::move(problems)));
  return read;
}

Result<elt::WrittenOptions> LoaderOptionsFromUrl(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(elt::WrittenOptions written, TakeFromUrl(url, kUrlOptions));
  const auto is_table = [](const auto& option) { return option.first == "table"; };
  if (std::ranges::none_of(written, is_table)) {
    return RefusedUrl(url, "expected the parameter \"table\"");
  }
  return written;
}

}  // namespace levada::postgres
