#include "elt/catalog.h"
#include "transformers/rename/rename.h"

namespace levada::rename {

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "rename";
  entry.doc = "gives columns other names";
  entry.spec = RenameSpec();
  entry.make = [](const elt::Options& options, const elt::StageInput&) {
    return MakeRename(options);
  };
  catalog.Add(std::move(entry));
}

}  // namespace levada::rename
