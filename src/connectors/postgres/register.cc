#include <memory>
#include <utility>

#include "connectors/postgres/loader_options.h"
#include "connectors/postgres/loader_postgres.h"
#include "connectors/postgres/postgres_consumer.h"
#include "connectors/postgres/postgres_options.h"
#include "elt/catalog.h"

namespace levada::postgres {

void Register(elt::Catalog& catalog);

namespace {

elt::CatalogEntry<elt::Loader> LoaderEntry() {
  elt::CatalogEntry<elt::Loader> entry;
  entry.spec = LoaderSpec();
  entry.kind = entry.spec.name;
  entry.doc = entry.spec.doc;
  entry.make = [](const elt::Options& options,
                  const elt::StageInput& input) -> Result<std::unique_ptr<elt::Loader>> {
    ARROW_ASSIGN_OR_RAISE(LoaderOptions read, ReadLoaderOptions(options));
    return MakePostgresLoader(std::move(read), input);
  };
  entry.url_schemes = {"postgres", "postgresql"};
  entry.from_url = LoaderOptionsFromUrl;
  return entry;
}

}  // namespace

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.spec = ConsumerSpec();
  entry.kind = entry.spec.name;
  entry.doc = entry.spec.doc;
  entry.make = [](const elt::Options& options,
                  const elt::StageInput& input) -> Result<std::unique_ptr<elt::Consumer>> {
    ARROW_ASSIGN_OR_RAISE(ConsumerOptions read,
                          ReadConsumerOptions(options, input.whole_partitions));
    return std::make_unique<PostgresConsumer>(std::move(read));
  };
  entry.url_schemes = {"postgres", "postgresql"};
  entry.from_url = OptionsFromUrl;
  entry.finds_marks = true;
  entry.find_tables = [](Context& ctx, const elt::Options& options,
                         const elt::StageInput& input) -> Result<std::vector<elt::FoundTable>> {
    ARROW_ASSIGN_OR_RAISE(const ConsumerOptions read,
                          ReadConsumerOptions(options, input.whole_partitions));
    return FindTablesLike(ctx, read);
  };
  catalog.Add(std::move(entry));
  catalog.Add(LoaderEntry());
}

}  // namespace levada::postgres
