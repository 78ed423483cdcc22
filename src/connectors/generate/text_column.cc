#include "connectors/generate/text_column.h"

#include <arrow/buffer.h>

namespace levada::generate {
namespace {

class TextColumn final : public Column {
 public:
  TextColumn(std::shared_ptr<arrow::Field> field, TextForm form, const NullRule& nulls)
      : texts_(std::move(form.texts)), nulls_(nulls), bytes_max_(form.bytes_max) {
    shape_.field = std::move(field);
    shape_.value_bytes = form.average_bytes;
    shape_.row_bytes_max =
        bytes_max_ + static_cast<int64_t>(sizeof(int32_t)) + (nulls_.any() ? 1 : 0);
    shape_.distinct = form.distinct;
    shape_.null_fraction = nulls_.fraction();
  }

  const ColumnShape& shape() const override { return shape_; }

  Result<std::shared_ptr<arrow::Array>> Make(int64_t first_row, int64_t rows,
                                             arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(NullRule::Validity validity, nulls_.Make(first_row, rows, pool));
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> offsets,
        arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t)), pool));
    ARROW_ASSIGN_OR_RAISE(
        std::unique_ptr<arrow::ResizableBuffer> values,
        arrow::AllocateResizableBuffer(rows * bytes_max_ + kTextSlackBytes, pool));
    auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    ends[0] = 0;
    const uint8_t* behind =
        texts_->Fill(first_row, rows, validity.bits == nullptr ? nullptr : validity.bits->data(),
                     ends, values->mutable_data());
    // Loaders keep batches and count what is in them, so nothing unused may stay allocated.
    ARROW_RETURN_NOT_OK(values->Resize(behind - values->data(), /*shrink_to_fit=*/true));
    return arrow::MakeArray(arrow::ArrayData::Make(
        shape_.field->type(), rows,
        {std::move(validity.bits), std::move(offsets), std::move(values)}, validity.null_count));
  }

 private:
  ColumnShape shape_;
  const std::unique_ptr<Texts> texts_;
  const NullRule nulls_;
  const int64_t bytes_max_;
};

}  // namespace

std::unique_ptr<Column> MakeTextColumn(std::shared_ptr<arrow::Field> field, TextForm form,
                                       const NullRule& nulls) {
  return std::make_unique<TextColumn>(std::move(field), std::move(form), nulls);
}

}  // namespace levada::generate
