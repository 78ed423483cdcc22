#pragma once
// InputBuffer: bytes that a connection has received and nobody has taken yet, in one piece. Small
// while there is little in it: ten thousand idle connections have one each.

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace levada::net {

class InputBuffer final {
 public:
  /// Until the next Room.
  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  void Consume(size_t size) { begin_ += size; }

  /// Where at least `size` more bytes fit; Filled says how many came.
  std::span<char> Room(size_t size) {
    if (empty()) begin_ = end_ = 0;
    if (capacity_ - end_ < size) MakeRoom(size);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void Filled(size_t size) { end_ += size; }

  /// Gives back what a large header or body needed. Only when empty.
  void Shrink() {
    if (capacity_ <= kKeptBytes) return;
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr size_t kFirstBytes = 4 * 1024;
  static constexpr size_t kKeptBytes = 16 * 1024;

  void MakeRoom(size_t size) {
    const size_t used = end_ - begin_;
    if (capacity_ - used >= size) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, used);
    } else {
      const size_t capacity = std::max({kFirstBytes, 2 * capacity_, used + size});
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (used > 0) std::memcpy(larger.get(), bytes_.get() + begin_, used);
      bytes_ = std::move(larger);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace levada::net
