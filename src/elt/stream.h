#pragma once
// BatchStream: how rows move between stages. Pulling is the backpressure.

#include <arrow/record_batch.h>

#include <memory>

#include "elt/run.h"

namespace levada::elt {

/// An Arrow reader that can tell a complete end from a broken one. One consumer thread at a time.
///
/// ReadNext sets null at the end of the data; only a Finish that then returns OK makes that end a
/// success. A stream dropped or closed earlier has failed and its rows must not be published.
/// Batches are immutable and may be kept.
class BatchStream : public arrow::RecordBatchReader {
 public:
  /// Once, after ReadNext gave null. kSourceProtocol when the source broke off or disagrees with
  /// itself.
  virtual Result<StreamEnd> Finish() = 0;
  /// Cancels whatever is upstream and releases it; idempotent; never waits more than 1 s. The
  /// destructor calls it.
  Status Close() override = 0;
};

}  // namespace levada::elt
