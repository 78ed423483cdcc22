#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "elt/catalog.h"
#include "elt/on_error.h"
#include "elt/stage_problems.h"
#include "expressions/expression_option.h"
#include "transformers/validate/validate_transformer.h"

namespace levada::validate {
namespace {

using elt::OptionSpec;
using elt::OptionType;

// Of one rule: where it says nothing, the stage's word counts.
OptionSpec OwnOnErrorSpec(std::vector<std::string> words) {
  OptionSpec spec = elt::OnErrorSpec(
      "what happens to a row that breaks it; left out: as the stage "
      "says",
      std::move(words));
  spec.default_text.clear();
  return spec;
}

OptionSpec ColumnSpec() {
  OptionSpec column;
  column.name = "column";
  column.type = OptionType::kGroup;
  column.doc = "what must hold of its values";
  column.fields = {
      {.name = "not_null", .type = OptionType::kBool, .doc = "no NULL", .default_text = "false"},
      {.name = "unique",
       .type = OptionType::kBool,
       .doc = "no value twice in a partition; NULLs do not count",
       .default_text = "false"},
      {.name = "min", .doc = "the least value allowed", .example = "0"},
      {.name = "max", .doc = "the greatest value allowed", .example = "\"2026-12-31\""},
      {.name = "in",
       .type = OptionType::kList,
       .doc = "the values allowed",
       .example = "[new, paid]",
       .fields = {{.name = "value", .doc = "a value"}}},
      {.name = "matches",
       .doc = "an RE2 pattern that a text must match somewhere",
       .example = "\"^[^@]+@[^@]+$\""},
      OwnOnErrorSpec({"fail", "discard_value", "discard_row", "quarantine"}),
  };
  return column;
}

OptionSpec CheckSpec() {
  OptionSpec check;
  check.name = "check";
  check.type = OptionType::kGroup;
  check.doc = "a condition, or a condition with what to do about rows of which it is false";
  check.fields = {{.name = "condition",
                   .doc = "what must hold of a row, as an expression; NULL breaks nothing",
                   .required = true,
                   .example = "net <= gross"},
                  OwnOnErrorSpec({"fail", "discard_row", "quarantine"})};
  check.shorthand = "condition";
  return check;
}

// Not part of the plan's hash: whoever changes it goes on with what was read.
OptionSpec RowsSpec() {
  OptionSpec rows;
  rows.name = "rows";
  rows.type = OptionType::kGroup;
  rows.doc = "how many rows a run may publish; before that is known nothing of it is visible";
  rows.runtime = true;
  rows.example = "{ min: 1, change: 50% }";
  rows.fields = {{.name = "min", .type = OptionType::kInteger, .doc = "at least so many"},
                 {.name = "max", .type = OptionType::kInteger, .doc = "at most so many"},
                 {.name = "change",
                  .doc = "so much more or less than the median of the runs before",
                  .example = "50%"},
                 {.name = "history",
                  .type = OptionType::kInteger,
                  .doc = "how many runs before, by their windows",
                  .default_text = "7",
                  .min = 1,
                  .max = 1000}};
  return rows;
}

OptionSpec Spec() {
  OptionSpec spec;
  spec.name = "validate";
  spec.type = OptionType::kGroup;
  spec.doc = "what must hold of rows";
  spec.fields = {
      {.name = "columns",
       .type = OptionType::kMap,
       .doc = "what must hold of the values of columns",
       .example = "{ id: { not_null: true, unique: true }, amount: { min: 0 } }",
       .fields = {ColumnSpec()}},
      {.name = "unique",
       .type = OptionType::kList,
       .doc = "columns of which no two rows of a partition may have the same values",
       .example = "[order_id, line]",
       .fields = {{.name = "column", .doc = "a column"}}},
      {.name = "check",
       .type = OptionType::kMap,
       .doc = "conditions by name",
       .example = "{ net_is_less: net <= gross }",
       .fields = {CheckSpec()}},
      RowsSpec(),
      elt::OnErrorSpec("what happens to a row that breaks a rule"),
      {.name = "memory",
       .type = OptionType::kBytes,
       .doc = "for the values of each unique; what does not fit waits in scratch files ($TMPDIR or "
              "/var/tmp)",
       .default_text = "64MiB",
       .runtime = true,
       .min = 1 << 20,
       .max = int64_t{4} << 30},
  };
  return spec;
}

std::optional<int64_t> ParsePercent(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_percent = error == std::errc() && std::string_view(end) == "%" && number > 0;
  return is_percent ? std::optional(number) : std::nullopt;
}

std::optional<elt::RowCountRule> ReadRows(const elt::Options& options,
                                          std::vector<Diagnostic>& problems) {
  if (!options.Given("rows")) return std::nullopt;
  const elt::Options rows = options.Group("rows");
  elt::RowCountRule rule;
  if (rows.Given("min")) rule.min = rows.Integer("min");
  if (rows.Given("max")) rule.max = rows.Integer("max");
  rule.history = static_cast<int>(rows.Integer("history"));
  if (rows.Given("change")) {
    rule.change_percent = ParsePercent(rows.Text("change"));
    if (!rule.change_percent) {
      problems.push_back(rows.ErrorAt("change", FaultCode::kBadValue,
                                      "expected a percentage, got \"" + rows.Text("change") + "\"",
                                      "write for example change: 50%"));
    }
  }
  if (rule.min && rule.max && *rule.min > *rule.max) {
    problems.push_back(rows.ErrorAt("max", FaultCode::kImpossiblePlan,
                                    "no number of rows is at least " + std::to_string(*rule.min) +
                                        " and at most " + std::to_string(*rule.max),
                                    "exchange min and max"));
  }
  if (rows.Given("history") && !rows.Given("change")) {
    problems.push_back(rows.ErrorAt("history", FaultCode::kImpossiblePlan,
                                    "\"history\" has no meaning without \"change\"",
                                    "remove it, or add change: 50%"));
  }
  if (!rows.Given("min") && !rows.Given("max") && !rows.Given("change")) {
    problems.push_back(
        rows.ErrorAt("", FaultCode::kBadValue, "rows has no rule", "write min:, max: or change:"));
  }
  return rule;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput& input) {
  std::vector<Diagnostic> problems;
  auto rule = ReadRows(options, problems);
  const auto columns = options.Map("columns");
  const auto checks = options.Map("check");
  const auto refuse_empty = [&](const elt::Options& at, std::string_view option,
                                std::string message, std::string help) {
    problems.push_back(
        at.ErrorAt(option, FaultCode::kBadValue, std::move(message), std::move(help)));
  };
  for (const auto& [name, entry] : columns) {
    bool any = entry.Bool("not_null") || entry.Bool("unique");
    for (const std::string_view rule : {"min", "max", "in", "matches"}) {
      any |= entry.Given(rule);
    }
    if (!any) {
      refuse_empty(entry, "", "column \"" + name + "\" has no rule",
                   "write for example { not_null: true }");
    }
    if (entry.Given("in") && entry.Texts("in").empty()) {
      refuse_empty(entry, "in", "no value would be allowed", "write in: [VALUE, ...]");
    }
  }
  for (const auto& [name, entry] : checks) {
    expressions::CheckOption(entry, "condition", problems);
  }
  if (options.Given("unique") && options.Texts("unique").empty()) {
    refuse_empty(options, "unique", "a key without columns", "write unique: [COLUMN]");
  }
  if (columns.empty() && checks.empty() && !options.Given("unique") && !rule) {
    refuse_empty(options, "", "nothing to validate", "write columns:, unique:, check: or rows:");
  }
  ARROW_RETURN_NOT_OK(elt::Refused("validate", std::move(problems)));
  return std::make_unique<ValidateTransformer>(options, std::move(rule),
                                               spill::ScratchSpaceOf(input));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "validate";
  entry.doc = "checks rows by rules";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::validate
