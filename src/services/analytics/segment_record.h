#pragma once
// The records of a segment, as bytes (docs/wire/analytics.md). Pure functions: what stands between
// a damaged disk and segment.h.
//
// A batch is what was written with one fsync. Its head and its body carry a CRC-64/NVME each, of
// themselves, of where they stand and of the segment's salt: bytes of another place, another file
// or of a client who knows the format are no record.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace levada::services::analytics {

/// Rows of one dataset and one week, in the engine's RowBinary.
struct Rows {
  uint64_t dataset = 0;  ///< the number of its resource
  uint32_t week = 0;     ///< its Monday, in days since 1970
  uint32_t count = 0;
  std::string bytes;
  friend bool operator==(const Rows&, const Rows&) = default;
};

struct SegmentIdentity {
  uint64_t number = 0;  ///< never given twice
  uint64_t salt = 0;    ///< that no client knows
};

/// Where a batch stands.
struct BatchPlace {
  SegmentIdentity segment;
  int64_t offset = 0;
};

struct BatchHead {
  bool is_end = false;  ///< nothing follows: the segment was ended in order
  uint32_t body_bytes = 0;
  uint64_t sequence = 0;  ///< batches before it
};

constexpr size_t kSegmentHeadBytes = 8 + 8 + 8 + 8;
constexpr size_t kBatchHeadBytes = 4 + 4 + 8 + 8;
constexpr size_t kCheckBytes = 8;
constexpr size_t kRowsHeadBytes = 8 + 4 + 4 + 4;
/// Of a batch: more is refused where it is written.
constexpr size_t kBodyBytesMax = size_t{64} << 20;

std::string EncodeSegmentHead(const SegmentIdentity& segment);
/// nullopt where `bytes` are too short, or not what was written.
std::optional<SegmentIdentity> DecodeSegmentHead(std::string_view bytes);

size_t BodyBytesOf(std::span<const Rows> rows);
/// Head, body and the body's check. Precondition: BodyBytesOf(rows) <= kBodyBytesMax.
std::string EncodeBatch(const BatchPlace& place, uint64_t sequence, std::span<const Rows> rows);
std::string EncodeEnd(const BatchPlace& place, uint64_t sequence);
/// Of the first kBatchHeadBytes of `bytes`.
std::optional<BatchHead> DecodeBatchHead(const BatchPlace& place, std::string_view bytes);
/// `bytes`: what follows the head, of which body and check are taken. nullopt where they are not
/// all there, or not what was written.
std::optional<std::vector<Rows>> DecodeBatchBody(const BatchPlace& place, const BatchHead& head,
                                                 std::string_view bytes);
/// Head, body and check.
size_t SizeOf(const BatchHead& head);

}  // namespace levada::services::analytics
