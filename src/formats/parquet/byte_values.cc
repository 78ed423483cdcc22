#include "formats/parquet/byte_values.h"

#include <cstring>

#include "formats/parquet/leaf_values.h"

namespace levada::parquet_format {
namespace {

/// What reading the prefix of the last value may look at beyond it.
constexpr int64_t kPrefixSlack = 8;

uint8_t* End(arrow::BufferBuilder& builder) { return builder.mutable_data() + builder.length(); }

}  // namespace

Status AppendPlainBytes(const LeafPlan& leaf, std::span<const Run> runs, Extremes* extremes,
                        arrow::BufferBuilder* page) {
  const int64_t count = CountOf(runs);
  ARROW_RETURN_NOT_OK(page->Reserve(SumOfLengths(leaf, runs) +
                                    count * static_cast<int64_t>(sizeof(uint32_t)) + kPrefixSlack));
  uint8_t* out = End(*page);
  const uint8_t* begin = out;
  VisitBytes(leaf, runs, [&](std::string_view value) {
    const auto length = static_cast<uint32_t>(value.size());
    std::memcpy(out, &length, sizeof(length));
    out += sizeof(length);
    if (length != 0) std::memcpy(out, value.data(), length);
    if (extremes != nullptr && extremes->MayMatter(Extremes::PrefixOf(out, length))) {
      extremes->AddBytes(value);
    }
    out += length;
  });
  page->UnsafeAdvance(out - begin);
  if (extremes != nullptr) extremes->Settle();
  return Status::OK();
}

Status AppendDeltaLengthBytes(const LeafPlan& leaf, std::span<const Run> runs, DeltaEncoder* delta,
                              arrow::BufferBuilder* lengths, Extremes* extremes,
                              arrow::BufferBuilder* page) {
  const auto count = static_cast<size_t>(CountOf(runs));
  lengths->Rewind(0);
  ARROW_RETURN_NOT_OK(lengths->Reserve(static_cast<int64_t>(count * sizeof(uint32_t))));
  const std::span<uint32_t> each(reinterpret_cast<uint32_t*>(lengths->mutable_data()), count);
  const int64_t total = GatherLengths(leaf, runs, each.data());
  ARROW_ASSIGN_OR_RAISE(const auto encoded, delta->Encode(std::span<const uint32_t>(each)));
  ARROW_RETURN_NOT_OK(page->Reserve(encoded->size() + total + kPrefixSlack));
  page->UnsafeAppend(encoded->data(), encoded->size());
  uint8_t* value = End(*page);
  GatherBytes(leaf, runs, value);
  page->UnsafeAdvance(total);
  if (extremes == nullptr) return Status::OK();
  for (const uint32_t length : each) {
    if (extremes->MayMatter(Extremes::PrefixOf(value, length))) {
      extremes->AddBytes({reinterpret_cast<const char*>(value), length});
    }
    value += length;
  }
  extremes->Settle();
  return Status::OK();
}

}  // namespace levada::parquet_format
