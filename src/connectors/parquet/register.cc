#include <string>
#include <utility>

#include "connectors/parquet/dataset_check.h"
#include "connectors/parquet/dataset_rows.h"
#include "connectors/parquet/lake_loader.h"
#include "connectors/parquet/lake_options.h"
#include "elt/catalog.h"
#include "places/local_place.h"

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
    ARROW_ASSIGN_OR_RAISE(LakeOptions lake, ReadLakeOptions(options, input.sample_run));
    return MakeLakeLoader(std::move(lake), input);
  };
  entry.url_schemes = {"file"};
  entry.from_url = LakeOptionsFromUrl;
  entry.check_target = [](Context& ctx, const std::string& path, const elt::StageInput& input,
                          const elt::CheckObserver& observer) -> Result<elt::TargetCheck> {
    ARROW_ASSIGN_OR_RAISE(const std::string local, places::LocalPathOf(path));
    return CheckDataset(ctx, *places::MakeLocalPlace(*input.disk, local), observer);
  };
  entry.open_target =
      [](Context& ctx, const std::string& path,
         const elt::StageInput& input) -> Result<std::unique_ptr<elt::BatchStream>> {
    ARROW_ASSIGN_OR_RAISE(std::string local, places::LocalPathOf(path));
    return OpenDataset(ctx, places::MakeLocalPlace(*input.disk, std::move(local)));
  };
  catalog.Add(std::move(entry));
}

}  // namespace levada::parquet
