#include "services/r2/blob_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/byte_order.h"
#include "formats/checksums/crc.h"

namespace levada::services::r2 {
namespace {

using checksums::CrcKind;

constexpr std::string_view kMagic = "LVBLOB1\n";
constexpr size_t kStampBytes = 16;
constexpr size_t kHeaderBytes = 8 + kStampBytes + 4 + 4;
constexpr uint32_t kEncrypted = 1;
constexpr size_t kCrcBytes = 4;
constexpr uint64_t kBlocksASync = 8 * 1024 * 1024 / kBlockBytes;

std::span<const uint8_t> SpanOf(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

/// The start of a block's check: a block of another file, or at another place, is not this one.
uint64_t SeedOf(const Stamp& content, uint64_t block) {
  std::string seed = content.Bytes();
  AppendLittleEndian(seed, block, 8);
  return checksums::ExtendCrc(CrcKind::kCrc32c, 0, seed);
}

uint32_t CrcOf(const Stamp& content, uint64_t block, std::string_view stored) {
  return static_cast<uint32_t>(
      checksums::ExtendCrc(CrcKind::kCrc32c, SeedOf(content, block), stored));
}

uint64_t BlockCount(uint64_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes; }

size_t BlockSize(uint64_t bytes, uint64_t block) {
  return static_cast<size_t>(std::min<uint64_t>(kBlockBytes, bytes - block * kBlockBytes));
}

/// The number of the block; the key is the content's own.
GcmNonce NonceOf(uint64_t block) {
  GcmNonce nonce{};
  for (size_t i = 0; i < 8; ++i) nonce[i] = static_cast<uint8_t>(block >> (8 * i));
  return nonce;
}

}  // namespace

// ---- CustomerKey

std::optional<CustomerKey> CustomerKey::Of(std::string_view bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  CustomerKey key;
  std::memcpy(key.bytes_.data(), bytes.data(), kBytes);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  key.md5_.assign(reinterpret_cast<const char*>(digest.data()), size);
  return key;
}

CustomerKey::~CustomerKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

// ---- BlockCipher

BlockCipher::BlockCipher(const CustomerKey& key, const Stamp& content) {
  const std::string text = "levada r2 content " + content.Text();
  unsigned size = 0;
  HMAC(EVP_sha256(), key.bytes().data(), static_cast<int>(key.bytes().size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), key_.data(), &size);
}

BlockCipher::~BlockCipher() { OPENSSL_cleanse(key_.data(), key_.size()); }

Result<GcmTag> BlockCipher::Seal(uint64_t block, std::string& data) const {
  const std::optional<GcmTag> tag =
      SealInPlace(key_, NonceOf(block), {}, {reinterpret_cast<uint8_t*>(data.data()), data.size()});
  if (!tag) return Fault(FaultCode::kInternal, "encryption: the library refused");
  return *tag;
}

Status BlockCipher::Open(uint64_t block, uint8_t* data, size_t size, const uint8_t* tag) const {
  GcmTag expected{};
  std::memcpy(expected.data(), tag, kTagBytes);
  if (OpenInPlace(key_, NonceOf(block), {}, {data, size}, expected)) return Status::OK();
  return Fault(FaultCode::kStoreDamaged, "a block cannot be decrypted");
}

// ---- BlobWriter

BlobWriter::BlobWriter(std::unique_ptr<os::WritableFile> file, const Stamp& content,
                       const std::optional<CustomerKey>& key)
    : file_(std::move(file)),
      content_(content),
      cipher_(key ? std::optional<BlockCipher>(std::in_place, *key, content) : std::nullopt) {
  block_.reserve(kBlockBytes + BlockCipher::kTagBytes + kCrcBytes);
}

Result<std::unique_ptr<BlobWriter>> BlobWriter::Create(os::Disk& disk, const std::string& path,
                                                       const Stamp& content,
                                                       const std::optional<CustomerKey>& key) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.CreatePrivate(path));
  std::string header(kMagic);
  header += content.Bytes();
  AppendLittleEndian(header, key ? kEncrypted : 0, 4);
  AppendLittleEndian(header, checksums::ExtendCrc(CrcKind::kCrc32c, 0, header), 4);
  ARROW_RETURN_NOT_OK(file->Append(SpanOf(header)));
  return std::unique_ptr<BlobWriter>(new BlobWriter(std::move(file), content, key));
}

Status BlobWriter::Append(std::string_view bytes) {
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kBlockBytes - block_.size());
    block_ += piece;
    bytes.remove_prefix(piece.size());
    if (block_.size() == kBlockBytes) ARROW_RETURN_NOT_OK(WriteBlock());
  }
  return Status::OK();
}

Status BlobWriter::WriteBlock() {
  if (cipher_) {
    ARROW_ASSIGN_OR_RAISE(const auto tag, cipher_->Seal(block_number_, block_));
    block_.append(reinterpret_cast<const char*>(tag.data()), tag.size());
  }
  AppendLittleEndian(block_, CrcOf(content_, block_number_, block_), kCrcBytes);
  ARROW_RETURN_NOT_OK(file_->Append(SpanOf(block_)));
  ++block_number_;
  // The disk works while the rest arrives, and not only behind it.
  if (block_number_ % kBlocksASync == 0) file_->StartSync();
  block_.clear();
  return Status::OK();
}

