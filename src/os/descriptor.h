#pragma once
// Descriptor: a file descriptor with one owner.

#include <unistd.h>

#include <utility>

namespace levada::os {

class Descriptor final {
 public:
  Descriptor() = default;
  /// -1: none.
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  /// To another owner.
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace levada::os
