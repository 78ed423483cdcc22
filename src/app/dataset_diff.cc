#include "app/dataset_diff.h"

#include <algorithm>
#include <set>
#include <utility>

#include "elt/row_hash.h"
#include "elt/row_json.h"
#include "spill/record_sorter.h"
#include "spill/row_keys.h"

namespace levada::app {
namespace {

constexpr int64_t kSortBytes = 128 << 20;
constexpr int64_t kRecordsPerCheck = 1 << 16;

// Calls `take(batch)` for every batch, cut down to `columns`.
template <typename Take>
Status ForEachBatch(Context& ctx, const OpenSide& open, const std::vector<std::string>& columns,
                    Take take) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, open(ctx));
  std::vector<int> indices;
  for (const std::string& name : columns) {
    indices.push_back(stream->schema()->GetFieldIndex(name));
  }
  while (true) {
    elt::BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(batch, batch->SelectColumns(indices));
    ARROW_RETURN_NOT_OK(take(*batch));
  }
  return stream->Finish().status();
}

Status HashSide(Context& ctx, const OpenSide& open, const std::vector<std::string>& columns,
                DatasetSide& side) {
  elt::RowHasher hasher;
  ARROW_RETURN_NOT_OK(ForEachBatch(
      ctx, open, columns, [&](const arrow::RecordBatch& batch) { return hasher.Update(batch); }));
  side.rows = hasher.rows();
  side.hash = hasher.Hex();
  return Status::OK();
}

// A record is a row: its fingerprint, which side it is of, and its place there.
enum Side : char { kA = 'a', kB = 'b' };
constexpr size_t kPlaceBytes = 8;

Status SortSide(Context& ctx, const OpenSide& open, const std::vector<std::string>& columns,
                Side side, spill::RecordSorter& sorter) {
  int64_t place = 0;
  std::string record;
  std::vector<int> all(columns.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  return ForEachBatch(ctx, open, columns, [&](const arrow::RecordBatch& batch) {
    ARROW_ASSIGN_OR_RAISE(const auto keys, spill::RowKeys::Of(batch, all));
    for (int64_t row = 0; row < batch.num_rows(); ++row, ++place) {
      const auto [low, high] = keys.Fingerprint(row);
      record.assign(reinterpret_cast<const char*>(&high), sizeof(high));
      record += side;
      for (int shift = 56; shift >= 0; shift -= 8) record += static_cast<char>(place >> shift);
      ARROW_RETURN_NOT_OK(sorter.Add({low, record}));
    }
    return Status::OK();
  });
}

int64_t PlaceOf(std::string_view record) {
  uint64_t place = 0;
  for (const char c : record.substr(record.size() - kPlaceBytes)) {
    place = place << 8 | static_cast<uint8_t>(c);
  }
  return static_cast<int64_t>(place);
}

// Places of the first rows that one side has and the other has not; and how many there are.
struct Alone {
  int64_t count = 0;
  std::set<int64_t> first;

  void Add(int64_t place, int64_t keep) {
    ++count;
    first.insert(place);
    if (static_cast<int64_t>(first.size()) > keep) first.erase(std::prev(first.end()));
  }
};

// Rows of one fingerprint: as many of each side as the other has cancel each other out.
struct Group {
  uint64_t low = 0;
  std::string high;
  std::vector<int64_t> a, b;

  void Close(int64_t keep, Alone& only_a, Alone& only_b) {
    const size_t both = std::min(a.size(), b.size());
    for (size_t i = both; i < a.size(); ++i) only_a.Add(a[i], keep);
    for (size_t i = both; i < b.size(); ++i) only_b.Add(b[i], keep);
    a.clear();
    b.clear();
  }
};

Status Match(Context& ctx, spill::RecordSorter& sorter, int64_t keep, Alone& only_a,
             Alone& only_b) {
  ARROW_RETURN_NOT_OK(sorter.Sort(ctx));
  Group group;
  spill::SortRecord record;
  for (int64_t count = 0;; ++count) {
    if (count % kRecordsPerCheck == 0) ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_ASSIGN_OR_RAISE(const bool any, sorter.Next(&record));
    if (!any) break;
    const std::string_view high = record.bytes.substr(0, sizeof(uint64_t));
    if (record.rank != group.low || high != group.high) {
      group.Close(keep, only_a, only_b);
      group.low = record.rank;
      group.high = high;
    }
    auto& places = record.bytes[sizeof(uint64_t)] == kA ? group.a : group.b;
    places.push_back(PlaceOf(record.bytes));
  }
  group.Close(keep, only_a, only_b);
  return Status::OK();
}

Status ReadExamples(Context& ctx, const OpenSide& open, const std::vector<std::string>& columns,
                    const Alone& alone, DatasetSide& side) {
  side.rows_alone = alone.count;
  if (alone.first.empty()) return Status::OK();
  int64_t begin = 0;
  return ForEachBatch(ctx, open, columns, [&](const arrow::RecordBatch& batch) {
    for (auto place = alone.first.lower_bound(begin);
         place != alone.first.end() && *place < begin + batch.num_rows(); ++place) {
      ARROW_ASSIGN_OR_RAISE(side.examples.emplace_back(), elt::RowJson(batch, *place - begin));
    }
    begin += batch.num_rows();
    return Status::OK();
  });
}

Result<elt::SchemaPtr> SchemaOf(Context& ctx, const OpenSide& open) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, open(ctx));
  return stream->schema();
}

}  // namespace

Result<DatasetDiff> DiffDatasets(Context& ctx, const OpenSide& a, const OpenSide& b,
                                 const spill::ScratchSpace& space, int64_t examples) {
  DatasetDiff diff;
  ARROW_ASSIGN_OR_RAISE(diff.a.schema, SchemaOf(ctx, a));
  ARROW_ASSIGN_OR_RAISE(diff.b.schema, SchemaOf(ctx, b));
  diff.schema_difference = elt::SchemaDifference(elt::SchemaFingerprint(*diff.a.schema),
                                                 elt::SchemaFingerprint(*diff.b.schema));
  for (const std::string& name : diff.a.schema->field_names()) {
    if (diff.b.schema->GetFieldIndex(name) >= 0) diff.columns.push_back(name);
  }
  ARROW_RETURN_NOT_OK(HashSide(ctx, a, diff.columns, diff.a));
  ARROW_RETURN_NOT_OK(HashSide(ctx, b, diff.columns, diff.b));
  if (diff.a.rows == diff.b.rows && diff.a.hash == diff.b.hash) return diff;
  spill::RecordSorter sorter(space, kSortBytes);
  ARROW_RETURN_NOT_OK(SortSide(ctx, a, diff.columns, kA, sorter));
  ARROW_RETURN_NOT_OK(SortSide(ctx, b, diff.columns, kB, sorter));
  Alone only_a, only_b;
  ARROW_RETURN_NOT_OK(Match(ctx, sorter, examples, only_a, only_b));
  ARROW_RETURN_NOT_OK(ReadExamples(ctx, a, diff.columns, only_a, diff.a));
  ARROW_RETURN_NOT_OK(ReadExamples(ctx, b, diff.columns, only_b, diff.b));
  return diff;
}

}  // namespace levada::app
