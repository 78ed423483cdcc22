#pragma once
// Tee: one stream for several loaders, read once.

#include <memory>
#include <vector>

#include "base/context.h"
#include "elt/stream.h"

namespace levada::elt {

/// `count` streams that each give every batch of `upstream`, pulled on a thread of the tee's own as
/// fast as the slowest reader. A stream that is closed early no longer holds the others back; when
/// all are closed the upstream is.
std::vector<std::unique_ptr<BatchStream>> Tee(const Context& ctx,
                                              std::unique_ptr<BatchStream> upstream, size_t count,
                                              size_t batches_ahead);

}  // namespace levada::elt
