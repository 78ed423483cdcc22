#pragma once
// BlockInput: the bytes of a stream in pieces that hold whole rows, in bounded memory.

#include <arrow/io/interfaces.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.h"

namespace levada::files {

/// Longest row that is read.
inline constexpr size_t kRowBytesMax = 16 << 20;

class BlockInput final {
 public:
  explicit BlockInput(std::shared_ptr<arrow::io::InputStream> input) : input_(std::move(input)) {}

  /// The next bytes: at least `size` of them unless the stream ends before.
  Result<std::string_view> Peek(const Context& ctx, size_t size) {
    while (!is_over_ && buffer_.size() - at_ < size) {
      ARROW_RETURN_NOT_OK(ctx.Check());
      buffer_.erase(0, at_);
      at_ = 0;
      const size_t before = buffer_.size();
      const size_t wanted = std::max(size - before, kReadBytes);
      buffer_.resize(before + wanted);
      auto read = input_->Read(static_cast<int64_t>(wanted), buffer_.data() + before);
      buffer_.resize(before + (read.ok() ? static_cast<size_t>(*read) : 0));
      ARROW_RETURN_NOT_OK(read.status());
      is_over_ = *read == 0;
    }
    return std::string_view(buffer_).substr(at_);
  }
  void Consume(size_t size) { at_ += size; }
  /// Peek shows all that is left.
  bool is_over() const { return is_over_; }

 private:
  static constexpr size_t kReadBytes = 256 << 10;

  const std::shared_ptr<arrow::io::InputStream> input_;
  std::string buffer_;
  size_t at_ = 0;
  bool is_over_ = false;
};

}  // namespace levada::files
