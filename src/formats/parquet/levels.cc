#include "formats/parquet/levels.h"

#include <arrow/type_traits.h>
#include <arrow/util/bit_run_reader.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <cstring>

#include "formats/parquet/hybrid.h"

namespace levada::parquet_format {
namespace {

using arrow::ArrayData;

bool MayHaveNulls(const ArrayData& data) {
  return data.buffers[0] != nullptr && data.null_count != 0;
}

bool IsNull(const ArrayData& data, int64_t slot) {
  return MayHaveNulls(data) && !arrow::bit_util::GetBit(data.buffers[0]->data(), slot);
}

Fault NullInRequired(const LeafPlan& leaf) {
  return Fault(FaultCode::kValueRefused,
               "column \"" + leaf.path + "\": NULL in a column that is declared NOT NULL")
      .With("column", leaf.path);
}

/// Depth-first over the path of one leaf. Slots count from the first of the array's buffers: offset
/// included.
class NestedReader {
 public:
  NestedReader(const LeafPlan& leaf, LeafChunk* out) : leaf_(leaf), out_(out) {}

  /// False where a NULL has no place.
  bool Read(const ArrayData& data, int64_t slot) { return Visit(0, data, slot, 0, 0, 0); }

 private:
  bool Visit(size_t depth, const ArrayData& data, int64_t slot, int16_t definition,
             int16_t repetition, int16_t lists_above) {
    const PathNode& node = leaf_.nodes[depth];
    if (IsNull(data, slot)) {
      Emit(definition, repetition);
      return node.nullable;
    }
    if (node.nullable) ++definition;
    switch (node.kind) {
      case PathNode::Kind::kLeaf:
        Emit(definition, repetition);
        AddValues(data, slot, 1);
        return true;
      case PathNode::Kind::kStruct: {
        const ArrayData& child = *data.child_data[node.child];
        return Visit(depth + 1, child, child.offset + slot, definition, repetition, lists_above);
      }
      case PathNode::Kind::kList:
        return VisitList<int32_t>(depth, data, slot, definition, repetition, lists_above);
      case PathNode::Kind::kLargeList:
        return VisitList<int64_t>(depth, data, slot, definition, repetition, lists_above);
    }
    return false;
  }

  template <typename Offset>
  bool VisitList(size_t depth, const ArrayData& data, int64_t slot, int16_t definition,
                 int16_t repetition, int16_t lists_above) {
    const auto* offsets = reinterpret_cast<const Offset*>(data.buffers[1]->data());
    const int64_t begin = offsets[slot];
    const int64_t end = offsets[slot + 1];
    if (begin == end) {
      Emit(definition, repetition);
      return true;
    }
    ++definition;
    ++lists_above;
    const ArrayData& child = *data.child_data[0];
    const PathNode& below = leaf_.nodes[depth + 1];
    if (below.kind == PathNode::Kind::kLeaf && !MayHaveNulls(child)) {
      const auto level = static_cast<int16_t>(definition + (below.nullable ? 1 : 0));
      out_->definition.insert(out_->definition.end(), end - begin, level);
      out_->repetition.push_back(repetition);
      out_->repetition.insert(out_->repetition.end(), end - begin - 1, lists_above);
      AddValues(child, child.offset + begin, end - begin);
      return true;
    }
    bool valid = true;
    for (int64_t i = begin; i < end; ++i) {
      valid &= Visit(depth + 1, child, child.offset + i, definition,
                     i == begin ? repetition : lists_above, lists_above);
    }
    return valid;
  }

  void Emit(int16_t definition, int16_t repetition) {
    out_->definition.push_back(definition);
    out_->repetition.push_back(repetition);
  }

  void AddValues(const ArrayData& data, int64_t slot, int64_t count) {
    const int64_t start = slot - data.offset;
    auto& runs = out_->runs;
    if (!runs.empty() && runs.back().leaf == &data &&
        runs.back().start + runs.back().length == start) {
      runs.back().length += count;
    } else {
      runs.push_back({&data, start, count});
    }
    out_->value_count += count;
  }

