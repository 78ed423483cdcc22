#pragma once
// Compressed frames: 16 bytes of checksum (city_hash.h), a method, the sizes, and the bytes. Behind
// each block a frame ends, so that a reader waits for nothing that does not come.

#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/chnative/byte_reader.h"

namespace levada::chnative {

enum class Compression : uint8_t { kNone, kLz4, kZstd };

/// Most bytes of a frame, packed or not. ClickHouse's own are 1 MiB, or as large as one value.
inline constexpr int64_t kFrameBytesMax = int64_t{256} << 20;

/// Gives the bytes of frames that it reads from `frames`. A checksum, method or size that is wrong
/// is kSourceProtocol.
class FrameSource final : public ByteSource {
 public:
  explicit FrameSource(ByteReader& frames);
  ~FrameSource() override;
  Result<size_t> Read(std::span<uint8_t> into) override;

 private:
  Status NextFrame();
  Result<arrow::util::Codec*> CodecOf(uint8_t method);

  ByteReader& frames_;
  std::unique_ptr<arrow::util::Codec> lz4_;
  std::unique_ptr<arrow::util::Codec> zstd_;
  std::vector<uint8_t> packed_;
  std::vector<uint8_t> plain_;
  size_t given_ = 0;  ///< of plain_
};

/// `bytes` as one frame. Precondition: no more than kFrameBytesMax.
Result<std::string> MakeFrame(std::string_view bytes, Compression compression);

}  // namespace levada::chnative
