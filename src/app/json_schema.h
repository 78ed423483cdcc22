#pragma once
// The JSON Schema of pipeline files, from the option specs of the catalog, and that of the file of
// `levada serve`: what an editor needs to complete and check while somebody types.

#include <string>

#include "elt/catalog.h"

namespace levada::app {

/// Draft-07, which editors' YAML servers understand; ends with a newline.
std::string PipelineJsonSchema(const elt::Catalog& catalog);
/// Likewise, of the configuration file of `levada serve`.
std::string ServeJsonSchema();

}  // namespace levada::app
