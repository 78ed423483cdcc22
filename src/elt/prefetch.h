#pragma once
// Prefetch: pulls a stream on a thread of its own, a bounded number of batches ahead, so that
// reading and writing overlap. What it reads ahead is bounded twice: by batches, and by the pool's
// budget between two batches.

#include <memory>

#include "base/context.h"
#include "elt/stream.h"

namespace levada::elt {

/// `ctx` is copied. The upstream is pulled, finished and closed on the new thread only; an error of
/// it is returned by the ReadNext that would have given its batch. Close and the destructor stop
/// and join the thread.
std::unique_ptr<BatchStream> Prefetch(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                                      size_t batches_ahead);

}  // namespace levada::elt
