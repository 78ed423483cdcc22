#include "formats/chnative/column_input.h"

#include <algorithm>

namespace levada::chnative {
namespace {

constexpr int64_t kFirstBytes = int64_t{1} << 20;

}  // namespace

Status ColumnInput::Take(int64_t size) {
  if (size <= bytes_left) {
    bytes_left -= size;
    return Status::OK();
  }
  return Fault(FaultCode::kSourceUnsupported, "a block becomes more bytes than it may")
      .Help("have the server send smaller blocks: settings: { max_block_size: 1000 }");
}

Result<std::shared_ptr<arrow::Buffer>> ColumnInput::Values(int64_t count, int64_t width) {
  const int64_t size = count * width;  // at most 2^31 times 2^24
  ARROW_RETURN_NOT_OK(Take(size));
  ARROW_ASSIGN_OR_RAISE(auto buffer,
                        arrow::AllocateResizableBuffer(std::min(size, kFirstBytes), pool));
  int64_t read = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(
        bytes.Bytes({buffer->mutable_data() + read, static_cast<size_t>(buffer->size() - read)}));
    read = buffer->size();
    if (read == size) break;
    ARROW_RETURN_NOT_OK(buffer->Resize(std::min(size, read * 2), false));
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Result<std::shared_ptr<arrow::Buffer>> ColumnInput::Room(int64_t size) {
  ARROW_RETURN_NOT_OK(Take(size));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(size, pool));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

}  // namespace levada::chnative
