#pragma once
// The option `connections` of consumers that can read one partition of a table by several.

#include <string>
#include <vector>

#include "elt/options.h"

namespace levada::elt {

/// What `connections` says, 0 for auto: from 1 to `most`, and no more than 1 of a query or where
/// `whole_partitions` must stay together. `divided` is what each connection gets a part of, "the
/// blocks of a table". A problem is appended; what is returned then means nothing.
int ReadConnections(const Options& options, int most, bool whole_partitions,
                    const std::string& divided, std::vector<Diagnostic>& problems);

}  // namespace levada::elt
