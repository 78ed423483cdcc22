#include "transformers/validate/validate_transformer.h"

#include <arrow/array.h>

#include <string>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "expressions/expression_option.h"
#include "spill/duplicate_pass.h"
#include "transformers/validate/row_rules.h"

namespace levada::validate {
namespace {

// Rows through the rules that look at one row, then through each `unique`.
class ValidatePass final : public elt::Pass {
 public:
  ValidatePass(const RowRules& rules, std::vector<std::unique_ptr<spill::DuplicatePass>> passes)
      : rules_(rules), passes_(std::move(passes)) {}

  Result<elt::Mapped> Take(Context& ctx, const elt::BatchPtr& batch,
                           elt::RejectBuffer& rejects) override {
    ARROW_ASSIGN_OR_RAISE(elt::Mapped mapped, rules_.Apply(ctx, batch, rejects));
    ARROW_RETURN_NOT_OK(TakeFrom(0, ctx, mapped, rejects));
    return mapped;
  }

  Result<elt::Mapped> Drain(Context& ctx, elt::RejectBuffer& rejects) override {
    for (; draining_ < passes_.size(); ++draining_) {
      ARROW_ASSIGN_OR_RAISE(elt::Mapped mapped, passes_[draining_]->Drain(ctx, rejects));
      if (mapped.batch == nullptr) continue;
      ARROW_RETURN_NOT_OK(TakeFrom(draining_ + 1, ctx, mapped, rejects));
      return mapped;
    }
    return elt::Mapped{};
  }

 private:
  Status TakeFrom(size_t first, Context& ctx, elt::Mapped& mapped, elt::RejectBuffer& rejects) {
    for (size_t i = first; i < passes_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(elt::Mapped step, passes_[i]->Take(ctx, mapped.batch, rejects));
      mapped.batch = std::move(step.batch);
      mapped.filtered += step.filtered;
      mapped.rejected += step.rejected;
    }
    return Status::OK();
  }

  const RowRules& rules_;
  const std::vector<std::unique_ptr<spill::DuplicatePass>> passes_;
  size_t draining_ = 0;
};

class BoundValidate final : public elt::BoundTransformer {
 public:
  BoundValidate(elt::SchemaPtr schema, RowRules rules, std::vector<spill::DuplicateRule> uniques,
                spill::ScratchSpace space, int64_t memory_bytes)
      : schema_(std::move(schema)),
        rules_(std::move(rules)),
        uniques_(std::move(uniques)),
        space_(std::move(space)),
        memory_bytes_(memory_bytes) {}

  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    return rules_.Apply(ctx, batch, rejects);
  }
  int64_t pass_bytes() const override {
    const auto count = static_cast<int64_t>(uniques_.size());
    return count * (memory_bytes_ + spill::kScratchBufferBytes);
  }
  std::unique_ptr<elt::Pass> MakePass() const override {
    std::vector<std::unique_ptr<spill::DuplicatePass>> passes;
    for (const spill::DuplicateRule& rule : uniques_) {
      passes.push_back(
          std::make_unique<spill::DuplicatePass>(rule, schema_, space_, memory_bytes_));
    }
    return std::make_unique<ValidatePass>(rules_, std::move(passes));
  }

 private:
  const elt::SchemaPtr schema_;
  const RowRules rules_;
  const std::vector<spill::DuplicateRule> uniques_;
  const spill::ScratchSpace space_;
  const int64_t memory_bytes_;
};

std::string InQuotes(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    quoted += c;
    if (c == quote) quoted += c;
  }
  return quoted + quote;
}

// The rules of one stage, gathered from its options with all that is wrong in them.
class RuleReader {
 public:
  RuleReader(const elt::Options& options, const elt::SchemaPtr& input)
      : options_(options), input_(input), fields_(input->fields()) {}

  void Read() {
    for (const auto& [name, entry] : options_.Map("columns")) Column(name, entry);
    if (options_.Given("unique")) UniqueKey();
    for (const auto& [name, entry] : options_.Map("check")) Check(name, entry);
  }

