#pragma once
// ObjectReader: a range of an object's bytes as a stream, for a response and for a copy. It reads
// one piece ahead of whoever pulls. On the loop; it may die at any time.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"
#include "net/loop.h"
#include "services/r2/blob_directory.h"
#include "services/r2/blob_uses.h"
#include "services/r2/byte_range.h"
#include "services/r2/object_index.h"

namespace levada::services::r2 {

/// Counts as a transfer until it dies, which may be after whoever counts. On the loop.
class TransferSlot final {
 public:
  explicit TransferSlot(std::shared_ptr<int> used) : used_(std::move(used)) { ++*used_; }
  ~TransferSlot() { --*used_; }
  TransferSlot(const TransferSlot&) = delete;
  TransferSlot& operator=(const TransferSlot&) = delete;

 private:
  const std::shared_ptr<int> used_;
};

/// An object that was found, and whose bytes stay until it dies.
struct OpenedObject {
  ObjectRecord record;
  std::string inline_bytes;
  BlobUses::Pins pins;
  std::shared_ptr<TransferSlot> slot;  ///< of one whose bytes are in files
};

class ObjectReader final : public net::ResponseBody {
 public:
  /// `key` for what is encrypted. `blobs`, `loop` and `workers` outlive it.
  ObjectReader(OpenedObject object, ByteRange range, std::optional<CustomerKey> key,
               const BlobDirectory& blobs, net::Loop& loop, net::Workers& workers);
  ~ObjectReader() override;

  /// Waits until what Next gives next is read and found undamaged: for who has to know before an
  /// answer is begun. Errors: as of Next.
  net::Task<Status> AwaitPiece();

  /// Errors: kStoreDamaged, which names the file; kTooBusy.
  net::Task<Result<std::string_view>> Next() override;

 private:
  struct Ahead;
  void ReadAhead();

  OpenedObject object_;
  ByteRange left_;
  net::Loop& loop_;
  net::Workers& workers_;
  std::shared_ptr<Ahead> ahead_;  // shared with the thread that reads
  std::optional<net::Arrival<Status>> arrival_;
  bool has_piece_ = false;     // read and not given yet
  std::vector<char> current_;  // what the piece given last is in
};

}  // namespace levada::services::r2
