#pragma once
// CopyStream: one COPY as a stream of batches.

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/copy_out.h"
#include "elt/stream.h"
#include "formats/pgcopy/decoder.h"

namespace levada::postgres {

/// Takes over `copy` and `decoder`, which decodes `columns`. `position` goes into StreamEnd as it
/// is. ctx is copied; its counters get rows_read, bytes_read, source_wait_ns and decode_ns.
std::unique_ptr<elt::BatchStream> MakeCopyStream(const Context& ctx, std::unique_ptr<CopyOut> copy,
                                                 std::unique_ptr<pgcopy::Decoder> decoder,
                                                 std::vector<pgcopy::Column> columns,
                                                 std::string position);

}  // namespace levada::postgres