Status BlobWriter::Finish() {
  if (!block_.empty()) ARROW_RETURN_NOT_OK(WriteBlock());
  ARROW_RETURN_NOT_OK(file_->Sync());
  return file_->Close();
}

// ---- BlobReader

BlobReader::BlobReader(std::unique_ptr<os::ReadableFile> file, std::string path, uint64_t bytes)
    : file_(std::move(file)), path_(std::move(path)), bytes_(bytes) {}

Status BlobReader::Damaged(const std::string& why) const {
  return Fault(FaultCode::kStoreDamaged, "blob \"" + path_ + "\": " + why).With("path", path_);
}

size_t BlobReader::TailBytes() const {
  return (is_encrypted_ ? BlockCipher::kTagBytes : 0) + kCrcBytes;
}

Result<std::unique_ptr<BlobReader>> BlobReader::Open(os::Disk& disk, const std::string& path,
                                                     uint64_t bytes,
                                                     const std::optional<CustomerKey>& key) {
  auto opened = disk.Open(path);
  if (!opened.ok() && CodeOf(opened.status()) == FaultCode::kTargetFileMissing) {
    return Fault(FaultCode::kStoreDamaged, "blob \"" + path + "\": it is missing")
        .With("path", path);
  }
  ARROW_ASSIGN_OR_RAISE(auto file, std::move(opened));
  std::unique_ptr<BlobReader> reader(new BlobReader(std::move(file), path, bytes));
  ARROW_RETURN_NOT_OK(reader->ReadHeader());
  if (key) {
    if (!reader->is_encrypted_) return reader->Damaged("it is not encrypted");
    reader->cipher_.emplace(*key, reader->content_);
  }
  return reader;
}

Status BlobReader::ReadHeader() {
  std::array<uint8_t, kHeaderBytes> bytes{};
  ARROW_ASSIGN_OR_RAISE(const int64_t got, file_->ReadAt(0, bytes));
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()), kHeaderBytes);
  const std::string_view checked = header.substr(0, kHeaderBytes - kCrcBytes);
  if (got != static_cast<int64_t>(kHeaderBytes) || !header.starts_with(kMagic) ||
      checksums::ExtendCrc(CrcKind::kCrc32c, 0, checked) !=
          ReadLittleEndian(header.substr(checked.size(), kCrcBytes))) {
    return Damaged("its header is damaged");
  }
  content_ = *Stamp::FromBytes(header.substr(kMagic.size(), kStampBytes));
  is_encrypted_ =
      (ReadLittleEndian(header.substr(kMagic.size() + kStampBytes, 4)) & kEncrypted) != 0;
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file_->Size());
  const uint64_t expected = kHeaderBytes + bytes_ + BlockCount(bytes_) * TailBytes();
  if (static_cast<uint64_t>(size) != expected) {
    return Damaged("expected a file of " + std::to_string(expected) + " bytes, got " +
                   std::to_string(size));
  }
  return Status::OK();
}

Result<size_t> BlobReader::ReadBlock(uint64_t block, char* out) const {
  const size_t size = BlockSize(bytes_, block);
  const size_t stored = size + TailBytes();
  const uint64_t offset = kHeaderBytes + block * BlockRoom();
  auto* data = reinterpret_cast<uint8_t*>(out);
  ARROW_ASSIGN_OR_RAISE(const int64_t got,
                        file_->ReadAt(static_cast<int64_t>(offset), {data, stored}));
  const std::string_view checked(out, stored - kCrcBytes);
  if (got != static_cast<int64_t>(stored) ||
      CrcOf(content_, block, checked) != ReadLittleEndian({out + checked.size(), kCrcBytes})) {
    return Damaged("block " + std::to_string(block) + " is damaged");
  }
  if (cipher_ && !cipher_->Open(block, data, size, data + size).ok()) {
    return Damaged("block " + std::to_string(block) + " cannot be decrypted");
  }
  return size;
}

Result<std::string_view> BlobReader::Read(uint64_t offset, size_t size_max,
                                          std::vector<char>& room) const {
  if (is_encrypted_ && !cipher_) return Damaged("it is encrypted");
  if (offset >= bytes_ || size_max == 0) return std::string_view();
  const uint64_t first = offset / kBlockBytes;
  const uint64_t last = (std::min<uint64_t>(bytes_, offset + size_max) - 1) / kBlockBytes;
  const size_t needed = (last - first) * kBlockBytes + BlockSize(bytes_, last) + TailBytes();
  if (room.size() < needed) room.resize(needed);
  size_t filled = 0;
  // The data of a block overwrites the tail of the one before.
  for (uint64_t block = first; block <= last; ++block) {
    ARROW_ASSIGN_OR_RAISE(const size_t size, ReadBlock(block, room.data() + filled));
    filled += size;
  }
  const auto skipped = static_cast<size_t>(offset - first * kBlockBytes);
  return std::string_view(room.data(), filled).substr(skipped, size_max);
}

Status BlobReader::Check(os::Disk& disk, const std::string& path, uint64_t bytes,
                         const std::function<bool()>& is_stopping) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, Open(disk, path, bytes, std::nullopt));
  std::vector<char> block(reader->BlockRoom());
  for (uint64_t i = 0; i < BlockCount(bytes); ++i) {
    if (is_stopping && is_stopping()) break;
    ARROW_RETURN_NOT_OK(reader->ReadBlock(i, block.data()).status());
  }
  return Status::OK();
}

}  // namespace levada::services::r2
