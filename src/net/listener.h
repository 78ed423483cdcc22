#pragma once
// Listener: a socket that listens, on an address or a path, and what the kernel has accepted on it.
// It waits for nothing: the server does.

#include <cstdint>
#include <optional>
#include <string>

#include "base/fault.h"
#include "net/server.h"
#include "os/descriptor.h"

namespace levada::net {

struct AcceptedSocket {
  os::Descriptor socket;     ///< does not block, is not inherited, sends at once
  std::string peer_address;  ///< "" on a Unix socket
};

class Listener final {
 public:
  /// kBadValue for an address or a path that is none, kTargetUnwritable for one that cannot be had.
  static Result<Listener> Open(const ListenOptions& options);
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int fd() const { return socket_.fd(); }
  uint16_t port() const { return port_; }

  /// nullopt when nobody waits. An error is that of the machine: no descriptors, no memory; there
  /// may be more later.
  Result<std::optional<AcceptedSocket>> Accept();
  /// Listens no more and removes the path, unless another process has it by now. Idempotent.
  void Close();

 private:
  struct FileIdentity {
    uint64_t device = 0;
    uint64_t inode = 0;
  };

  Listener() = default;
  static Result<Listener> OpenAddress(const ListenOptions& options);
  static Result<Listener> OpenPath(const std::string& path);
  static std::optional<FileIdentity> IdentityOf(const std::string& path);

  os::Descriptor socket_;
  uint16_t port_ = 0;
  std::string path_;
  FileIdentity identity_;
};

}  // namespace levada::net
