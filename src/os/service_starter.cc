#include "os/service_starter.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/descriptor.h"

namespace levada::os {

Status ServiceStarter::Notify(std::string_view state) const {
  if (address_.empty()) return Status::OK();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (address_.size() >= sizeof(address.sun_path)) {
    return Fault(FaultCode::kTargetIo, "NOTIFY_SOCKET is too long for a socket");
  }
  std::memcpy(address.sun_path, address_.data(), address_.size());
  // "@name" is of no file: its first byte is zero.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const bool is_sent =
      socket.fd() >= 0 && sendto(socket.fd(), state.data(), state.size(), MSG_NOSIGNAL,
                                 reinterpret_cast<const sockaddr*>(&address), size) >= 0;
  if (is_sent) return Status::OK();
  return ErrnoFault(FaultCode::kTargetIo, errno, "cannot tell who started this service");
}

Status ServiceStarter::Reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                            int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

bool IsOutputJournal(const Variable& variable) {
  const std::optional<std::string> stream = variable("JOURNAL_STREAM");
  struct stat output{};
  if (!stream || fstat(STDOUT_FILENO, &output) != 0) return false;
  return *stream == fmt::format("{}:{}", output.st_dev, output.st_ino);
}

}  // namespace levada::os
