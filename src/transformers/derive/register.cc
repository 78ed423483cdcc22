#include "elt/catalog.h"
#include "elt/on_error.h"
#include "elt/stage_problems.h"
#include "expressions/expression_option.h"
#include "transformers/derive/derive_transformer.h"

namespace levada::derive {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec expression;
  expression.name = "expression";
  expression.doc = "what the column is, from the columns that reach the stage";
  expression.required = true;
  expression.example = "price * quantity";
  elt::OptionSpec column;
  column.name = "column";
  column.type = elt::OptionType::kGroup;
  column.doc = "an expression, or an expression with what to do where it fails";
  column.fields = {expression, elt::OnErrorSpec("what happens where the expression has no value")};
  column.shorthand = "expression";
  elt::OptionSpec spec;
  spec.name = "derive";
  spec.type = elt::OptionType::kMap;
  spec.doc = "expressions by column";
  spec.example = "{ total: price * quantity, country: upper(country) }";
  spec.fields = {column};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  const auto entries = options.Map("");
  if (entries.empty()) {
    problems.push_back(options.ErrorAt("", FaultCode::kBadValue, "nothing to derive",
                                       "write COLUMN: EXPRESSION, or leave the stage out"));
  }
  for (const auto& [name, entry] : entries) {
    if (name.empty()) {
      problems.push_back(entry.ErrorAt("expression", FaultCode::kBadValue,
                                       "a column with an empty name", "write COLUMN: EXPRESSION"));
    }
    expressions::CheckOption(entry, "expression", problems);
  }
  ARROW_RETURN_NOT_OK(elt::Refused("derive", std::move(problems)));
  return std::make_unique<DeriveTransformer>(options);
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "derive";
  entry.doc = "computes columns from the row";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::derive
