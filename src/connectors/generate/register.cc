#include <memory>
#include <utility>

#include "connectors/generate/generate_consumer.h"
#include "connectors/generate/generate_options.h"
#include "elt/catalog.h"

namespace levada::generate {

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.spec = ConsumerSpec();
  entry.kind = entry.spec.name;
  entry.doc = entry.spec.doc;
  entry.make = [](const elt::Options& options,
                  const elt::StageInput& input) -> Result<std::unique_ptr<elt::Consumer>> {
    ARROW_ASSIGN_OR_RAISE(ConsumerOptions read,
                          ReadConsumerOptions(options, input.whole_partitions));
    return std::make_unique<GenerateConsumer>(std::move(read));
  };
  entry.url_schemes = {"generate"};
  entry.from_url = OptionsFromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::generate
