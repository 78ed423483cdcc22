#include "bench/load_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace levada::bench {
namespace {

// Of large bodies a call reads as much as a client that means to keep them would.
constexpr size_t kReadBytes = 256 * 1024;

}  // namespace

LoadConnection::LoadConnection(uint16_t port, int epoll_fd, uint32_t index,
                               std::unique_ptr<ReplyReader> reply)
    : port_(port), epoll_fd_(epoll_fd), index_(index), reply_(std::move(reply)) {}

LoadConnection::~LoadConnection() { Close(); }

void LoadConnection::Close() {
  if (fd_ >= 0) close(fd_);  // epoll forgets it by that
  fd_ = -1;
  watched_ = 0;
}

bool LoadConnection::Connect() {
  Close();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  const bool is_connected =
      fd_ >= 0 && connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      fcntl(fd_, F_SETFL, O_NONBLOCK) == 0;
  if (!is_connected) Close();
  return is_connected;
}

LoadConnection::State LoadConnection::Send(std::string head, std::string_view body) {
  head_ = std::move(head);
  head_left_ = head_;
  body_left_ = body;
  reply_->Reset();
  if (!Write()) {
    Close();
    return State::kBroken;
  }
  const bool is_sent = head_left_.empty() && body_left_.empty();
  Watch(is_sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
  return is_sent ? State::kReading : State::kSending;
}

LoadConnection::State LoadConnection::Go() {
  if (fd_ < 0) return State::kBroken;
  // A refusal may come before the body is sent: then nothing more is written.
  bool is_sound = Read();
  if (is_sound && !reply_->is_complete()) is_sound = Write();
  const bool is_sent = head_left_.empty() && body_left_.empty();
  if (reply_->is_complete()) {
    if (reply_->is_last() || !is_sent || !is_sound) Close();
    return State::kComplete;
  }
  if (!is_sound) {
    Close();
    return State::kBroken;
  }
  Watch(is_sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
  return is_sent ? State::kReading : State::kSending;
}

void LoadConnection::Watch(uint32_t events) {
  if (events == watched_) return;
  epoll_event event{};
  event.events = events;
  event.data.u32 = index_;
  epoll_ctl(epoll_fd_, watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd_, &event);
  watched_ = events;
}

/// As much as the kernel takes; false when the connection is gone.
bool LoadConnection::Write() {
  while (!head_left_.empty() || !body_left_.empty()) {
    std::array<iovec, 2> pieces = {{{const_cast<char*>(head_left_.data()), head_left_.size()},
                                    {const_cast<char*>(body_left_.data()), body_left_.size()}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    const size_t of_head = std::min(head_left_.size(), static_cast<size_t>(sent));
    head_left_.remove_prefix(of_head);
    body_left_.remove_prefix(static_cast<size_t>(sent) - of_head);
  }
  return true;
}

/// What has come, up to the end of the reply; false when nothing more can.
bool LoadConnection::Read() {
  static thread_local std::array<char, kReadBytes> bytes;  // tidy: allow a buffer without a state
  while (!reply_->is_complete()) {
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0 || !reply_->Feed({bytes.data(), static_cast<size_t>(got)})) return false;
    if (static_cast<size_t>(got) < bytes.size()) return true;
  }
  return true;
}

}  // namespace levada::bench
