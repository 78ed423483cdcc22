#pragma once
// LoadConnection: one client of the load generator: sends a request, reads its reply, and says when
// it is there. It never has two requests under way. Where a server closes behind a reply, as it
// may, the next request goes over a new connection.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/http_reply.h"

namespace levada::bench {

class LoadConnection final {
 public:
  enum class State : uint8_t {
    kReading,   ///< all was sent that the kernel takes; wait for bytes
    kSending,   ///< wait until the kernel takes more, or for bytes
    kComplete,  ///< the reply is there
    kBroken,    ///< it ended in the middle, or sent what is no reply
  };

  /// To 127.0.0.1. `epoll_fd` outlives it; `index` is what its events carry.
  LoadConnection(uint16_t port, int epoll_fd, uint32_t index, std::unique_ptr<ReplyReader> reply);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  /// False: nobody takes connections at the port. Blocks until there is one.
  bool Connect();
  /// Begins a request; `body` lives until it is answered.
  State Send(std::string head, std::string_view body);
  /// Call it when epoll names this one.
  State Go();
  /// Whether the next request needs Connect first.
  bool is_closed() const { return fd_ < 0; }
  const ReplyReader& reply() const { return *reply_; }
  /// When the request that is under way began, as its owner counts. For the owner alone.
  uint64_t began_ns = 0;

 private:
  void Close();
  bool Write();
  bool Read();
  void Watch(uint32_t events);

  const uint16_t port_;
  const int epoll_fd_;
  const uint32_t index_;
  const std::unique_ptr<ReplyReader> reply_;
  int fd_ = -1;
  uint32_t watched_ = 0;
  std::string head_;
  std::string_view head_left_;
  std::string_view body_left_;
};

}  // namespace levada::bench
