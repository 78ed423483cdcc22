#include "net/local_request.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace levada::net {
namespace {

constexpr size_t kAnswerBytesMax = size_t{16} << 20;

struct Socket {
  int fd = -1;
  ~Socket() {
    if (fd >= 0) close(fd);
  }
};

Status Failed(const char* step) {
  return ErrnoFault(FaultCode::kTargetIo, errno,
                    std::string("the daemon's admin socket: cannot ") + step);
}

Result<std::string> Exchange(int fd, std::string_view request, const Clock& clock,
                             SteadyTime deadline) {
  const auto wait = [&](short events) -> Status {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.Steady());
    pollfd polled{fd, events, 0};
    const int ready = left.count() > 0 ? poll(&polled, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno != EINTR) return Failed("wait");
    if (ready == 0) {
      return Fault(FaultCode::kTargetIo, "the daemon does not answer on its admin socket");
    }
    return Status::OK();
  };
  while (!request.empty()) {
    ARROW_RETURN_NOT_OK(wait(POLLOUT));
    const ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return Failed("send");
    }
    request.remove_prefix(static_cast<size_t>(sent));
  }
  std::string answer;
  std::array<char, 16384> buffer{};
  while (answer.size() <= kAnswerBytesMax) {
    ARROW_RETURN_NOT_OK(wait(POLLIN));
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("receive");
    if (got == 0) return answer;
    answer.append(buffer.data(), static_cast<size_t>(got));
  }
  return Fault(FaultCode::kTargetIo, "the daemon's answer is too long");
}

}  // namespace

Result<std::optional<LocalAnswer>> PostLocally(const std::string& socket_path,
                                               std::string_view body, const Clock& clock,
                                               std::chrono::milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) {
    return Fault(FaultCode::kBadValue, "the path \"" + socket_path + "\" is too long for a socket")
        .Help("name the data directory by a shorter path, such as a relative one");
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const Socket socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.fd < 0) return Failed("be made");
  if (connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<LocalAnswer>();
    return Failed("be reached");
  }
  std::string request = "POST / HTTP/1.1\r\nHost: levada\r\nConnection: close\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  ARROW_ASSIGN_OR_RAISE(const std::string answer,
                        Exchange(socket.fd, request, clock, clock.Steady() + timeout));
  // "HTTP/1.1 200 OK": our own server, which announces the length of a short body.
  LocalAnswer read;
  const size_t head = answer.find("\r\n\r\n");
  const size_t blank = answer.find(' ');
  if (head == std::string::npos || blank > head ||
      std::from_chars(answer.data() + blank + 1, answer.data() + head, read.status).ec !=
          std::errc()) {
    return Fault(FaultCode::kTargetIo, "the daemon's answer is cut short");
  }
  read.body = answer.substr(head + 4);
  return std::optional<LocalAnswer>(std::move(read));
}

}  // namespace levada::net
