#pragma once
// A blob: bytes of an object or of a part in a file that is written once, front to back, and never
// changed. Each block carries a check of its own, so that a reader of any range notices damage and
// damage stays where it is. With a client's key (SSE-C) each block is encrypted and authenticated.
// Format: docs/wire/r2.md. Blocking; whose blob it is and when it may go is blob_directory.h.
//
//     header   "LVBLOB1\n", the stamp of its content (16 bytes), flags (u32), CRC32C of these (u32)
//     block*   up to 256 KiB of data [its GCM tag, 16 bytes], CRC32C (u32) of the stamp, the number
//              of the block (u64), the data and the tag
//
// Numbers are little-endian. Only the last block is smaller. How many bytes there are says the
// record of the object.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "os/disk.h"
#include "services/core/aes_gcm.h"
#include "services/r2/object_record.h"

namespace levada::services::r2 {

constexpr size_t kBlockBytes = 256 * 1024;

/// The 256-bit key of a client who has its bytes encrypted, for as long as its request lasts.
class CustomerKey final {
 public:
  static constexpr size_t kBytes = 32;
  /// nullopt unless 32 bytes.
  static std::optional<CustomerKey> Of(std::string_view bytes);
  CustomerKey(const CustomerKey&) = default;
  CustomerKey& operator=(const CustomerKey&) = default;
  ~CustomerKey();  // leaves nothing behind

  const std::array<uint8_t, kBytes>& bytes() const { return bytes_; }
  /// 16 bytes: what clients name a key by.
  const std::string& md5() const { return md5_; }

 private:
  CustomerKey() = default;
  std::array<uint8_t, kBytes> bytes_{};
  std::string md5_;
};

/// Encrypts and decrypts blocks. A key of its own for each content: no nonce is used twice.
class BlockCipher final {
 public:
  static constexpr size_t kTagBytes = std::tuple_size_v<GcmTag>;
  BlockCipher(const CustomerKey& key, const Stamp& content);
  ~BlockCipher();

  /// In place; the tag.
  Result<GcmTag> Seal(uint64_t block, std::string& data) const;
  /// In place. kStoreDamaged when the tag does not fit: damage, or another key.
  Status Open(uint64_t block, uint8_t* data, size_t size, const uint8_t* tag) const;

 private:
  AesKey key_{};
};

/// One thread at a time. A writer that is dropped leaves a file that no record names.
class BlobWriter final {
 public:
  /// Makes `path`, which must not be there.
  static Result<std::unique_ptr<BlobWriter>> Create(os::Disk& disk, const std::string& path,
                                                    const Stamp& content,
                                                    const std::optional<CustomerKey>& key);
  /// Bytes of any size.
  Status Append(std::string_view bytes);
  /// Writes the last block and syncs the file; the directory is the caller's to sync.
  Status Finish();
  uint64_t bytes() const { return bytes_; }

 private:
  BlobWriter(std::unique_ptr<os::WritableFile> file, const Stamp& content,
             const std::optional<CustomerKey>& key);
  Status WriteBlock();

  std::unique_ptr<os::WritableFile> file_;
  const Stamp content_;
  const std::optional<BlockCipher> cipher_;
  std::string block_;
  uint64_t block_number_ = 0;
  uint64_t bytes_ = 0;
};

/// Thread-safe.
class BlobReader final {
 public:
  /// `bytes` is what the record says. kStoreDamaged when the file is missing, is none, is of
  /// another size, or is encrypted and `key` is absent (or the other way round).
  static Result<std::unique_ptr<BlobReader>> Open(os::Disk& disk, const std::string& path,
                                                  uint64_t bytes,
                                                  const std::optional<CustomerKey>& key);
  /// Up to `size_max` bytes from `offset`, fewer only at the end. They are in `room`, which is made
  /// larger where it has to be and never smaller: whoever reads on gives it again, so that it is
  /// not filled with zeros for each piece. kStoreDamaged with the number of the block.
  Result<std::string_view> Read(uint64_t offset, size_t size_max, std::vector<char>& room) const;
  uint64_t bytes() const { return bytes_; }

  /// Reads everything without the key: the checks of all blocks, as far as it gets before
  /// `is_stopping` (may be empty) says true.
  static Status Check(os::Disk& disk, const std::string& path, uint64_t bytes,
                      const std::function<bool()>& is_stopping = {});

 private:
  BlobReader(std::unique_ptr<os::ReadableFile> file, std::string path, uint64_t bytes);
  Status ReadHeader();
  /// The block's data to `out`, decrypted if there is a cipher; its tail follows it there. Bytes of
  /// data.
  Result<size_t> ReadBlock(uint64_t block, char* out) const;
  size_t BlockRoom() const { return kBlockBytes + TailBytes(); }
  Status Damaged(const std::string& why) const;
  size_t TailBytes() const;

  const std::unique_ptr<os::ReadableFile> file_;
  const std::string path_;
  const uint64_t bytes_;
  Stamp content_;
  bool is_encrypted_ = false;
  std::optional<BlockCipher> cipher_;
};

}  // namespace levada::services::r2
