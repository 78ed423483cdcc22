#pragma once
// Loader "postgres": the interface of elt/stages.h over one table of a server.

#include <memory>

#include "connectors/postgres/loader_options.h"
#include "elt/catalog.h"
#include "elt/stages.h"

namespace levada::postgres {

/// `input.random` outlives the loader.
std::unique_ptr<elt::Loader> MakePostgresLoader(LoaderOptions options,
                                                const elt::StageInput& input);

}  // namespace levada::postgres
