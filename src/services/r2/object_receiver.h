#pragma once
// Receiving: the bytes of an object or a part from a door to where they will be kept, with their
// checksums, in bounded memory: small ones stay in memory, larger ones go to a blob while they
// arrive. Nothing of it is named by a record yet.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "formats/checksums/checksum.h"
#include "formats/checksums/digest.h"
#include "net/loop.h"
#include "services/r2/blob_directory.h"

namespace levada::services::r2 {

/// What was computed over the bytes.
struct Computed {
  uint64_t bytes = 0;
  checksums::Digest md5{""};
  std::vector<std::pair<checksums::Algorithm, checksums::Digest>> others;  ///< as asked for

  const checksums::Digest* Find(checksums::Algorithm algorithm) const;
};

/// The bytes as a door has them. On the loop.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  /// The next bytes, valid until the next Read; empty at the end.
  virtual net::Task<Result<std::string_view>> Read() = 0;
  /// nullopt: nobody knows yet.
  virtual std::optional<uint64_t> declared_bytes() const = 0;
  /// What Check wants computed, MD5 apart. Asked before the first Read.
  virtual std::vector<checksums::Algorithm> algorithms() const = 0;
  /// Behind the end: whether the bytes are those that were announced; an R2Error if not. The
  /// checksums that are kept with the object.
  virtual Result<std::vector<StoredChecksum>> Check(const Computed& computed) = 0;
};

struct Received {
  Computed computed;
  std::vector<StoredChecksum> checksums;
  std::string inline_bytes;
  std::optional<Segment> segment;  ///< instead of inline_bytes
};

struct ReceiveOptions {
  Stamp blob;  ///< the name of the file, if there is to be one
  std::optional<CustomerKey> key;
  size_t inline_bytes_max = 0;
  bool always_blob = false;  ///< of a part, and of what is encrypted
  uint64_t bytes_max = 0;
};

/// All outlive it. After an error no file is left but what a failing disk keeps. Errors: those of
/// the source and of its Check, kEntityTooLarge, kTooBusy, kIncompleteBody, those of the disk.
net::Task<Result<Received>> Receive(ObjectSource& source, ReceiveOptions options,
                                    const BlobDirectory& blobs, net::Loop& loop,
                                    net::Workers& workers);

}  // namespace levada::services::r2
