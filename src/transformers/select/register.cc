#include "elt/catalog.h"
#include "transformers/select/select_transformer.h"

namespace levada::select {
namespace {

elt::OptionSpec Names(std::string name, std::string doc) {
  elt::OptionSpec column;
  column.name = "column";
  column.doc = "a column";
  column.example = "id";
  elt::OptionSpec spec;
  spec.name = std::move(name);
  spec.type = elt::OptionType::kList;
  spec.doc = std::move(doc);
  spec.example = "[id, amount]";
  spec.fields = {column};
  return spec;
}

elt::OptionSpec Spec() {
  elt::OptionSpec spec;
  spec.name = "select";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "which columns go on: those of columns, or all but those of except";
  spec.fields = {Names("columns", "the columns that go on, in this order"),
                 Names("except", "the columns that do not")};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  if (options.Given("columns") == options.Given("except")) {
    const bool both = options.Given("columns");
    Diagnostic problem =
        options.ErrorAt(both ? "except" : "", FaultCode::kBadValue,
                        both ? "columns and except together" : "neither columns nor except",
                        "write columns: [a, b] for what goes on, or except: [c] for what does not");
    return Fault(FaultCode::kBadValue, "select: " + problem.message).At({problem});
  }
  return std::make_unique<SelectTransformer>(options);
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "select";
  entry.doc = "lets some of the columns go on";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::select
