#include "services/r2/object_receiver.h"

#include <memory>

#include "services/core/on_thread.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

using checksums::Algorithm;
using checksums::Checksum;
using checksums::Digest;
using net::Task;

// The loop hashes no more than this itself: at half a gigabyte a second it is gone for 30 us.
constexpr size_t kHashedOnLoopMax = 16 * 1024;
// Two of these are in memory for each upload: one is worked on while the next arrives.
constexpr size_t kPieceBytes = kBlockBytes;

/// MD5 apart from the others: it takes longer than all of them, and has a thread of its own.
struct Digests {
  Checksum md5;
  std::vector<Checksum> others;

  static Result<Digests> Make(const std::vector<Algorithm>& algorithms) {
    ARROW_ASSIGN_OR_RAISE(Checksum md5, Checksum::Make(Algorithm::kMd5));
    Digests made{std::move(md5), {}};
    for (const Algorithm algorithm : algorithms) {
      ARROW_ASSIGN_OR_RAISE(Checksum other, Checksum::Make(algorithm));
      made.others.push_back(std::move(other));
    }
    return made;
  }
  Status UpdateOthers(std::string_view bytes) {
    for (Checksum& other : others) ARROW_RETURN_NOT_OK(other.Update(bytes));
    return Status::OK();
  }
  Result<Computed> Finish(uint64_t bytes) {
    Computed computed;
    computed.bytes = bytes;
    ARROW_ASSIGN_OR_RAISE(computed.md5, md5.Finish());
    for (Checksum& other : others) {
      ARROW_ASSIGN_OR_RAISE(const Digest digest, other.Finish());
      computed.others.emplace_back(other.algorithm(), digest);
    }
    return computed;
  }
};

/// One upload while its bytes arrive. Whatever a thread works on lives here, and nothing returns
/// while a thread still does.
class Receiver {
 public:
  Receiver(ObjectSource& source, ReceiveOptions options, const BlobDirectory& blobs,
           net::Loop& loop, net::Workers& workers)
      : source_(source),
        options_(std::move(options)),
        blobs_(blobs),
        loop_(loop),
        workers_(workers) {}

  Task<Result<Received>> Run() {
    const std::optional<uint64_t> declared = source_.declared_bytes();
    if (declared && *declared > options_.bytes_max) co_return R2Error(R2ErrorCode::kEntityTooLarge);
    // Refused alone: filling the disk first would stop every other writer too.
    const bool is_large = declared && *declared > options_.inline_bytes_max;
    if (is_large && !blobs_.HasRoomFor(*declared)) co_return R2Error(R2ErrorCode::kDiskFull);
    Result<Digests> digests = Digests::Make(source_.algorithms());
    if (!digests.ok()) co_return digests.status();
    digests_.emplace(*std::move(digests));
    Status status = co_await Gather(arriving_, options_.inline_bytes_max + 1);
    if (!status.ok()) co_return status;
    const bool is_small = at_end_ && !options_.always_blob;
    if (is_small) co_return co_await EndSmall();
    status = co_await WriteBlob();
    Result<Received> received = status.ok() ? EndBlob() : Result<Received>(status);
    if (!received.ok() && writer_ != nullptr) co_await Discard();
    co_return received;
  }

 private:
  /// Reads until there are `wanted` bytes, or all.
  Task<Status> Gather(std::string& into, size_t wanted) {
    while (!at_end_ && into.size() < wanted) {
      const Result<std::string_view> piece = co_await source_.Read();
      if (!piece.ok()) co_return piece.status();
      at_end_ = piece->empty();
      bytes_ += piece->size();
      if (bytes_ > options_.bytes_max) co_return R2Error(R2ErrorCode::kEntityTooLarge);
      into += *piece;
    }
    const std::optional<uint64_t> declared = source_.declared_bytes();
    if (at_end_ && declared && *declared != bytes_) {
      co_return R2Error(R2ErrorCode::kIncompleteBody);
    }
    co_return Status::OK();
  }

  Task<Result<Received>> EndSmall() {
    const auto hash = [this] {
      const Status md5 = digests_->md5.Update(arriving_);
      return md5.ok() ? digests_->UpdateOthers(arriving_) : md5;
    };
    Status hashed;
    if (arriving_.size() <= kHashedOnLoopMax) {
      hashed = hash();
    } else {
      hashed = co_await OnThread(loop_, workers_, hash);
    }
    if (!hashed.ok()) co_return hashed;
    Result<Received> received = Checked();
    if (received.ok()) received->inline_bytes = std::move(arriving_);
    co_return received;
  }

  Task<Status> WriteBlob() {
    auto made = co_await OnThread(loop_, workers_,
                                  [this] { return blobs_.Create(options_.blob, options_.key); });
    if (!made.ok()) co_return made.status();
    writer_ = *std::move(made);
    while (true) {
      std::swap(arriving_, working_);
      arriving_.clear();
      // Two threads over the same bytes, and meanwhile the next ones arrive.
      const net::Arrival<Status> hashed = Submit([this] { return digests_->md5.Update(working_); });
      const net::Arrival<Status> written = Submit([this] {
        const Status others = digests_->UpdateOthers(working_);
        return others.ok() ? blobs_.Append(*writer_, working_) : others;
      });
      const bool is_last = at_end_;
      const Status gathered = co_await Gather(arriving_, kPieceBytes);
      const Status hash_status = co_await hashed;
      const Status write_status = co_await written;
      for (const Status& status : {hash_status, write_status, gathered}) {
        if (!status.ok()) co_return status;
      }
      if (is_last || (at_end_ && arriving_.empty())) break;
    }
    co_return co_await OnThread(loop_, workers_,
                                [this] { return blobs_.Finish(options_.blob, *writer_); });
  }

  net::Arrival<Status> Submit(std::function<Status()> work) {
    net::Arrival<Status> done(loop_);
    const bool taken = workers_.Submit([done, work = std::move(work)] { done.Set(work()); });
    if (!taken) done.Set(Busy());
    return done;
  }

  Result<Received> EndBlob() {
    ARROW_ASSIGN_OR_RAISE(Received received, Checked());
    received.segment = Segment{options_.blob, bytes_};
    return received;
  }

  Result<Received> Checked() {
    Received received;
    ARROW_ASSIGN_OR_RAISE(received.computed, digests_->Finish(bytes_));
    ARROW_ASSIGN_OR_RAISE(received.checksums, source_.Check(received.computed));
    return received;
  }

  Task<void> Discard() {
    // Left to the sweep of the next start if it fails.
    (void)co_await net::Blocking(loop_, workers_, [this] {
      writer_.reset();
      return blobs_.Remove(options_.blob);
    });
  }

  ObjectSource& source_;
  const ReceiveOptions options_;
  const BlobDirectory& blobs_;
  net::Loop& loop_;
  net::Workers& workers_;
  std::optional<Digests> digests_;
  std::unique_ptr<BlobWriter> writer_;
  std::string arriving_;
  std::string working_;
  uint64_t bytes_ = 0;
  bool at_end_ = false;
};

}  // namespace

const Digest* Computed::Find(Algorithm algorithm) const {
  if (algorithm == Algorithm::kMd5) return &md5;
  for (const auto& [known, digest] : others) {
    if (known == algorithm) return &digest;
  }
  return nullptr;
}

Task<Result<Received>> Receive(ObjectSource& source, ReceiveOptions options,
                               const BlobDirectory& blobs, net::Loop& loop, net::Workers& workers) {
  Receiver receiver(source, std::move(options), blobs, loop, workers);
  co_return co_await receiver.Run();
}

}  // namespace levada::services::r2
