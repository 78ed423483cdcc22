#include "elt/catalog.h"

#include <utility>

#include "elt/option_node.h"

namespace levada::elt {
namespace {

template <typename Stage>
void AddTo(std::map<std::string, CatalogEntry<Stage>>& entries, CatalogEntry<Stage> entry) {
  const std::string kind = entry.kind;
  if (!entries.emplace(kind, std::move(entry)).second) Misuse(kind, "two stages of this kind");
}

template <typename Stage>
const CatalogEntry<Stage>* FindIn(const std::map<std::string, CatalogEntry<Stage>>& entries,
                                  const std::string& kind) {
  const auto found = entries.find(kind);
  return found == entries.end() ? nullptr : &found->second;
}

}  // namespace

void Catalog::Add(CatalogEntry<Consumer> entry) { AddTo(consumers_, std::move(entry)); }
void Catalog::Add(CatalogEntry<Transformer> entry) { AddTo(transformers_, std::move(entry)); }
void Catalog::Add(CatalogEntry<Loader> entry) { AddTo(loaders_, std::move(entry)); }

const CatalogEntry<Consumer>* Catalog::FindConsumer(const std::string& kind) const {
  return FindIn(consumers_, kind);
}
const CatalogEntry<Transformer>* Catalog::FindTransformer(const std::string& kind) const {
  return FindIn(transformers_, kind);
}
const CatalogEntry<Loader>* Catalog::FindLoader(const std::string& kind) const {
  return FindIn(loaders_, kind);
}

}  // namespace levada::elt
