#pragma once
// A catalog whose stages have the options of real ones and do nothing: for tests of everything that
// stands between a pipeline file and its stages.

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "elt/catalog.h"
#include "elt/plan.h"

namespace levada::elt::fake {

class IdleConsumer final : public Consumer {
 public:
  Result<Source> Describe(Context&) const override { return Source{}; }
  Result<std::vector<Partition>> Split(Context&, const RunInstance&, const Source&,
                                       const SplitLimits&) const override {
    return std::vector<Partition>{};
  }
  Result<std::unique_ptr<PartitionReader>> Open(Context&, const RunInstance&, const Partition&,
                                                const Source&, const BatchLimits&) const override {
    return Fault(FaultCode::kInternal, "reads nothing");
  }
};

class IdleTransformer final : public Transformer {
 public:
  Result<std::unique_ptr<BoundTransformer>> Bind(const SchemaPtr&,
                                                 const RunInstance&) const override {
    return Fault(FaultCode::kInternal, "changes nothing");
  }
};

class IdleLoader final : public Loader {
 public:
  Result<BoundTarget> Bind(Context&, const SchemaPtr&, const std::vector<ColumnHint>&,
                           const RunInstance&) const override {
    return BoundTarget{};
  }
  Result<PublishedRun> Inspect(Context&, const RunInstance&) const override {
    return PublishedRun{};
  }
  Result<std::vector<PublishedRun>> Inventory(Context&, const std::string&,
                                              const std::set<std::string>&) const override {
    return std::vector<PublishedRun>{};
  }
  Result<std::unique_ptr<TargetRun>> Begin(Context&, const RunInstance&,
                                           const BoundTarget&) const override {
    return Fault(FaultCode::kInternal, "writes nothing");
  }
};

inline OptionSpec PostgresSpec() {
  OptionSpec columns{.name = "columns",
                     .type = OptionType::kList,
                     .doc = "the columns to read, in this order",
                     .example = "[id, amount]",
                     .fields = {{.doc = "a column"}}};
  OptionSpec partition{.name = "partition",
                       .type = OptionType::kGroup,
                       .doc = "how the table is cut",
                       .example = "{ by: id, size: 500 }",
                       .shorthand = "by"};
  partition.fields = {
      {.name = "by", .doc = "the column", .required = true, .example = "account_id"},
      {.name = "size", .type = OptionType::kInteger, .min = 1, .example = "500"},
      {.name = "count", .type = OptionType::kInteger, .min = 1, .max = 10'000, .example = "16"},
  };
  OptionSpec spec{.name = "postgres", .type = OptionType::kGroup, .doc = "reads PostgreSQL"};
  spec.fields = {
      {.name = "dsn",
       .doc = "URL of the server",
       .required = true,
       .secret = true,
       .example = "${env:ORDERS_DSN}"},
      {.name = "table", .doc = "the table", .example = "public.orders"},
      {.name = "query", .doc = "a query instead of a table", .example = "select 1"},
      std::move(columns),
      std::move(partition),
      {.name = "connections", .doc = "auto or a number", .default_text = "1", .example = "auto"},
      {.name = "trim",
       .type = OptionType::kBool,
       .doc = "trim char(n)",
       .default_text = "false",
       .example = "true"},
      {.name = "non_finite",
       .type = OptionType::kChoice,
       .doc = "NaN and Infinity",
       .default_text = "error",
       .choices = {"error", "null", "string", "double"},
       .example = "null"},
      {.name = "connect_timeout",
       .type = OptionType::kDuration,
       .default_text = "30s",
       .runtime = true,
       .example = "10s"},
  };
  return spec;
}

inline OptionSpec SqliteSpec() {
  OptionSpec mixed{.name = "mixed",
                   .type = OptionType::kChoice,
                   .doc = "values that do not fit",
                   .choices = {"error", "null", "string"}};
  OptionSpec column{.type = OptionType::kGroup, .doc = "a column", .shorthand = "type"};
  column.fields = {{.name = "type", .doc = "its type"}, mixed};
  OptionSpec spec{.name = "sqlite", .type = OptionType::kGroup, .doc = "reads SQLite"};
  spec.fields = {
      {.name = "path", .doc = "the file", .required = true, .example = "./shop.db"},
      {.name = "attach",
       .type = OptionType::kMap,
       .doc = "further files",
       .fields = {{.doc = "a path"}}},
      {.name = "table", .doc = "the table", .example = "orders"},
      {.name = "query", .doc = "a query", .example = "select 1"},
      {.name = "types", .type = OptionType::kMap, .doc = "types", .fields = {column}},
      mixed,
  };
  return spec;
}

inline OptionSpec RenameSpec() {
  return {.name = "rename",
          .type = OptionType::kMap,
          .doc = "old name: new name",
          .example = "{ id: order_id }",
          .fields = {{.doc = "the new name", .example = "order_id"}}};
}

inline OptionSpec CastSpec() {
  OptionSpec column{.type = OptionType::kGroup, .doc = "a column", .shorthand = "type"};
  column.fields = {
      {.name = "type", .doc = "the new type", .required = true, .example = "decimal(18,2)"},
      {.name = "on_error",
       .type = OptionType::kChoice,
       .doc = "a value that does not convert",
       .default_text = "fail",
       .choices = {"fail", "discard_value", "discard_row", "quarantine"},
       .example = "quarantine"},
  };
  return {.name = "cast",
          .type = OptionType::kMap,
          .doc = "column: type",
          .example = "{ amount: int64 }",
          .fields = {std::move(column)}};
}

inline OptionSpec GenerateSpec() {
  OptionSpec column{.type = OptionType::kGroup, .doc = "a column", .shorthand = "type"};
  column.fields = {{.name = "type", .required = true}};
  for (const char* name : {"sequence", "step", "min", "max", "nulls"}) {
    column.fields.push_back({.name = name});
  }
  column.fields.push_back(
      {.name = "values", .type = OptionType::kList, .fields = {{.doc = "a value"}}});
  OptionSpec spec{.name = "generate", .type = OptionType::kGroup, .doc = "makes rows"};
  spec.fields = {
      {.name = "table"},
      {.name = "rows", .type = OptionType::kInteger, .required = true},
      {.name = "seed", .type = OptionType::kInteger, .default_text = "0"},
      {.name = "columns", .type = OptionType::kMap, .fields = {std::move(column)}},
  };
  return spec;
}

inline OptionSpec ParquetSpec() {
  OptionSpec spec{.name = "parquet", .type = OptionType::kGroup, .doc = "writes Parquet"};
  spec.fields = {
      {.name = "path", .doc = "the directory", .required = true, .example = "./lake/orders"},
      {.name = "layout", .doc = "directories", .example = "\"day={run.start:%Y-%m-%d}\""},
      {.name = "profile",
       .type = OptionType::kChoice,
       .default_text = "spark-3",
       .choices = {"spark-3", "spark-4"},
       .example = "spark-4"},
      {.name = "codec",
       .type = OptionType::kChoice,
       .default_text = "zstd",
       .choices = {"none", "snappy", "zstd", "lz4"},
       .example = "snappy"},
      {.name = "level",
       .type = OptionType::kInteger,
       .default_text = "1",
       .min = 1,
       .max = 22,
       .example = "3"},
      {.name = "file_bytes",
       .type = OptionType::kBytes,
       .default_text = "512MiB",
       .min = 1 << 20,
       .example = "128MiB"},
      {.name = "concurrency",
       .type = OptionType::kInteger,
       .default_text = "1",
       .runtime = true,
       .min = 1,
       .max = 64,
       .example = "2"},
  };
  return spec;
}

/// `table` and `query` exclude each other: what a stage checks itself.
inline Result<std::unique_ptr<Consumer>> MakeIdleConsumer(const Options& options,
                                                          const StageInput&) {
  if (options.Given("table") && options.Given("query")) {
    return Fault(FaultCode::kImpossiblePlan, "\"table\" and \"query\" exclude each other")
        .At({options.ErrorAt("query", FaultCode::kImpossiblePlan,
                             "\"table\" and \"query\" exclude each other", "remove one")});
  }
  if (!options.Given("table") && !options.Given("query")) {
    return Fault(FaultCode::kMissingKey, "a table or a query is needed").Help("add table:");
  }
  return std::make_unique<IdleConsumer>();
}

inline Result<std::unique_ptr<Loader>> MakeIdleLoader(const Options& options, const StageInput&) {
  if (options.Text("path") == "/forbidden") {
    return Fault(FaultCode::kImpossiblePlan, "nobody writes there")
        .At({options.ErrorAt("path", FaultCode::kImpossiblePlan, "nobody writes there")});
  }
  return std::make_unique<IdleLoader>();
}

inline Catalog MakeCatalog() {
  Catalog catalog;
  for (OptionSpec spec : {PostgresSpec(), SqliteSpec(), GenerateSpec()}) {
    catalog.Add(CatalogEntry<Consumer>{.kind = spec.name,
                                       .doc = spec.doc,
                                       .spec = spec,
                                       .make = MakeIdleConsumer,
                                       .url_schemes = {},
                                       .from_url = nullptr,
                                       .finds_marks = spec.name == "postgres"});
  }
  for (OptionSpec spec : {RenameSpec(), CastSpec()}) {
    const auto make = [](const Options&,
                         const StageInput&) -> Result<std::unique_ptr<Transformer>> {
      return std::make_unique<IdleTransformer>();
    };
    catalog.Add(CatalogEntry<Transformer>{.kind = spec.name,
                                          .doc = spec.doc,
                                          .spec = spec,
                                          .make = make,
                                          .url_schemes = {},
                                          .from_url = nullptr});
  }
  catalog.Add(CatalogEntry<Loader>{.kind = "parquet",
                                   .doc = "writes Parquet",
                                   .spec = ParquetSpec(),
                                   .make = MakeIdleLoader,
                                   .url_schemes = {},
                                   .from_url = nullptr});
  return catalog;
}

/// Variables and files from maps; anything else is absent.
inline std::shared_ptr<const Environment> MakeEnvironment(
    std::map<std::string, std::string> variables = {},
    std::map<std::string, std::string> files = {}) {
  auto environment = std::make_shared<Environment>();
  environment->variable =
      [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  environment->file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    return Fault(FaultCode::kUnresolvedReference, "there is no file \"" + path + "\"");
  };
  return environment;
}

inline std::shared_ptr<const SourceText> MakeSource(std::string text,
                                                    std::string name = "orders.yaml") {
  return std::make_shared<SourceText>(SourceText{std::move(name), std::move(text)});
}

}  // namespace levada::elt::fake
