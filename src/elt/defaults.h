#pragma once
// Defaults: what many pipelines have in common, said once in a file that they name under
// `defaults:`.
//
//     memory: 256MiB
//     retry: { attempts: 3 }
//     consumer: { postgres: { dsn: "${env:SHOP}" } }
//     loaders:  { parquet: { codec: zstd } }
//
// A pipeline's own words come first. Below a group (`run`, `retry`) and below a kind of stage the
// options are merged one by one; everything else is taken as a whole.

#include <memory>

#include "elt/catalog.h"
#include "elt/value.h"

namespace levada::elt {

struct Defaults {
  Value root;  ///< kMap; every value knows its origin
};

/// A Fault with a diagnostic for every problem: what cannot be a default, keys and kinds that there
/// are none of. Values are checked where they are used.
Result<std::shared_ptr<const Defaults>> ParseDefaults(
    const std::shared_ptr<const SourceText>& source, const Catalog& catalog);

/// Adds to the root of a pipeline file what it does not say itself.
void AddDefaults(const Defaults& defaults, Value& root);

}  // namespace levada::elt
