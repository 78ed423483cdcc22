#include "elt/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "elt/defaults.h"
#include "elt/hidden_source.h"
#include "elt/option_problems.h"
#include "elt/pipeline_name.h"
#include "elt/plan_hash.h"
#include "elt/plan_stages.h"
#include "elt/plan_window.h"
#include "elt/stage_problems.h"
#include "elt/value.h"

namespace levada::elt {
namespace {

void Problem(const PlanInput& input, const Options& options, std::string_view name, FaultCode code,
             std::string message, std::string help) {
  Diagnostic problem = options.ErrorAt(name, code, std::move(message), std::move(help));
  if (!IsReported(input.diagnostics, problem.span))
    AddProblem(input.diagnostics, std::move(problem));
}

void ReadName(const Options& pipeline, const PlanInput& input, Plan& plan) {
  plan.name = pipeline.Text("name");
  if (!pipeline.Given("name") || IsPipelineName(plan.name)) return;
  // A name that is no text was refused already.
  if (plan.name.empty() && !input.diagnostics.empty()) return;
  Problem(input, pipeline, "name", FaultCode::kBadValue,
          "\"name\": expected letters, digits, \"_\", \"-\" and \".\", got " + Quoted(plan.name),
          "it becomes part of file names, at most " + std::to_string(kNameBytesMax) +
              " bytes; for example: name: daily_orders");
}

void ReadRuntime(const Options& pipeline, const PlanInput& input, Plan& plan) {
  const Options parallel = pipeline.Group("parallel");
  plan.partitions_parallel = static_cast<int>(parallel.Integer("partitions"));
  plan.windows_parallel = static_cast<int>(parallel.Integer("windows"));
  plan.transform_workers = static_cast<int>(parallel.Integer("transform"));
  if (plan.windows_parallel > 1 && !plan.window) {
    Problem(input, parallel, "windows", FaultCode::kImpossiblePlan,
            "windows run at once, but the pipeline has no windows",
            "add run: { every: day, ... }, or remove it");
  }
  plan.memory_bytes = pipeline.Integer("memory");
  plan.partition_bytes = pipeline.Integer("partition_bytes");
  plan.verify = pipeline.Text("verify") == "readback" ? Verify::kReadback : Verify::kCount;

  const Options retry = pipeline.Group("retry");
  plan.retry.attempts = static_cast<int>(retry.Integer("attempts"));
  plan.retry.backoff = retry.Duration("backoff");
  plan.retry.backoff_max = retry.Duration("backoff_max");
  plan.retry.deadline = retry.Duration("deadline");
  if (plan.retry.backoff_max < plan.retry.backoff) {
    Problem(input, retry, retry.Given("backoff_max") ? "backoff_max" : "backoff",
            FaultCode::kImpossiblePlan, "\"backoff_max\" is shorter than \"backoff\"",
            "backoff is the first wait and backoff_max the longest");
  }
}

/// "./lake//orders/" and "lake/orders" are one directory.
std::string CanonicalPath(const std::string& path) {
  const size_t scheme = path.find("://");
  const size_t start = scheme == std::string::npos ? 0 : scheme + 3;
  std::string canonical = path.substr(0, start);
  if (scheme == std::string::npos && path.starts_with('/')) canonical = "/";
  bool first = true;
  for (size_t i = start; i <= path.size();) {
    const size_t end = std::min(path.find('/', i), path.size());
    const std::string part = path.substr(i, end - i);
    if (!part.empty() && part != ".") {
      if (!first) canonical += '/';
      canonical += part;
      first = false;
    }
    i = end + 1;
  }
  return canonical;
}

/// Of two canonical paths: a reader of `outer` would take what is in `inner` for its own.
bool LiesInside(const std::string& inner, const std::string& outer) {
  // Where ".." leads is not known here.
  const bool is_upward = inner == ".." || inner.ends_with("/..") || inner.starts_with("../") ||
                         inner.find("/../") != std::string::npos;
  if (is_upward || inner.empty()) return false;
  if (outer.empty()) return !inner.starts_with('/') && inner.find("://") == std::string::npos;
  return inner.size() > outer.size() && inner.starts_with(outer) &&
         (outer.ends_with('/') || inner[outer.size()] == '/');
}

const OptionSpec* PathSpec(const StagePlan& loader, const Catalog& catalog) {
  const CatalogEntry<Loader>* entry = catalog.FindLoader(loader.kind);
  const OptionSpec* path = entry == nullptr ? nullptr : FindField(entry->spec, "path");
  return path != nullptr && path->type == OptionType::kText && !path->secret ? path : nullptr;
}

void RefuseMarks(const Options& run, const PlanInput& input, const Plan& plan) {
  const CatalogEntry<Consumer>* entry = input.catalog.FindConsumer(plan.consumer.kind);
  if (!plan.increment || entry == nullptr || entry->finds_marks) return;
  Problem(input, run, "mode", FaultCode::kImpossiblePlan,
          "consumer " + Quoted(plan.consumer.kind) + " cannot say which rows are new",
          "use windows: run: { every: day, ... }, or leave run: out to write the whole table");
}

void RefuseSharedPaths(const PlanInput& input, const Plan& plan) {
  std::map<std::pair<std::string, std::string>, const StagePlan*> first_at;
  for (const StagePlan& loader : plan.loaders) {
    if (PathSpec(loader, input.catalog) == nullptr || !loader.options.Given("path")) continue;
    const std::string& path = loader.options.Text("path");
    if (path.empty()) continue;
    const std::string canonical = CanonicalPath(path);
    const auto nested = std::ranges::find_if(first_at, [&](const auto& other) {
      const std::string& before = other.first.second;
      return LiesInside(canonical, before) || LiesInside(before, canonical);
    });
    if (nested != first_at.end()) {
      Problem(input, loader.options, "path", FaultCode::kImpossiblePlan,
              "one path inside the other: " + Quoted(path) + " and " +
                  Quoted(nested->second->options.Text("path")),
              "readers of the outer one would read both; put them side by side");
      continue;
    }
    const auto [first, added] = first_at.emplace(std::pair(loader.kind, canonical), &loader);
    if (added) continue;
    Diagnostic problem = loader.options.ErrorAt(
        "path", FaultCode::kImpossiblePlan, "two loaders write to the same path " + Quoted(path),
        "give each loader a path of its own");
    problem.label = "the second time";
    problem.notes.push_back("given first on line " +
                            std::to_string(first->second->options.SpanOf("path").line));
    AddProblem(input.diagnostics, std::move(problem));
  }
}

// ---- tables: one file, a plan of each table

constexpr std::string_view kTableName = "{table}";
constexpr std::string_view kSchemaName = "{schema}";

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void ReplaceAll(std::string& text, std::string_view what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

/// The file as it would have been written for this one table: its places stay.
void ChooseTable(const FoundTable& table, Value& root) {
  if (Entry* name = root.FindEntry("name")) {
    name->value.text += (table.schema.empty() ? "" : "." + table.schema) + "." + table.name;
  }
  if (Entry* consumer = root.FindEntry("consumer")) {
    for (Entry& kind : consumer->value.entries) {
      std::erase_if(kind.value.entries, [](const Entry& entry) { return entry.key == "exclude"; });
      if (Entry* tables = kind.value.FindEntry("tables")) {
        tables->key = "table";
        tables->value.text = table.written;
      }
    }
  }
  Entry* loaders = root.FindEntry("loaders");
  if (loaders == nullptr) return;
  for (Value& item : loaders->value.items) {
    for (Entry& kind : item.entries) {
      Entry* path = kind.value.FindEntry("path");
      if (path == nullptr) continue;
      ReplaceAll(path->value.text, kTableName, table.name);
      ReplaceAll(path->value.text, kSchemaName, table.schema);
    }
  }
}

/// Several tables in one place, or a name that stands for nothing.
void CheckTablePaths(const PlanInput& input, const Plan& plan) {
  for (const StagePlan& loader : plan.loaders) {
    if (PathSpec(loader, input.catalog) == nullptr || !loader.options.Given("path")) continue;
    const std::string& path = loader.options.Text("path");
    const bool names_table = Holds(path, kTableName);
    if (plan.has_tables && !names_table) {
      Problem(input, loader.options, "path", FaultCode::kImpossiblePlan,
              "\"path\" is the same for all tables of \"tables\"",
              "for example: path: ./lake/{schema}/{table}");
    }
    if (!plan.has_tables && (names_table || Holds(path, kSchemaName))) {
      Problem(input, loader.options, "path", FaultCode::kImpossiblePlan,
              "\"{table}\" and \"{schema}\" stand for nothing without \"tables\"",
              "write the name, or tables: schema.* in the consumer");
    }
  }
}

bool HasTables(const PlanInput& input, const Plan& plan) {
  const CatalogEntry<Consumer>* entry = input.catalog.FindConsumer(plan.consumer.kind);
  return entry != nullptr && entry->find_tables != nullptr && plan.consumer.options.Given("tables");
}

// ---- defaults

/// What `defaults:` names, added to `root`.
void TakeDefaults(const PlanParts& parts, const std::shared_ptr<const SourceText>& source,
                  Value& root, std::vector<Diagnostic>& diagnostics) {
  const Value* path = root.Find("defaults");
  if (path == nullptr || path->kind != Value::Kind::kScalar) return;
  const auto opened = parts.open_defaults != nullptr
                          ? parts.open_defaults(path->text)
                          : Fault(FaultCode::kFileUnreadable, "there are no other files here");
  if (opened.ok()) return AddDefaults(**opened, root);
  const Fault fault = FaultOf(opened.status());
  for (const Diagnostic& problem : fault.diagnostics()) AddProblem(diagnostics, problem);
  if (!fault.diagnostics().empty()) return;
  Diagnostic problem;
  problem.code = fault.code();
  problem.message = "\"defaults\": " + fault.message();
  problem.source = source;
  problem.span = path->span;
  problem.help = fault.help();
  AddProblem(diagnostics, std::move(problem));
}

void ReadTags(const Options& pipeline, const PlanInput& input, Plan& plan) {
  plan.tags = pipeline.Texts("tags");
  const std::vector<Options> tags = pipeline.List("tags");
  for (size_t i = 0; i < plan.tags.size(); ++i) {
    if (IsPipelineName(plan.tags[i])) continue;
    Problem(input, tags[i], "", FaultCode::kBadValue,
            "expected letters, digits, \"_\", \"-\" and \".\", got " + Quoted(plan.tags[i]),
            "for example: tags: [hourly, finance]");
  }
}

// ---- warnings

Diagnostic Warning(const PlanInput& input, Span span, std::string message, std::string help) {
  Diagnostic warning;
  warning.severity = Severity::kWarning;
  warning.message = std::move(message);
  warning.source = input.source;
  warning.span = span;
  warning.help = std::move(help);
  return warning;
}

/// "updated_at", "LastModified", "mtime": columns that an UPDATE of the row moves.
bool MovesOnUpdate(const std::string& column) {
  std::string letters;
  for (const char c : column) {
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
    if (c >= 'a' && c <= 'z') letters += c;
  }
  constexpr std::array<std::string_view, 7> kMarks = {
      "updated", "modified", "lastchange", "changedat", "mtime", "lastseen", "touched"};
  return std::ranges::any_of(
      kMarks, [&](std::string_view mark) { return letters.find(mark) != letters.npos; });
}

void AddWarnings(const PlanInput& input, const Options& pipeline,
                 const std::vector<const Value*>& secrets, Plan& plan) {
  if (plan.window && MovesOnUpdate(plan.window->column)) {
    plan.warnings.push_back(
        Warning(input, pipeline.Group("run").SpanOf("column"),
                "updates move rows along " + Quoted(plan.window->column) +
                    ": a row that was published in one window appears again in a later one",
                "use a column that never changes, such as the time of creation"));
  }
  if (plan.increment && MovesOnUpdate(plan.increment->column)) {
    plan.warnings.push_back(
        Warning(input, pipeline.Group("run").SpanOf("column"),
                "updates move rows along " + Quoted(plan.increment->column) +
                    ": a row that is updated is published once more, and its older form stays",
                "readers take the last form of each key; or use a column that never changes"));
  }
  for (const Value* secret : secrets) {
    if (!HoldsLiteralSecret(secret->text)) continue;
    // The rest of a URL is part of the plan's hash: published rows stay those of this plan.
    plan.warnings.push_back(Warning(
        input, secret->span, "a secret is written into the file",
        IsConnectionText(secret->text)
            ? "put the password alone into the environment or a file, and write "
              "${env:NAME} or ${file:PATH} in its place"
            : "put it into the environment or a file and write ${env:NAME} or ${file:PATH}"));
    if (secret->origin != nullptr) plan.warnings.back().source = secret->origin;
  }
  std::ranges::stable_sort(plan.warnings, {}, [](const Diagnostic& warning) {
    return std::pair(warning.span.line, warning.span.column);
  });
}

Status RefuseRoot(const std::shared_ptr<const SourceText>& source, const Value& root) {
  Diagnostic problem;
  problem.code = FaultCode::kWrongType;
  problem.message = "a pipeline file is a map of keys, got " + DescribeValue(root);
  problem.source = HideLikelySecrets(source);
  problem.span = root.span.known() ? root.span : Span{1, 1, 1};
  problem.help = "it starts like this: name: orders";
  return ToStatus({std::move(problem)});
}

/// The same failure, pointing at the stage if it points nowhere yet.
Status Located(const Status& status, const Plan& plan, const StagePlan& stage) {
  Fault fault = FaultOf(status);
  if (!fault.diagnostics().empty()) return status;
  Diagnostic problem;
  problem.code = fault.code();
  problem.message = fault.message();
  problem.source = plan.source;
  problem.span = stage.span;
  problem.help = fault.help();
  return std::move(fault).At({std::move(problem)});
}

}  // namespace

Result<Plan> ParsePlan(const std::shared_ptr<const SourceText>& source, const Catalog& catalog,
                       const std::shared_ptr<const Environment>& environment,
                       const PlanParts& parts) {
  ARROW_ASSIGN_OR_RAISE(Value root, ParseYaml(source));
  if (root.kind != Value::Kind::kMap) return RefuseRoot(source, root);

  std::vector<Diagnostic> diagnostics;
  TakeDefaults(parts, HideLikelySecrets(source), root, diagnostics);
  if (parts.table != nullptr) ChooseTable(*parts.table, root);
  const std::vector<const Value*> secrets = FindSecrets(root, catalog);
  const PlanInput input{catalog, HideSecrets(source, secrets), environment, diagnostics};

  Plan plan;
  plan.source = input.source;
  const Options pipeline =
      ValidateOptions(PipelineSpec(), root, "the pipeline", input.source, environment, diagnostics);
  ReadName(pipeline, input, plan);
  ReadTags(pipeline, input, plan);
  RunMode mode = ReadRunMode(pipeline.Group("run"), diagnostics);
  plan.once = mode.once;
  plan.window = std::move(mode.window);
  plan.increment = std::move(mode.increment);
  ReadRuntime(pipeline, input, plan);
  ReadStages(root, input, plan);
  RefuseMarks(pipeline.Group("run"), input, plan);
  plan.has_tables = HasTables(input, plan);
  CheckTablePaths(input, plan);
  RefuseSharedPaths(input, plan);
  if (!diagnostics.empty()) return ToStatus(std::move(diagnostics));

  AddWarnings(input, pipeline, secrets, plan);
  plan.hash = PlanHash(plan);
  return plan;
}

Result<std::vector<FoundTable>> FindTables(Context& ctx, const Plan& plan, const Catalog& catalog,
                                           const StageInput& input) {
  const CatalogEntry<Consumer>& consumer = *catalog.FindConsumer(plan.consumer.kind);
  ARROW_ASSIGN_OR_RAISE(auto tables, consumer.find_tables(ctx, plan.consumer.options, input));
  if (!tables.empty()) return tables;
  const Options& options = plan.consumer.options;
  return Placed(
      Fault(FaultCode::kTableNotFound, "there is no table like " + Quoted(options.Text("tables")))
          .Help("names are exact, and what \"exclude\" names is left out"),
      options, "tables");
}

std::vector<std::string> TargetPaths(const Plan& plan, const Catalog& catalog) {
  std::vector<std::string> paths;
  for (const StagePlan& loader : plan.loaders) {
    if (PathSpec(loader, catalog) == nullptr || !loader.options.Given("path")) continue;
    paths.push_back(loader.kind + " " + CanonicalPath(loader.options.Text("path")));
  }
  return paths;
}

bool Stages::AnyWholePartitions() const {
  return std::ranges::any_of(transformers, [](const auto& transformer) {
    return transformer != nullptr && transformer->sees_whole_partition();
  });
}

std::vector<RowCountRule> Stages::RowCountRules() const {
  std::vector<RowCountRule> rules;
  for (const auto& transformer : transformers) {
    if (const auto rule = transformer->row_count_rule()) rules.push_back(*rule);
  }
  return rules;
}

Result<std::vector<std::unique_ptr<BoundTransformer>>> BindTransformers(Context& ctx,
                                                                        const Stages& stages,
                                                                        SchemaPtr schema,
                                                                        const RunInstance& run) {
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  for (const auto& transformer : stages.transformers) {
    ARROW_ASSIGN_OR_RAISE(auto bound, transformer->BindAsking(ctx, schema, run));
    schema = bound->schema();
    transformers.push_back(std::move(bound));
  }
  return transformers;
}

Result<Stages> MakeStages(const Plan& plan, const Catalog& catalog, const StageInput& shared) {
  StageInput input = shared;
  input.sample_run = SampleRun(plan);
  input.reads_back = plan.verify == Verify::kReadback;
  Stages stages;
  std::vector<Status> failures;
  const auto make = [&](const auto* entry, const StagePlan& stage) {
    auto made = entry->make(stage.options, input);
    if (!made.ok()) failures.push_back(Located(made.status(), plan, stage));
    return made.ok() ? *std::move(made) : nullptr;
  };
  for (const StagePlan& transformer : plan.transformers) {
    stages.transformers.push_back(make(catalog.FindTransformer(transformer.kind), transformer));
  }
  // After them: whether a partition may have several slices is up to the transformers.
  input.whole_partitions = stages.AnyWholePartitions();
  const size_t failed_transformers = failures.size();
  stages.consumer = make(catalog.FindConsumer(plan.consumer.kind), plan.consumer);
  std::ranges::rotate(failures, failures.begin() + static_cast<ptrdiff_t>(failed_transformers));
  for (const StagePlan& loader : plan.loaders) {
    stages.loaders.push_back(make(catalog.FindLoader(loader.kind), loader));
  }
  if (failures.empty()) return stages;
  if (failures.size() == 1) return failures[0];
  std::vector<Diagnostic> diagnostics;
  for (const Status& failure : failures) {
    const Fault fault = FaultOf(failure);
    for (const Diagnostic& diagnostic : fault.diagnostics()) {
      AddProblem(diagnostics, diagnostic);
    }
  }
  return ToStatus(std::move(diagnostics));
}

}  // namespace levada::elt
