#pragma once
// cast: converts columns to other types, exactly, with a word for the values that do not convert.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::cast {

/// A map of column -> type, or -> { type, on_error }.
const elt::OptionSpec& CastSpec();

/// `options` validated against CastSpec(). Every type name that is none is reported at once.
Result<std::unique_ptr<elt::Transformer>> MakeCast(const elt::Options& options);

}  // namespace levada::cast
