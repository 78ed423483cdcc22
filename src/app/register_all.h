#pragma once
// RegisterAll: fills the catalog with every kind of stage this binary has. Its source is generated
// at configure time from the folders of src/connectors and src/transformers (cmake/Register.cmake),
// so that adding a kind edits no list.

#include "elt/catalog.h"

namespace levada::app {

/// Calls levada::<folder>::Register for each folder, connectors first, each group by name.
void RegisterAll(elt::Catalog& catalog);

}  // namespace levada::app
