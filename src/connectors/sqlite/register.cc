#include "connectors/sqlite/sqlite_consumer.h"
#include "connectors/sqlite/sqlite_options.h"
#include "elt/catalog.h"

namespace levada::sqlite {
namespace {

Result<std::unique_ptr<elt::Consumer>> Make(const elt::Options& options,
                                            const elt::StageInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto read, ReadConsumerOptions(options, input.whole_partitions));
  return std::make_unique<SqliteConsumer>(std::move(read));
}

}  // namespace

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.kind = "sqlite";
  entry.doc = "reads a table or query of an SQLite file";
  entry.spec = ConsumerSpec();
  entry.make = Make;
  entry.url_schemes = {"sqlite"};
  entry.from_url = OptionsFromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::sqlite
