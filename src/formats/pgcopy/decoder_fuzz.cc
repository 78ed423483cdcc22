// Any bytes as a COPY stream of any columns. Invariants: nothing is read or written out of bounds
// (sanitizers), batches are valid, and how the stream is cut into chunks changes neither them nor
// the error.
//
// Input: count of columns; rows per batch; bytes per chunk; for each column its kind, flags and
// bounds; the stream. testdata/capture.py writes seeds in this form.

#include <arrow/api.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "formats/pgcopy/decoder.h"

namespace levada::pgcopy {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kColumnsMax = 8;
constexpr ValueKind kKinds[] = {
    ValueKind::kBool,     ValueKind::kInt2,         ValueKind::kInt4,      ValueKind::kInt8,
    ValueKind::kOid,      ValueKind::kFloat4,       ValueKind::kFloat8,    ValueKind::kNumeric,
    ValueKind::kText,     ValueKind::kInternalChar, ValueKind::kJsonb,     ValueKind::kBytea,
    ValueKind::kDate,     ValueKind::kTime,         ValueKind::kTimestamp, ValueKind::kTimestamptz,
    ValueKind::kInterval, ValueKind::kUuid};
constexpr ValuePolicy kPolicies[] = {ValuePolicy::kError, ValuePolicy::kNull, ValuePolicy::kString,
                                     ValuePolicy::kDouble};
// The first stands for none.
constexpr NumericBounds kBounds[] = {{0, 0},  {15, 2}, {9, 0},  {18, 4}, {38, 20}, {76, 38},
                                     {3, -2}, {3, 5},  {10, 2}, {38, 0}, {76, 76}, {100, 50}};

uint8_t Take(Bytes& input) {
  if (input.empty()) return 0;
  const uint8_t byte = input.front();
  input = input.subspan(1);
  return byte;
}

ColumnType TakeType(Bytes& input) {
  ColumnType type;
  type.kind = kKinds[Take(input) % std::size(kKinds)];
  const uint8_t flags = Take(input);
  type.array = (flags & 1) != 0;
  type.nullable = (flags & 2) == 0;
  type.trim = (flags & 4) != 0;
  type.uuid_as_bytes = (flags & 8) != 0;
  type.special = kPolicies[flags >> 4 & 3];
  type.unbounded = kPolicies[flags >> 6];
  const size_t bounds = Take(input) % std::size(kBounds);
  if (bounds != 0) type.numeric = kBounds[bounds];
  return type;
}

void Require(bool holds, const std::string& what) {
  if (!holds) Status::Invalid(what).Abort();
}

struct Outcome {
  Status status;
  arrow::RecordBatchVector batches;
};

Outcome Decode(const std::vector<Column>& columns, const DecoderOptions& options, Bytes stream,
               size_t chunk_bytes) {
  Outcome outcome;
  auto decoder = Decoder::Make(columns, options, arrow::system_memory_pool());
  outcome.status = decoder.status();
  if (!decoder.ok()) return outcome;
  const auto take = [&] {
    while ((*decoder)->BatchReady()) outcome.batches.push_back(*(*decoder)->TakeBatch());
  };
  while (!stream.empty() && outcome.status.ok()) {
    const Bytes part = stream.first(std::min(chunk_bytes, stream.size()));
    // A copy of its own, so that a read behind it is seen.
    const std::vector<uint8_t> chunk(part.begin(), part.end());
    outcome.status = (*decoder)->Decode(chunk);
    take();
    stream = stream.subspan(part.size());
  }
  if (outcome.status.ok()) outcome.status = (*decoder)->Finish();
  take();
  return outcome;
}

void RequireSame(const Outcome& left, const Outcome& right) {
  Require(left.status.ToString() == right.status.ToString(), "another error in other chunks");
  if (!left.status.ok()) return;
  Require(left.batches.size() == right.batches.size(), "other batches in other chunks");
  const arrow::EqualOptions nans_equal = arrow::EqualOptions::Defaults().nans_equal(true);
  for (size_t i = 0; i < left.batches.size(); ++i) {
    Require(left.batches[i]->Equals(*right.batches[i], true, nans_equal),
            "other rows in other chunks");
  }
}

void DecodeBothWays(Bytes input) {
  std::vector<Column> columns(Take(input) % (kColumnsMax + 1));
  DecoderOptions options;
  options.batch_rows_max = 1 + Take(input);
  options.batch_bytes_max = 1 << 20;
  const size_t chunk_bytes = 1 + size_t{Take(input)};
  for (Column& column : columns) column = {"c", TakeType(input)};

  const Outcome whole = Decode(columns, options, input, std::max<size_t>(input.size(), 1));
  for (const auto& batch : whole.batches) {
    const Status valid = batch->ValidateFull();
    Require(valid.ok(), valid.ToString());
  }
  RequireSame(whole, Decode(columns, options, input, chunk_bytes));
}

}  // namespace
}  // namespace levada::pgcopy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::pgcopy::DecodeBothWays({data, size});
  return 0;
}
