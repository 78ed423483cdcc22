#include "elt/catalog.h"
#include "transformers/rename/rename_transformer.h"

namespace levada::rename {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec name;
  name.name = "name";
  name.doc = "the new name of the column";
  name.required = true;
  name.example = "order_id";
  elt::OptionSpec spec;
  spec.name = "rename";
  spec.type = elt::OptionType::kMap;
  spec.doc = "new names by old ones; all take effect at once";
  spec.example = "{ id: order_id }";
  spec.fields = {name};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  const auto entries = options.Map("");
  if (entries.empty()) {
    problems.push_back(options.ErrorAt("", FaultCode::kBadValue, "nothing to rename",
                                       "write OLD: NEW, or leave the stage out"));
  }
  for (const auto& [name, target] : entries) {
    if (!target.Scalar().empty()) continue;
    problems.push_back(target.ErrorAt("", FaultCode::kBadValue,
                                      "column \"" + name + "\" would have an empty name",
                                      "write OLD: NEW"));
  }
  if (!problems.empty()) {
    const std::string message = "rename: " + problems.front().message;
    return Fault(FaultCode::kBadValue, message).At(std::move(problems));
  }
  return std::make_unique<RenameTransformer>(options);
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "rename";
  entry.doc = "gives columns other names";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::rename
