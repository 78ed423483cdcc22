#include "connectors/files/files_consumer.h"
#include "connectors/files/files_options.h"
#include "elt/catalog.h"

namespace levada::files {
namespace {

Result<std::unique_ptr<elt::Consumer>> Make(const elt::Options& options, const elt::StageInput&) {
  ARROW_ASSIGN_OR_RAISE(auto read, ReadConsumerOptions(options));
  return std::make_unique<FilesConsumer>(std::move(read));
}

}  // namespace

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.kind = "files";
  entry.doc = "reads Parquet, CSV, JSON lines, Arrow IPC and ORC files";
  entry.spec = ConsumerSpec();
  entry.make = Make;
  entry.url_schemes = {"file"};
  entry.from_url = OptionsFromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::files
