#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "expressions/expression_option.h"
#include "transformers/filter/filter_transformer.h"

namespace levada::filter {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec where;
  where.name = "where";
  where.doc = "the condition; rows for which it is true go on";
  where.required = true;
  where.example = "amount > 0 and country is not null";
  elt::OptionSpec spec;
  spec.name = "filter";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "a condition, or a condition with what to do about rows for which it fails";
  spec.example = "amount > 0";
  spec.fields = {where, elt::OnErrorSpec("what happens to a row for which the condition fails",
                                         {"fail", "discard_row", "quarantine"})};
  spec.shorthand = "where";
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  expressions::CheckOption(options, "where", problems);
  ARROW_RETURN_NOT_OK(elt::Refused("filter", std::move(problems)));
  return std::make_unique<FilterTransformer>(options);
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "filter";
  entry.doc = "lets the rows go on for which a condition is true";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::filter
