#include "formats/chnative/frame.h"

#include <arrow/util/compression.h>

#include <algorithm>
#include <cstring>

#include "formats/chnative/city_hash.h"

namespace levada::chnative {
namespace {

constexpr uint8_t kMethodNone = 0x02;
constexpr uint8_t kMethodLz4 = 0x82;
constexpr uint8_t kMethodZstd = 0x90;
/// Method and two sizes: the packed one counts them, the checksum is over them too.
constexpr uint32_t kHeadBytes = 9;
constexpr size_t kGrowBytes = size_t{1} << 20;

Fault Broken(const std::string& problem) {
  return Fault(FaultCode::kSourceProtocol, "a compressed frame: " + problem);
}

uint32_t SizeAt(std::span<const uint8_t> bytes, size_t at) {
  uint32_t size;
  std::memcpy(&size, bytes.data() + at, sizeof size);
  return size;
}

}  // namespace

FrameSource::FrameSource(ByteReader& frames) : frames_(frames) {}
FrameSource::~FrameSource() = default;

Result<arrow::util::Codec*> FrameSource::CodecOf(uint8_t method) {
  auto& codec = method == kMethodLz4 ? lz4_ : zstd_;
  if (codec == nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        codec, arrow::util::Codec::Create(method == kMethodLz4 ? arrow::Compression::LZ4
                                                               : arrow::Compression::ZSTD));
  }
  return codec.get();
}

Status FrameSource::NextFrame() {
  Hash128 expected;
  ARROW_ASSIGN_OR_RAISE(expected.low, frames_.Little<uint64_t>());
  ARROW_ASSIGN_OR_RAISE(expected.high, frames_.Little<uint64_t>());
  packed_.resize(kHeadBytes);
  ARROW_RETURN_NOT_OK(frames_.Bytes(packed_));
  const uint8_t method = packed_[0];
  const uint32_t packed_size = SizeAt(packed_, 1);
  const uint32_t plain_size = SizeAt(packed_, 5);
  if (method != kMethodNone && method != kMethodLz4 && method != kMethodZstd) {
    return Broken("expected LZ4, ZSTD or none, got method " + std::to_string(method));
  }
  if (packed_size < kHeadBytes || packed_size > kFrameBytesMax || plain_size > kFrameBytesMax) {
    return Broken("sizes " + std::to_string(packed_size) + " and " + std::to_string(plain_size) +
                  " are not such as a frame has");
  }
  while (packed_.size() < packed_size) {
    const size_t had = packed_.size();
    packed_.resize(std::min<size_t>(packed_size, had + kGrowBytes));
    ARROW_RETURN_NOT_OK(frames_.Bytes(std::span(packed_).subspan(had)));
  }
  if (CityHash128(packed_) != expected) {
    return Broken("its checksum is not that of its bytes")
        .Help("the network or a proxy on the way changes what is sent");
  }
  const auto body = std::span(packed_).subspan(kHeadBytes);
  given_ = 0;
  if (method == kMethodNone) {
    if (body.size() != plain_size) return Broken("the sizes of plain bytes differ");
    plain_.assign(body.begin(), body.end());
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(arrow::util::Codec * codec, CodecOf(method));
  plain_.resize(plain_size);
  const auto unpacked = codec->Decompress(static_cast<int64_t>(body.size()), body.data(),
                                          static_cast<int64_t>(plain_size), plain_.data());
  if (!unpacked.ok()) return Broken("cannot be unpacked").Because(unpacked.status());
  if (*unpacked != static_cast<int64_t>(plain_size)) return Broken("unpacks to another size");
  return Status::OK();
}

Result<size_t> FrameSource::Read(std::span<uint8_t> into) {
  while (given_ == plain_.size()) {
    ARROW_ASSIGN_OR_RAISE(const bool end, frames_.AtEnd());
    if (end) return 0;
    ARROW_RETURN_NOT_OK(NextFrame());
  }
  const size_t size = std::min(into.size(), plain_.size() - given_);
  std::copy_n(plain_.data() + given_, size, into.data());
  given_ += size;
  return size;
}

Result<std::string> MakeFrame(std::string_view bytes, Compression compression) {
  std::string body(bytes);
  uint8_t method = kMethodNone;
  if (compression != Compression::kNone) {
    const bool lz4 = compression == Compression::kLz4;
    method = lz4 ? kMethodLz4 : kMethodZstd;
    ARROW_ASSIGN_OR_RAISE(
        const auto codec,
        arrow::util::Codec::Create(lz4 ? arrow::Compression::LZ4 : arrow::Compression::ZSTD));
    const auto* input = reinterpret_cast<const uint8_t*>(bytes.data());
    const auto size = static_cast<int64_t>(bytes.size());
    body.resize(static_cast<size_t>(codec->MaxCompressedLen(size, input)));
    ARROW_ASSIGN_OR_RAISE(const int64_t packed,
                          codec->Compress(size, input, static_cast<int64_t>(body.size()),
                                          reinterpret_cast<uint8_t*>(body.data())));
    body.resize(static_cast<size_t>(packed));
  }
  std::string frame;
  AppendLittle(frame, method);
  AppendLittle(frame, static_cast<uint32_t>(body.size() + kHeadBytes));
  AppendLittle(frame, static_cast<uint32_t>(bytes.size()));
  frame += body;
  const Hash128 hash = CityHash128({reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  std::string out;
  AppendLittle(out, hash.low);
  AppendLittle(out, hash.high);
  return out + frame;
}

}  // namespace levada::chnative
