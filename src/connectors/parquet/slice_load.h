#pragma once
// Load of one slice: a stream of batches into staged files, by directory where the layout says so.

#include "base/context.h"
#include "connectors/parquet/file_sequence.h"
#include "elt/run.h"
#include "elt/stream.h"

namespace levada::parquet {

/// Pulls `stream` to its end and calls its Finish. Every staged file is durable after OK; after an
/// error those named to target.on_staged are to be removed.
///
/// The first slice of the first partition leaves a file even of no rows, so that a run without rows
/// is a dataset that readers can open: it has a schema.
Result<elt::Receipt> LoadSlice(Context& ctx, const SliceTarget& target, elt::BatchStream& stream);

}  // namespace levada::parquet
