#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "os/disk.h"

namespace levada::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel takes the lower of this and net.core.somaxconn

/// An address in the form that bind(2) takes.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::optional<SocketAddress> ParseAddress(const std::string& host, uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  } else {
    return std::nullopt;
  }
  return address;
}

std::optional<SocketAddress> PathAddress(const std::string& path) {
  SocketAddress address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.size() >= sizeof local->sun_path ||
      path.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::string TextOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
              sizeof text);
  }
  return text;
}

std::string HelpFor(int error_number) {
  switch (error_number) {
    case EADDRINUSE:
      return "another program listens there: stop it, or choose another address";
    case EADDRNOTAVAIL:
      return "this machine has no such address: choose one of its own";
    case EACCES:
      return "this user may not listen there: choose another address";
    default:
      return "choose another address";
  }
}

Fault ListenFault(int error_number, const std::string& address) {
  return ErrnoFault(FaultCode::kTargetUnwritable, error_number,
                    "cannot listen on \"" + address + "\"")
      .With("address", address)
      .Help(HelpFor(error_number));
}

os::Descriptor OpenSocket(int family) {
  return os::Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Whether a process listens there. A full backlog is one that does.
bool IsAnswered(const SocketAddress& address) {
  const os::Descriptor probe = OpenSocket(AF_UNIX);
  return connect(probe.fd(), address.get(), address.size) == 0 || errno != ECONNREFUSED;
}

/// Removes the socket of a process that is gone. OK when `path` is free by now.
Status RemoveStale(const std::string& path, const SocketAddress& address) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Status::OK();
    return ListenFault(errno, path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return ListenFault(EADDRINUSE, path).Help("a file that is no socket stands there");
  }
  if (IsAnswered(address)) return ListenFault(EADDRINUSE, path);
  return os::MakeSystemDisk()->Remove(path);
}

uint16_t BoundPort(int fd) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

void SetOn(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

Result<Listener> Listener::Open(const ListenOptions& options) {
  return options.unix_path.empty() ? OpenAddress(options) : OpenPath(options.unix_path);
}

Result<Listener> Listener::OpenAddress(const ListenOptions& options) {
  const std::string name = options.host + ":" + std::to_string(options.port);
  const auto address = ParseAddress(options.host, options.port);
  if (!address) {
    return Fault(FaultCode::kBadValue,
                 "listen address: expected an IPv4 or IPv6 address, got \"" + options.host + "\"")
        .Help("\"127.0.0.1\" is this machine alone, \"0.0.0.0\" or \"::\" every network it is in");
  }
  Listener made;
  made.socket_ = OpenSocket(address->storage.ss_family);
  const int fd = made.socket_.fd();
  if (fd < 0) return ListenFault(errno, name);
  // Connections of a server that has ended keep its port for a minute otherwise.
  SetOn(fd, SOL_SOCKET, SO_REUSEADDR);
  if (address->storage.ss_family == AF_INET6) SetOn(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  if (bind(fd, address->get(), address->size) != 0) return ListenFault(errno, name);
  if (listen(fd, kBacklog) != 0) return ListenFault(errno, name);
  made.port_ = BoundPort(fd);
  return made;
}

Result<Listener> Listener::OpenPath(const std::string& path) {
  const auto address = PathAddress(path);
  if (!address) {
    return Fault(FaultCode::kBadValue,
                 "socket path: expected at most 107 bytes, got \"" + path + "\"")
        .Help("choose a shorter path");
  }
  Listener made;
  made.socket_ = OpenSocket(AF_UNIX);
  const int fd = made.socket_.fd();
  if (fd < 0) return ListenFault(errno, path);
  int failed = bind(fd, address->get(), address->size);
  if (failed != 0 && errno == EADDRINUSE) {
    ARROW_RETURN_NOT_OK(RemoveStale(path, *address));
    failed = bind(fd, address->get(), address->size);
  }
  if (failed != 0) return ListenFault(errno, path);
  made.path_ = path;
  made.identity_ = IdentityOf(path).value_or(FileIdentity{});
  // Nobody can connect before listen, so nobody did while the mode was that of the umask.
  if (chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) return ListenFault(errno, path);
  if (listen(fd, kBacklog) != 0) return ListenFault(errno, path);
  return made;
}

std::optional<Listener::FileIdentity> Listener::IdentityOf(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return FileIdentity{info.st_dev, info.st_ino};
}

Listener::~Listener() { Close(); }

void Listener::Close() {
  if (!socket_.is_open()) return;
  if (!path_.empty()) {
    const auto there = IdentityOf(path_);
    const bool is_ours =
        there && there->device == identity_.device && there->inode == identity_.inode;
    // What stays is replaced by the next that listens there.
    if (is_ours) (void)os::MakeSystemDisk()->Remove(path_);
  }
  socket_.Close();
}

Result<std::optional<AcceptedSocket>> Listener::Accept() {
  for (;;) {
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    os::Descriptor socket(accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&peer), &size,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.is_open()) {
      // A head and its body are one write, and nothing is gained by waiting for more.
      if (path_.empty()) SetOn(socket.fd(), IPPROTO_TCP, TCP_NODELAY);
      return AcceptedSocket{std::move(socket), TextOf(peer)};
    }
    switch (errno) {
      case EAGAIN:
      case EBADF:  // closed
        return std::nullopt;
      case EINTR:  // from here on the errors of one connection that is gone already: accept(2)
      case ECONNABORTED:
      case EPERM:
      case EPROTO:
      case ENETDOWN:
      case ENETUNREACH:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case ENONET:
      case ENOPROTOOPT:
      case EOPNOTSUPP:
      case ETIMEDOUT:
        continue;
      default:
        return ErrnoFault(FaultCode::kTargetIo, errno, "cannot accept a connection");
    }
  }
}

}  // namespace levada::net
