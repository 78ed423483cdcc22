#include "app/column_steps.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::app {
namespace {

constexpr std::string_view kNotNull = " not null";

std::string TypeOf(const arrow::Field& field) {
  return field.type()->ToString() + (field.nullable() ? "" : std::string(kNotNull));
}

/// Where column `index` of `output` stood in `input`: by its name, else, where a stage kept the
/// number of columns and so their order, at the same place. -1: the stage made it.
int ColumnBefore(const arrow::Schema& input, const arrow::Schema& output, int index) {
  const int named = input.GetFieldIndex(output.field(index)->name());
  if (input.num_fields() == output.num_fields() && named != index) return index;
  return named;
}

/// Empty where there is none: a column of no source, a target that does not say.
std::string At(const std::vector<std::string>& texts, int index) {
  const auto at = static_cast<size_t>(index);
  return index >= 0 && at < texts.size() ? texts[at] : std::string();
}

std::vector<std::string> WithoutRepeats(std::vector<std::string> texts) {
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

std::string Joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, " -> "));
}

}  // namespace

std::vector<ColumnPath> FollowColumns(const elt::Plan& plan, const elt::Prepared& prepared) {
  std::vector<std::pair<std::string, elt::SchemaPtr>> stages = {{"read", prepared.source.schema}};
  for (size_t i = 0; i < prepared.transformers.size(); ++i) {
    const bool named = i < plan.transformers.size();
    stages.emplace_back(named ? plan.transformers[i].kind : "", prepared.transformers[i]->schema());
  }
  std::vector<ColumnPath> paths;
  const elt::SchemaPtr& output = stages.back().second;
  for (int column = 0; column < output->num_fields(); ++column) {
    ColumnPath path;
    path.name = output->field(column)->name();
    int index = column;
    for (size_t i = stages.size(); i-- > 0 && index >= 0;) {
      const arrow::Field& field = *stages[i].second->field(index);
      path.steps.push_back({stages[i].first, field.name(), TypeOf(field)});
      if (i > 0) index = ColumnBefore(*stages[i - 1].second, *stages[i].second, index);
    }
    std::ranges::reverse(path.steps);
    path.source_type = At(prepared.source.source_types, index);
    for (const elt::BoundTarget& target : prepared.targets) {
      path.target_types.push_back(At(target.target_types, column));
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

std::string NamesText(const ColumnPath& path) {
  std::vector<std::string> names;
  for (const ColumnStep& step : path.steps) names.push_back(step.name);
  return Joined(WithoutRepeats(std::move(names)));
}

std::string TypesText(const ColumnPath& path) {
  std::vector<std::string> types;
  for (const ColumnStep& step : path.steps) types.push_back(step.type);
  types = WithoutRepeats(std::move(types));
  // "not null" is said once, at the end, where it stays as it was.
  for (size_t i = 0; i + 1 < types.size(); ++i) {
    if (types[i].ends_with(kNotNull) && types[i + 1].ends_with(kNotNull)) {
      types[i].resize(types[i].size() - kNotNull.size());
    }
  }
  return Joined(types);
}

}  // namespace levada::app
