#pragma once
// The JSON Schema of pipeline files, from the option specs of the catalog: what an editor needs to
// complete and check while somebody types.

#include <string>

#include "elt/catalog.h"

namespace levada::app {

/// Draft-07, which editors' YAML servers understand; ends with a newline.
std::string PipelineJsonSchema(const elt::Catalog& catalog);

}  // namespace levada::app
