#include <utility>

#include "connectors/parquet/lake_loader.h"
#include "connectors/parquet/lake_options.h"
#include "elt/catalog.h"

namespace levada::parquet {

// Called by the generated list of every connector's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Loader> entry;
  entry.kind = "parquet";
  entry.doc = "writes a dataset of Parquet files, each partition published whole or not at all";
  entry.spec = LakeOptionSpec();
  entry.make = [](const elt::Options& options,
                  const elt::StageInput& input) -> Result<std::unique_ptr<elt::Loader>> {
    ARROW_ASSIGN_OR_RAISE(LakeOptions lake, ReadLakeOptions(options, input.has_windows));
    return MakeLakeLoader(std::move(lake), input);
  };
  entry.url_schemes = {"file"};
  entry.from_url = LakeOptionsFromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::parquet