  std::vector<RowRule> rules;
  std::vector<spill::DuplicateRule> uniques;
  std::vector<Diagnostic> problems;
  elt::SchemaPtr Output() const {
    return std::make_shared<arrow::Schema>(fields_, input_->metadata());
  }

 private:
  elt::OnError OnErrorFor(const elt::Options& entry) const {
    return elt::OnErrorOf(entry.Given("on_error") ? entry : options_);
  }

  void Column(const std::string& name, const elt::Options& entry) {
    const int column = elt::FindColumn(*input_, name, entry, "", problems);
    if (column < 0) return;
    const std::string quoted = InQuotes(name, '"');
    const auto add = [&](std::string_view option, const std::string& condition,
                         const std::string& what) {
      if (entry.Given(option)) Rule(entry, option, column, condition, what);
    };
    if (entry.Bool("not_null")) {
      add("not_null", quoted + " is not null", "is NULL");
      auto& field = fields_[static_cast<size_t>(column)];
      field = field->WithNullable(false);
    }
    if (entry.Bool("unique")) {
      Unique({column}, entry, "unique", "column \"" + name + "\"");
    }
    if (entry.Given("min")) {
      const std::string& least = entry.Text("min");
      add("min", quoted + " >= " + InQuotes(least, '\''), "less than " + least);
    }
    if (entry.Given("max")) {
      const std::string& most = entry.Text("max");
      add("max", quoted + " <= " + InQuotes(most, '\''), "more than " + most);
    }
    if (entry.Given("min") && entry.Given("max")) Order(entry, column);
    if (entry.Given("matches")) {
      const std::string& pattern = entry.Text("matches");
      add("matches", "regexp_matches(" + quoted + ", " + InQuotes(pattern, '\'') + ")",
          "does not match " + pattern);
    }
    if (entry.Given("in")) In(entry, quoted, add);
    if (OnErrorFor(entry) == elt::OnError::kDiscardValue) {
      auto& field = fields_[static_cast<size_t>(column)];
      field = field->WithNullable(true);
    }
  }

