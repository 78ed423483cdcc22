#include "net/wire.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <new>
#include <optional>
#include <string>

#include "net/loop_state.h"
#include "net/tls_context.h"

namespace levada::net {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

constexpr size_t kTlsRecordBytes = 16 * 1024;  // RFC 8446 section 5.1

IoEnd EndOf(const ErrorCode& error) {
  if (!error) return IoEnd::kDone;
  return error == asio::error::operation_aborted ? IoEnd::kCancelled : IoEnd::kClosed;
}

int FamilyOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  const int failed = getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return failed != 0 ? AF_UNSPEC : address.ss_family;
}

iovec Part(std::string_view text) {
  // sendmsg(2) only reads. tidy: allow its type is older than const
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

class Wire::State {
 public:
  State(Loop& loop, os::Descriptor accepted, const TlsContext* context)
      : accepted_(std::move(accepted)), socket_(loop.state().io().get_executor()) {
    ErrorCode error;  // as from a socket that is closed: each operation ends with kClosed
    const int fd = accepted_.fd();
    socket_.assign(asio::generic::stream_protocol(FamilyOf(fd), 0), fd, error);
    if (!error) accepted_.Release();
    if (context == nullptr) return;
    SSL* session = SSL_new(context->native());
    if (session == nullptr) throw std::bad_alloc();
    tls_.emplace(socket_, session);
  }

  bool is_secure() const { return tls_.has_value(); }
  Socket& socket() { return socket_; }

  template <typename Handler>
  void Handshake(Handler handler) {
    tls_->async_handshake(asio::ssl::stream_base::server, std::move(handler));
  }

  template <typename Handler>
  void Read(std::span<char> into, Handler handler) {
    const asio::mutable_buffer buffer(into.data(), into.size());
    if (tls_) {
      tls_->async_read_some(buffer, std::move(handler));
    } else {
      socket_.async_read_some(buffer, std::move(handler));
    }
  }

  template <typename Handler>
  void Write(std::string_view first, std::string_view second, Handler handler) {
    if (tls_) {
      tls_->async_write_some(OneRecord(first, second), std::move(handler));
    } else {
      const std::array<asio::const_buffer, 2> buffers = {
          asio::const_buffer(first.data(), first.size()),
          asio::const_buffer(second.data(), second.size())};
      socket_.async_write_some(buffers, std::move(handler));
    }
  }

  template <typename Handler>
  void EndTls(Handler handler) {
    tls_->async_shutdown(std::move(handler));
  }

 private:
  /// A record is made of one buffer, and two records are two packets.
  asio::const_buffer OneRecord(std::string_view first, std::string_view second) {
    if (second.empty()) return {first.data(), first.size()};
    if (first.empty()) return {second.data(), second.size()};
    record_.assign(first.substr(0, kTlsRecordBytes));
    record_.append(second.substr(0, kTlsRecordBytes - record_.size()));
    return {record_.data(), record_.size()};
  }

  os::Descriptor accepted_;
  Socket socket_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
  std::string record_;
};

Wire::Wire(Loop& loop, os::Descriptor socket, const TlsContext* tls)
    : state_(std::make_unique<State>(loop, std::move(socket), tls)) {}
Wire::~Wire() = default;

bool Wire::is_secure() const { return state_->is_secure(); }

Wire::Wait Wire::Handshake() { return {*state_, Wait::Operation::kHandshake}; }

Wire::Wait Wire::Read(std::span<char> into) {
  Wait wait(*state_, Wait::Operation::kRead);
  wait.into_ = into;
  return wait;
}

Wire::Wait Wire::Write(std::string_view first, std::string_view second) {
  Wait wait(*state_, Wait::Operation::kWrite);
  wait.first_ = first;
  wait.second_ = second;
  return wait;
}

Wire::Wait Wire::EndTls() { return {*state_, Wait::Operation::kEndTls}; }

Wire::Wait Wire::Discard(std::span<char> into) {
  Wait wait(*state_, Wait::Operation::kDiscard);
  wait.into_ = into;
  return wait;
}

void Wire::Wait::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  const auto end = [this](const ErrorCode& error) {
    result_.end = EndOf(error);
    waiting_.resume();
  };
  const auto end_with_size = [this](const ErrorCode& error, size_t size) {
    result_ = {EndOf(error), size};
    waiting_.resume();
  };
  switch (operation_) {
    case Operation::kHandshake:
      return state_.Handshake(end);
    case Operation::kRead:
      return state_.Read(into_, end_with_size);
    case Operation::kWrite:
      return state_.Write(first_, second_, end_with_size);
    case Operation::kEndTls:
      return state_.EndTls(end);
    case Operation::kDiscard:
      state_.socket().async_read_some(asio::mutable_buffer(into_.data(), into_.size()),
                                      end_with_size);
      return;
  }
}

size_t Wire::WriteNow(std::string_view first, std::string_view second) {
  if (state_->is_secure() || !state_->socket().is_open()) return 0;
  std::array<iovec, 2> parts = {Part(first), Part(second)};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  const ssize_t sent =
      sendmsg(state_->socket().native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  // An error shows again, with its name, where the rest is awaited.
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

bool Wire::HasInput() const {
  ErrorCode ignored;
  return state_->socket().is_open() && state_->socket().available(ignored) > 0;
}

void Wire::Cancel() {
  ErrorCode ignored;
  state_->socket().cancel(ignored);
}

void Wire::ShutdownWrite() {
  ErrorCode ignored;
  state_->socket().shutdown(Socket::shutdown_send, ignored);
}

void Wire::Reset() {
  ErrorCode ignored;
  if (!state_->socket().is_open()) return;
  state_->socket().set_option(asio::socket_base::linger(true, 0), ignored);
  state_->socket().close(ignored);
}

}  // namespace levada::net
