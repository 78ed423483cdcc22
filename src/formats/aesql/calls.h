#pragma once
// Calls: a function of the table with the arguments that were found for it, as a node of the
// engine's. For the sources of this folder only.

#include <optional>
#include <string>
#include <vector>

#include "formats/aesql/functions.h"
#include "formats/aesql/query.h"
#include "formats/aesql/refusal.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// Checks how many, of which kinds, and which must be literals. `call` is what was written;
/// `parameters` and `arguments` are of it, bound, without the star of count(*). Aggregates may
/// stand here: whether they may where the call is, the caller has asked.
std::optional<Node> BindCall(const Function& function, const Syntax& call,
                             std::vector<Node> parameters, std::vector<Node> arguments,
                             Refusal& refusal);

}  // namespace levada::aesql
