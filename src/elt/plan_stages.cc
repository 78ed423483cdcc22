#include "elt/plan_stages.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "elt/option_problems.h"

namespace levada::elt {
namespace {

/// What differs between the three kinds of stage.
struct Role {
  std::string noun;    ///< "consumer"
  std::string plural;  ///< also the key in the file, but for the consumer
  std::function<const OptionSpec*(const std::string& kind)> spec;
  std::vector<std::string> kinds;
};

template <typename Entries>
Role MakeRole(std::string noun, const Entries& entries) {
  Role role;
  role.plural = noun + "s";
  role.noun = std::move(noun);
  role.spec = [&entries](const std::string& kind) -> const OptionSpec* {
    const auto found = entries.find(kind);
    return found == entries.end() ? nullptr : &found->second.spec;
  };
  for (const auto& [kind, entry] : entries) role.kinds.push_back(kind);
  return role;
}

std::vector<Role> Roles(const Catalog& catalog) {
  return {MakeRole("consumer", catalog.consumers()),
          MakeRole("transformer", catalog.transformers()), MakeRole("loader", catalog.loaders())};
}

class StageReader {
 public:
  explicit StageReader(const PlanInput& input) : input_(input), roles_(Roles(input.catalog)) {}

  void Consumer(const Value& root, Plan& plan) {
    const Value* value = root.Find("consumer");
    if (value == nullptr || value->kind != Value::Kind::kMap) return;
    const Role& role = roles_[0];
    if (value->entries.empty()) {
      Problem(FaultCode::kMissingKey, value->span, "\"consumer\" names no kind",
              "for example: consumer: { postgres: { ... } }");
      return;
    }
    if (auto stage = OneKind(*value, role)) plan.consumer = std::move(*stage);
  }

  void List(const Value& root, const Role& role, size_t limit, std::vector<StagePlan>& stages) {
    const Value* value = root.Find(role.plural);
    if (value == nullptr || value->kind != Value::Kind::kList) return;
    if (value->items.size() > limit) {
      Problem(FaultCode::kPlanTooLarge, value->span,
              std::to_string(value->items.size()) + " " + role.plural + ", more than " +
                  std::to_string(limit),
              "split the pipeline");
      return;
    }
    if (value->items.empty() && role.noun == "loader") {
      Problem(FaultCode::kMissingKey, KeySpan(root, role.plural), "\"loaders\" names no loader",
              "for example: loaders: [{ parquet: { path: ./lake/orders } }]");
    }
    for (const Value& item : value->items) {
      if (item.kind != Value::Kind::kMap || item.entries.empty()) {
        Problem(FaultCode::kWrongType, item.span,
                "expected a " + role.noun + " and its options, got " + DescribeValue(item),
                item.kind == Value::Kind::kScalar && role.spec(item.text) != nullptr
                    ? "write a colon behind it: - " + item.text + ":"
                    : "for example: - " + (role.kinds.empty() ? role.noun : role.kinds[0]) +
                          ": { ... }");
        continue;
      }
      if (auto stage = OneKind(item, role)) stages.push_back(std::move(*stage));
    }
  }

  const std::vector<Role>& roles() const { return roles_; }

 private:
  static Span KeySpan(const Value& map, std::string_view key) {
    const auto found = std::ranges::find(map.entries, key, &Entry::key);
    return found == map.entries.end() ? Span{} : found->key_span;
  }

  /// The stage of a map with one key.
  std::optional<StagePlan> OneKind(const Value& map, const Role& role) {
    const Entry& first = map.entries[0];
    const OptionSpec* spec = role.spec(first.key);
    if (map.entries.size() > 1) {
      const Entry& second = map.entries[1];
      const bool outdented =
          first.value.kind == Value::Kind::kNull && role.spec(second.key) == nullptr;
      Problem(FaultCode::kWrongType, second.key_span,
              "expected one " + role.noun + ", got " + std::to_string(map.entries.size()) +
                  " keys: " + Quoted(first.key) + " and " + Quoted(second.key),
              outdented                 ? "indent the options below \"" + first.key + ":\""
              : role.noun == "consumer" ? "a pipeline has one consumer"
                                        : "start each " + role.noun + " with a dash of its own");
      return std::nullopt;
    }
    if (spec == nullptr) {
      UnknownKind(first, role);
      return std::nullopt;
    }
    // Whatever is wrong with the stage as a whole is shown at its name.
    Value body = first.value;
    body.span = first.value.kind == Value::Kind::kScalar ? body.span : first.key_span;
    StagePlan stage;
    stage.kind = first.key;
    stage.span = first.key_span;
    stage.options = ValidateOptions(*spec, body, role.noun + " \"" + first.key + "\"",
                                    input_.source, input_.environment, input_.diagnostics);
    return stage;
  }

  void UnknownKind(const Entry& entry, const Role& role) {
    std::string help = SuggestName(entry.key, role.kinds);
    for (const Role& other : roles_) {
      if (other.spec(entry.key) != nullptr) {
        help = "\"" + entry.key + "\" is a " + other.noun + ", not a " + role.noun;
      }
    }
    Problem(FaultCode::kUnknownKind, entry.key_span,
            "there is no " + role.noun + " " + Quoted(entry.key), std::move(help));
  }

  void Problem(FaultCode code, Span span, std::string message, std::string help) {
    Diagnostic problem;
    problem.code = code;
    problem.message = std::move(message);
    problem.source = input_.source;
    problem.span = span;
    problem.help = std::move(help);
    AddProblem(input_.diagnostics, std::move(problem));
  }

  const PlanInput& input_;
  const std::vector<Role> roles_;
};

void CollectSecrets(const OptionSpec& spec, const Value& value,
                    std::vector<const Value*>& secrets) {
  if (value.kind == Value::Kind::kScalar) {
    const OptionSpec* field = spec.shorthand.empty() ? &spec : FindField(spec, spec.shorthand);
    if (field != nullptr && field->secret) secrets.push_back(&value);
    return;
  }
  const bool group = spec.type == OptionType::kGroup;
  for (const Entry& entry : value.entries) {
    const OptionSpec* field = group                 ? FindField(spec, entry.key)
                              : spec.fields.empty() ? nullptr
                                                    : &spec.fields[0];
    if (field != nullptr) CollectSecrets(*field, entry.value, secrets);
  }
  if (group || spec.fields.empty()) return;
  for (const Value& item : value.items) CollectSecrets(spec.fields[0], item, secrets);
}

}  // namespace

const OptionSpec* FindField(const OptionSpec& group, std::string_view name) {
  const auto found = std::ranges::find(group.fields, name, &OptionSpec::name);
  return found == group.fields.end() ? nullptr : &*found;
}

std::vector<const Value*> FindSecrets(const Value& root, const Catalog& catalog) {
  std::vector<const Value*> secrets;
  for (const Role& role : Roles(catalog)) {
    const auto visit = [&](const Value& map) {
      for (const Entry& entry : map.entries) {
        if (const OptionSpec* spec = role.spec(entry.key)) {
          CollectSecrets(*spec, entry.value, secrets);
        }
      }
    };
    for (const Entry& entry : root.entries) {
      if (entry.key != role.noun && entry.key != role.plural) continue;
      visit(entry.value);
      for (const Value& item : entry.value.items) visit(item);
    }
  }
  return secrets;
}

void ReadStages(const Value& root, const PlanInput& input, Plan& plan) {
  StageReader reader(input);
  reader.Consumer(root, plan);
  reader.List(root, reader.roles()[1], kTransformersMax, plan.transformers);
  reader.List(root, reader.roles()[2], kLoadersMax, plan.loaders);
}

}  // namespace levada::elt