  /// No value would do between a least that is above the greatest. What is wrong with one of them
  /// alone has been said.
  void Order(const elt::Options& entry, int column) {
    const std::string type = elt::TypeName(*input_->field(column)->type());
    const auto typed = [&](const char* option) {
      return "cast(" + InQuotes(entry.Text(option), '\'') + " as " + type + ")";
    };
    const expressions::Compiled compiled =
        expressions::Compile(typed("min") + " <= " + typed("max"), *arrow::schema({}));
    if (!compiled.problems.empty()) return;
    BudgetPool pool(0);  // for the one row
    const auto evaluated = compiled.expression->Evaluate(
        *arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{}), &pool);
    if (!evaluated.ok()) return;
    const auto& holds = static_cast<const arrow::BooleanArray&>(*evaluated->values);
    if (holds.false_count() == 0) return;
    problems.push_back(entry.ErrorAt("max", FaultCode::kImpossiblePlan,
                                     "column \"" + input_->field(column)->name() +
                                         "\": no value is at least " + entry.Text("min") +
                                         " and at most " + entry.Text("max"),
                                     "exchange min and max"));
  }

  template <typename Add>
  void In(const elt::Options& entry, const std::string& quoted, const Add& add) {
    std::string values;
    for (const std::string& value : entry.Texts("in")) {
      values += (values.empty() ? "" : ", ") + InQuotes(value, '\'');
    }
    add("in", quoted + " in (" + values + ")", "not one of the values of in");
  }

  void Rule(const elt::Options& entry, std::string_view option, int column,
            const std::string& condition, const std::string& what) {
    RowRule rule;
    rule.column = column;
    const std::string& name = input_->field(column)->name();
    rule.what = "column \"" + name + "\": " + what;
    rule.text = condition;
    rule.on_error = OnErrorFor(entry);
    if (option == "not_null" && rule.on_error == elt::OnError::kDiscardValue) {
      problems.push_back(entry.ErrorAt(
          option, FaultCode::kImpossiblePlan,
          "column \"" + name + "\": discard_value makes NULLs, which not_null forbids",
          "give the column on_error: discard_row or quarantine"));
      return;
    }
    expressions::Compiled compiled = expressions::Compile(condition, *input_);
    for (const expressions::Problem& problem : compiled.problems) {
      problems.push_back(
          entry.ErrorAt(option, problem.code,
                        "column \"" + name + "\", " + std::string(option) + ": " + problem.message,
                        problem.help));
    }
    if (!compiled.problems.empty()) return;
    rule.condition = std::move(compiled.expression);
    rules.push_back(std::move(rule));
  }

  void Check(const std::string& name, const elt::Options& entry) {
    RowRule rule;
    rule.text = entry.Text("condition");
    rule.what = "check \"" + name + "\" does not hold";
    rule.on_error = OnErrorFor(entry);
    if (rule.on_error == elt::OnError::kDiscardValue) {
      problems.push_back(entry.ErrorAt("condition", FaultCode::kImpossiblePlan,
                                       "check \"" + name +
                                           "\" is about rows, discard_value about "
                                           "the value of a column",
                                       "give the check on_error: discard_row or quarantine"));
    }
    rule.condition = expressions::CompileOption(entry, "condition", *input_, problems);
    if (rule.condition == nullptr) return;
    if (rule.condition->type()->id() != arrow::Type::BOOL) {
      problems.push_back(
          entry.ErrorAt("condition", FaultCode::kBadExpression,
                        "expected a condition, got " + elt::TypeName(*rule.condition->type()),
                        "write x = 1, or x is not null"));
      return;
    }
    rules.push_back(std::move(rule));
  }

  void UniqueKey() {
    std::vector<int> key;
    std::string names;
    for (const std::string& name : options_.Texts("unique")) {
      const int column = elt::FindColumn(*input_, name, options_, "unique", problems);
      if (column < 0) return;
      key.push_back(column);
      names += (names.empty() ? "" : ", ") + name;
    }
    Unique(std::move(key), options_, "unique", "columns (" + names + ")");
  }

  void Unique(std::vector<int> key, const elt::Options& entry, std::string_view option,
              const std::string& what) {
    spill::DuplicateRule rule;
    rule.stage = "validate";
    rule.key = std::move(key);
    rule.nulls_differ = true;
    rule.fate = OnErrorFor(entry);
    rule.reason = what + ": repeats an earlier row";
    rule.failure = [what](int64_t row) -> Status {
      const std::string number = std::to_string(row);
      Fault fault(FaultCode::kValidationFailed,
                  "validate: " + what + ": row " + number + " of the partition repeats another");
      fault.With("partition_row", number);
      fault.Help("correct the data, or say what such rows get, on_error: discard_row | quarantine");
      return fault;
    };
    if (rule.fate == elt::OnError::kDiscardValue) {
      problems.push_back(entry.ErrorAt(option, FaultCode::kImpossiblePlan,
                                       what + ": which value to discard is not known of a row that "
                                              "repeats another",
                                       "give it on_error: discard_row or quarantine"));
      return;
    }
    uniques.push_back(std::move(rule));
  }

  const elt::Options& options_;
  const elt::SchemaPtr& input_;
  arrow::FieldVector fields_;
};

}  // namespace

bool ValidateTransformer::sees_whole_partition() const {
  if (options_.Given("unique")) return true;
  for (const auto& [name, entry] : options_.Map("columns")) {
    if (entry.Bool("unique")) return true;
  }
  return false;
}

Result<std::unique_ptr<elt::BoundTransformer>> ValidateTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  RuleReader reader(options_, input);
  reader.Read();
  ARROW_RETURN_NOT_OK(elt::Refused("validate", std::move(reader.problems)));
  const elt::SchemaPtr output = reader.Output();
  return std::make_unique<BoundValidate>(output, RowRules(std::move(reader.rules), input, output),
                                         std::move(reader.uniques), space_,
                                         options_.Integer("memory"));
}

}  // namespace levada::validate
