#include "services/r2/object_reader.h"

#include <algorithm>
#include <utility>

#include "services/core/on_thread.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

// Two of these are in memory for each download.
constexpr size_t kPieceBytes = 2 * kBlockBytes;

}  // namespace

/// What a thread needs to read the next piece. Used by one at a time.
struct ObjectReader::Ahead {
  const BlobDirectory& blobs;
  const std::vector<Segment> segments;
  const std::optional<CustomerKey> key;
  size_t at = 0;            // of segments
  uint64_t offset = 0;      // in that segment
  uint64_t bytes_left = 0;  // of the range
  std::unique_ptr<BlobReader> open;
  std::vector<char> room;  // of the piece
  std::string_view piece;  // in `room`

  Status Read() {
    piece = {};
    while (bytes_left > 0 && offset == segments[at].bytes) {
      open.reset();
      ++at;
      offset = 0;
    }
    if (bytes_left == 0) return Status::OK();
    if (open == nullptr) {
      ARROW_ASSIGN_OR_RAISE(open, blobs.Open(segments[at], key));
    }
    // Up to the end of a block: the next piece begins with a whole one.
    const uint64_t to_border = kPieceBytes - offset % kBlockBytes;
    const uint64_t in_segment = segments[at].bytes - offset;
    const auto size = static_cast<size_t>(std::min({to_border, in_segment, bytes_left}));
    ARROW_ASSIGN_OR_RAISE(piece, open->Read(offset, size, room));
    offset += size;
    bytes_left -= size;
    return Status::OK();
  }
};

ObjectReader::ObjectReader(OpenedObject object, ByteRange range, std::optional<CustomerKey> key,
                           const BlobDirectory& blobs, net::Loop& loop, net::Workers& workers)
    : object_(std::move(object)), left_(range), loop_(loop), workers_(workers) {
  if (object_.record.is_inline || range.bytes == 0) return;
  uint64_t skipped = range.begin;
  size_t at = 0;
  const std::vector<Segment>& segments = object_.record.segments;
  while (at + 1 < segments.size() && skipped >= segments[at].bytes) skipped -= segments[at++].bytes;
  ahead_ = std::make_shared<Ahead>(
      Ahead{blobs, segments, std::move(key), at, skipped, range.bytes, nullptr, {}, {}});
}

ObjectReader::~ObjectReader() = default;

void ObjectReader::ReadAhead() {
  const net::Arrival<Status> done(loop_);
  const bool taken = workers_.Submit([ahead = ahead_, done] { done.Set(ahead->Read()); });
  if (!taken) done.Set(Busy());
  arrival_ = done;
}

net::Task<Status> ObjectReader::AwaitPiece() {
  if (ahead_ == nullptr || has_piece_ || left_.bytes == 0) co_return Status::OK();
  if (!arrival_) ReadAhead();
  const Status read = co_await *arrival_;
  arrival_.reset();
  has_piece_ = read.ok();
  co_return read;
}

net::Task<Result<std::string_view>> ObjectReader::Next() {
  if (left_.bytes == 0) co_return std::string_view();
  if (object_.record.is_inline) {
    const std::string_view all = object_.inline_bytes;
    co_return all.substr(left_.begin, std::exchange(left_.bytes, 0));
  }
  const Status read = co_await AwaitPiece();
  if (!read.ok()) co_return read;
  has_piece_ = false;
  std::swap(current_, ahead_->room);
  const std::string_view piece = ahead_->piece;
  left_.bytes -= piece.size();
  if (left_.bytes > 0) ReadAhead();
  co_return piece;
}

}  // namespace levada::services::r2
