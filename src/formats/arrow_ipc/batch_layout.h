#pragma once
// BatchLayout: what the metadata of a record batch message says of its body, read before anything
// is made of it. Arrow's reader believes some of it: how large a compressed buffer will be, and
// that buffers do not overlap.
//
// Source: Message.fbs of the Arrow format (RecordBatch, Buffer, BodyCompression) and FlatBuffers'
// internals document.

#include <cstdint>
#include <span>

#include "base/fault.h"

namespace levada::arrow_ipc {

struct BatchLayout {
  int64_t rows = 0;
  int64_t body_bytes = 0;     ///< of the buffers, as they came
  int64_t decoded_bytes = 0;  ///< of the buffers, decompressed
};

/// `metadata` is the flatbuffer of a message of type RECORD_BATCH, `body` what follows it.
/// kSourceProtocol for what does not fit together: buffers outside of the body or over each other,
/// negative counts.
Result<BatchLayout> ReadBatchLayout(std::span<const uint8_t> metadata,
                                    std::span<const uint8_t> body);

}  // namespace levada::arrow_ipc
