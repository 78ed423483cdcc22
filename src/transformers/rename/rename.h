#pragma once
// rename: gives columns other names. Values, types and order stay.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::rename {

/// A map of old name -> new name, at least one.
const elt::OptionSpec& RenameSpec();

/// `options` validated against RenameSpec().
std::unique_ptr<elt::Transformer> MakeRename(const elt::Options& options);

}  // namespace levada::rename
