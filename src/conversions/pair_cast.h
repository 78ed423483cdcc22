#pragma once
// The one loop of every cast: values of a family, a block at a time, through a target into a
// builder. Included by the three files that define targets and instantiate it for them.

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "conversions/cast_sources.h"
#include "conversions/cast_targets.h"

namespace levada::conversions {

template <typename Target, typename From>
class PairCast final : public ColumnCast {
 public:
  PairCast(ReadBlock<From> read, CastTarget target) : read_(read), target_(std::move(target)) {}

  Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& values,
                             arrow::MemoryPool* pool) const override {
    Target convert(target_);
    typename Target::Builder builder(target_.type, pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(values->length()));
    CastColumn column;
    std::array<From, kBlock> block;
    for (int64_t begin = 0; begin < values->length(); begin += kBlock) {
      const int64_t count = std::min(kBlock, values->length() - begin);
      read_(*values, begin, count, block.data());
      ARROW_RETURN_NOT_OK(Append(*values, begin, {block.data(), static_cast<size_t>(count)},
                                 convert, builder, column.failures));
    }
    ARROW_RETURN_NOT_OK(builder.Finish(&column.values));
    return column;
  }

 private:
  static constexpr int64_t kBlock = 256;  // of at most 40 bytes: the first cache holds them

  static Status Append(const arrow::Array& values, int64_t begin, std::span<const From> block,
                       Target& convert, typename Target::Builder& builder,
                       std::vector<CastFailure>& failures) {
    const bool no_nulls = values.null_count() == 0;
    int64_t row = begin;
    for (const From& from : block) {
      typename Target::Value value{};
      if (!no_nulls && values.IsNull(row)) {
        builder.UnsafeAppendNull();
      } else if (const Problem problem = convert(from, value); problem != nullptr) {
        failures.push_back({row, problem});
        builder.UnsafeAppendNull();
      } else if constexpr (std::is_same_v<typename Target::Value, std::string_view>) {
        ARROW_RETURN_NOT_OK(builder.Append(value));  // its bytes were not reserved
      } else {
        builder.UnsafeAppend(value);
      }
      ++row;
    }
    return Status::OK();
  }

  const ReadBlock<From> read_;
  const CastTarget target_;
};

/// Null where the target has no conversion from the family of `from`.
template <typename Target>
std::unique_ptr<ColumnCast> MakePair(const arrow::DataType& from, const CastTarget& to) {
  const auto make = [&to]<typename Reader>(Reader reader) -> std::unique_ptr<ColumnCast> {
    if constexpr (std::is_pointer_v<Reader>) {
      using From = decltype([]<typename V>(ReadBlock<V>) { return V{}; }(reader));
      if constexpr (std::invocable<Target&, const From&, typename Target::Value&>) {
        return std::make_unique<PairCast<Target, From>>(reader, to);
      }
    }
    return nullptr;
  };
  return std::visit(make, ReaderOf(from));
}

}  // namespace levada::conversions
