#include <memory>
#include <utility>

#include "connectors/clickhouse/clickhouse_consumer.h"
#include "connectors/clickhouse/clickhouse_options.h"
#include "elt/catalog.h"

namespace levada::clickhouse {

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.spec = ConsumerSpec();
  entry.kind = entry.spec.name;
  entry.doc = entry.spec.doc;
  entry.make = [](const elt::Options& options,
                  const elt::StageInput& input) -> Result<std::unique_ptr<elt::Consumer>> {
    ARROW_ASSIGN_OR_RAISE(ConsumerOptions read, ReadConsumerOptions(options, input.version));
    return std::make_unique<ClickHouseConsumer>(std::move(read));
  };
  entry.url_schemes = {"clickhouse"};
  entry.from_url = OptionsFromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::clickhouse