  const LeafPlan& leaf_;
  LeafChunk* out_;
};

void ReadFlat(std::span<const ColumnSlice> slices, LeafChunk* out) {
  for (const ColumnSlice& slice : slices) {
    out->level_count += slice.length;
    if (!MayHaveNulls(*slice.data)) {
      out->runs.push_back({slice.data, slice.start, slice.length});
      out->value_count += slice.length;
      continue;
    }
    arrow::internal::VisitSetBitRunsVoid(
        slice.data->buffers[0]->data(), slice.data->offset + slice.start, slice.length,
        [&](int64_t position, int64_t length) {
          out->runs.push_back({slice.data, slice.start + position, length});
          out->value_count += length;
        });
  }
}

/// The page's definition levels of a flat column are its validity bitmap.
Status AppendFlatDefinition(std::span<const ColumnSlice> slices, const LeafChunk& chunk,
                            arrow::BufferBuilder* out) {
  if (chunk.value_count == chunk.level_count) return AppendHybridRun(1, chunk.level_count, 1, out);
  if (chunk.value_count == 0) return AppendHybridRun(0, chunk.level_count, 1, out);
  std::vector<uint8_t> bitmap(arrow::bit_util::BytesForBits(chunk.level_count), 0);
  int64_t at = 0;
  for (const ColumnSlice& slice : slices) {
    if (MayHaveNulls(*slice.data)) {
      arrow::internal::CopyBitmap(slice.data->buffers[0]->data(), slice.data->offset + slice.start,
                                  slice.length, bitmap.data(), at);
    } else {
      arrow::bit_util::SetBitsTo(bitmap.data(), at, slice.length, true);
    }
    at += slice.length;
  }
  return AppendHybridBits(bitmap.data(), chunk.level_count, out);
}

/// Runs `append` between a length prefix and the end it measures.
template <typename Append>
Status AppendPrefixed(arrow::BufferBuilder* out, Append append) {
  const int64_t prefix_at = out->length();
  ARROW_RETURN_NOT_OK(out->Append(sizeof(uint32_t), 0));
  ARROW_RETURN_NOT_OK(append());
  const auto length = static_cast<uint32_t>(out->length() - prefix_at - sizeof(uint32_t));
  std::memcpy(out->mutable_data() + prefix_at, &length, sizeof(length));
  return Status::OK();
}

template <typename Offset>
std::pair<int64_t, int64_t> OffsetRange(const ArrayData& data, int64_t start, int64_t length) {
  const auto* offsets = data.GetValues<Offset>(1) + start;
  return {offsets[0], offsets[length]};
}

template <typename Offset>
int64_t VariableBytes(const ArrayData& data, int64_t start, int64_t length) {
  if (length == 0) return 0;
  const auto [begin, end] = OffsetRange<Offset>(data, start, length);
  return end - begin + length * static_cast<int64_t>(sizeof(uint32_t));
}

template <typename Offset>
int64_t ListBytes(const ArrayData& data, int64_t start, int64_t length) {
  if (length == 0) return 0;
  const auto [begin, end] = OffsetRange<Offset>(data, start, length);
  return length + PlainBytes(*data.child_data[0], begin, end - begin);
}

}  // namespace

Status ReadChunk(const LeafPlan& leaf, std::span<const ColumnSlice> slices, LeafChunk* out) {
  out->definition.clear();
  out->repetition.clear();
  out->runs.clear();
  out->level_count = 0;
  out->value_count = 0;
  if (leaf.flat()) {
    ReadFlat(slices, out);
    if (!leaf.nodes[0].nullable && out->value_count != out->level_count)
      return NullInRequired(leaf);
    return Status::OK();
  }
  NestedReader reader(leaf, out);
  for (const ColumnSlice& slice : slices) {
    for (int64_t i = 0; i < slice.length; ++i) {
      if (!reader.Read(*slice.data, slice.data->offset + slice.start + i))
        return NullInRequired(leaf);
    }
  }
  out->level_count = static_cast<int64_t>(out->definition.size());
  return Status::OK();
}

Status AppendLevels(const LeafPlan& leaf, std::span<const ColumnSlice> slices,
                    const LeafChunk& chunk, arrow::BufferBuilder* out) {
  const int16_t max_repetition = leaf.descriptor->max_repetition_level();
  const int16_t max_definition = leaf.descriptor->max_definition_level();
  if (max_repetition > 0) {
    ARROW_RETURN_NOT_OK(AppendPrefixed(out, [&] {
      return AppendHybrid(chunk.repetition.data(), chunk.level_count, BitWidthOf(max_repetition),
                          out);
    }));
  }
  if (max_definition == 0) return Status::OK();
  return AppendPrefixed(out, [&] {
    if (leaf.flat()) return AppendFlatDefinition(slices, chunk, out);
    return AppendHybrid(chunk.definition.data(), chunk.level_count, BitWidthOf(max_definition),
                        out);
  });
}

int64_t PlainBytes(const ArrayData& data, int64_t start, int64_t length) {
  switch (data.type->id()) {
    case arrow::Type::BOOL:
      return length;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return VariableBytes<int32_t>(data, start, length);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return VariableBytes<int64_t>(data, start, length);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return ListBytes<int32_t>(data, start, length);
    case arrow::Type::LARGE_LIST:
      return ListBytes<int64_t>(data, start, length);
    case arrow::Type::STRUCT: {
      int64_t total = 0;
      for (const auto& child : data.child_data)
        total += PlainBytes(*child, data.offset + start, length);
      return total;
    }
    default:
      return length * data.type->byte_width();
  }
}

}  // namespace levada::parquet_format
