#include <string>
#include <utility>

#include "connectors/parquet/dataset_check.h"
#include "connectors/parquet/dataset_rows.h"
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
    ARROW_ASSIGN_OR_RAISE(LakeOptions lake, ReadLakeOptions(options, input));
    ARROW_ASSIGN_OR_RAISE(auto place, PlaceOf(lake.path, input));
    return MakeLakeLoader(std::move(lake), std::move(place), input);
  };
  entry.url_schemes = {"file", "s3"};
  entry.from_url = LakeOptionsFromUrl;
  entry.check_target = [](Context& ctx, const std::string& path, const elt::StageInput& input,
                          const elt::CheckObserver& observer) -> Result<elt::TargetCheck> {
    ARROW_ASSIGN_OR_RAISE(const auto place, PlaceOf(path, input));
    return CheckDataset(ctx, *place, observer);
  };
  entry.open_target =
      [](Context& ctx, const std::string& path,
         const elt::StageInput& input) -> Result<std::unique_ptr<elt::BatchStream>> {
    ARROW_ASSIGN_OR_RAISE(auto place, PlaceOf(path, input));
    return OpenDataset(ctx, std::move(place));
  };
  catalog.Add(std::move(entry));
}

}  // namespace levada::parquet
