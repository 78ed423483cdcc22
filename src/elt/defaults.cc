#include "elt/defaults.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "elt/hidden_source.h"
#include "elt/option_problems.h"
#include "elt/plan.h"
#include "elt/plan_stages.h"

namespace levada::elt {
namespace {

constexpr auto kOfOnePipeline = std::to_array<std::string_view>({"name", "defaults"});

bool IsStages(std::string_view key) {
  return key == "consumer" || key == "transformers" || key == "loaders";
}

void SetOrigin(Value& value, const std::shared_ptr<const SourceText>& origin) {
  value.origin = origin;
  for (Value& item : value.items) SetOrigin(item, origin);
  for (Entry& entry : value.entries) SetOrigin(entry.value, origin);
}

class Checker {
 public:
  Checker(std::shared_ptr<const SourceText> source, const Catalog& catalog)
      : source_(std::move(source)), catalog_(catalog) {}

  void Root(const Value& root) {
    std::vector<std::string> names;
    for (const OptionSpec& field : PipelineSpec().fields) {
      const bool is_own = std::ranges::find(kOfOnePipeline, field.name) != kOfOnePipeline.end();
      if (!is_own) names.push_back(field.name);
    }
    for (const Entry& entry : root.entries) {
      if (std::ranges::find(kOfOnePipeline, entry.key) != kOfOnePipeline.end()) {
        Problem(FaultCode::kImpossiblePlan, entry.key_span,
                Quoted(entry.key) + " is a pipeline's own and no default",
                "write it in the pipeline's file");
      } else if (std::ranges::find(names, entry.key) == names.end()) {
        Problem(FaultCode::kUnknownKey, entry.key_span, "unknown key " + Quoted(entry.key),
                SuggestName(entry.key, names));
      } else if (entry.key == "consumer") {
        Kinds(entry, catalog_.consumers());
      } else if (entry.key == "transformers") {
        Kinds(entry, catalog_.transformers());
      } else if (entry.key == "loaders") {
        Kinds(entry, catalog_.loaders());
      }
    }
  }

  std::vector<Diagnostic> TakeProblems() { return std::move(problems_); }

 private:
  template <typename Entries>
  void Kinds(const Entry& stages, const Entries& entries) {
    if (stages.value.kind != Value::Kind::kMap) {
      Problem(FaultCode::kWrongType, stages.value.span,
              Quoted(stages.key) + ": expected kinds and their options, got " +
                  DescribeValue(stages.value),
              "for example: loaders: { parquet: { codec: zstd } }");
      return;
    }
    std::vector<std::string> kinds;
    for (const auto& [kind, entry] : entries) kinds.push_back(kind);
    for (const Entry& stage : stages.value.entries) {
      const auto found = entries.find(stage.key);
      if (found == entries.end()) {
        Problem(FaultCode::kUnknownKind, stage.key_span,
                "there is no kind " + Quoted(stage.key) + " of " + Quoted(stages.key),
                SuggestName(stage.key, kinds));
        continue;
      }
      OptionsOf(stage, found->second.spec);
    }
  }

  void OptionsOf(const Entry& stage, const OptionSpec& spec) {
    if (spec.type != OptionType::kGroup || stage.value.kind != Value::Kind::kMap) {
      Problem(FaultCode::kImpossiblePlan, stage.key_span,
              Quoted(stage.key) + ": expected some of its options",
              spec.type == OptionType::kGroup ? ShapeHelp(spec)
                                              : "what it does is each pipeline's own");
      return;
    }
    std::vector<std::string> names;
    for (const OptionSpec& field : spec.fields) names.push_back(field.name);
    for (const Entry& option : stage.value.entries) {
      if (std::ranges::find(names, option.key) != names.end()) continue;
      Problem(FaultCode::kUnknownKey, option.key_span, "unknown key " + Quoted(option.key),
              SuggestName(option.key, names));
    }
  }

  void Problem(FaultCode code, Span span, std::string message, std::string help) {
    Diagnostic problem;
    problem.code = code;
    problem.message = std::move(message);
    problem.source = source_;
    problem.span = span;
    problem.help = std::move(help);
    AddProblem(problems_, std::move(problem));
  }

  const std::shared_ptr<const SourceText> source_;
  const Catalog& catalog_;
  std::vector<Diagnostic> problems_;
};

/// The entries that `own` does not have. Of a list, a scalar or nothing at all it stays as it is.
void AddMissing(const Value& defaults, Value& own) {
  if (own.kind != Value::Kind::kMap || defaults.kind != Value::Kind::kMap) return;
  for (const Entry& entry : defaults.entries) {
    if (own.FindEntry(entry.key) == nullptr) own.entries.push_back(entry);
  }
}

/// To one stage, `{ parquet: { path: lake } }`.
void AddToStage(const Value& kinds, Value& stage) {
  if (stage.kind != Value::Kind::kMap || stage.entries.size() != 1) return;
  Entry& body = stage.entries.front();
  const Value* defaults = kinds.Find(body.key);
  if (defaults == nullptr) return;
  if (body.value.kind == Value::Kind::kNull) body.value.kind = Value::Kind::kMap;  // its bare name
  AddMissing(*defaults, body.value);
}

}  // namespace

Result<std::shared_ptr<const Defaults>> ParseDefaults(
    const std::shared_ptr<const SourceText>& source, const Catalog& catalog) {
  auto defaults = std::make_shared<Defaults>();
  ARROW_ASSIGN_OR_RAISE(defaults->root, ParseYaml(source));
  Value& root = defaults->root;
  if (root.kind == Value::Kind::kNull) root.kind = Value::Kind::kMap;
  const auto shown = HideSecrets(source, FindSecrets(root, catalog));
  if (root.kind != Value::Kind::kMap) {
    Diagnostic problem;
    problem.code = FaultCode::kWrongType;
    problem.message = "a file of defaults is a map of keys, got " + DescribeValue(root);
    problem.source = HideLikelySecrets(source);
    problem.span = root.span.known() ? root.span : Span{1, 1, 1};
    problem.help = "for example: memory: 256MiB";
    return ToStatus({std::move(problem)});
  }
  Checker checker(shown, catalog);
  checker.Root(root);
  std::vector<Diagnostic> problems = checker.TakeProblems();
  if (!problems.empty()) return ToStatus(std::move(problems));
  SetOrigin(root, shown);
  return defaults;
}

void AddDefaults(const Defaults& defaults, Value& root) {
  for (const Entry& entry : defaults.root.entries) {
    Entry* own = root.FindEntry(entry.key);
    if (own == nullptr) {
      // Without a stage of its own a pipeline is not whole: the validator says so.
      if (!IsStages(entry.key)) root.entries.push_back(entry);
    } else if (entry.key == "consumer") {
      AddToStage(entry.value, own->value);
    } else if (IsStages(entry.key)) {
      for (Value& stage : own->value.items) AddToStage(entry.value, stage);
    } else {
      AddMissing(entry.value, own->value);
    }
  }
}

}  // namespace levada::elt
