#include <memory>
#include <utility>

#include "elt/catalog.h"
#include "programs/program_options.h"
#include "transformers/exec/exec_transformer.h"

namespace levada::exec_transformer {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec drops_rows;
  drops_rows.name = "drops_rows";
  drops_rows.type = elt::OptionType::kBool;
  drops_rows.doc = "the program may leave rows out; else it has to write as many as it gets";
  drops_rows.default_text = "false";
  elt::OptionSpec spec;
  spec.name = "exec";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "passes the rows of a partition through a program of yours, as Arrow IPC";
  spec.fields = programs::ProgramSpecs();
  spec.fields.push_back(drops_rows);
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto read,
                        programs::ReadProgramOptions(programs::Role::kTransformer, options, input));
  return std::make_unique<ExecTransformer>(std::move(read), options.Bool("drops_rows"));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.spec = Spec();
  entry.kind = entry.spec.name;
  entry.doc = entry.spec.doc;
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::exec_transformer
