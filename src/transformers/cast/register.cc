#include "elt/catalog.h"
#include "transformers/cast/cast.h"

namespace levada::cast {

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "cast";
  entry.doc = "converts columns to other types, exactly";
  entry.spec = CastSpec();
  entry.make = [](const elt::Options& options, const elt::StageInput&) {
    return MakeCast(options);
  };
  catalog.Add(std::move(entry));
}

}  // namespace levada::cast
