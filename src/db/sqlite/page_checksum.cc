#include "db/sqlite/page_checksum.h"

#include <cstring>
#include <string_view>

#include "formats/checksums/crc.h"

namespace levada::db::sqlite {
namespace {

constexpr size_t kContentBytes = kPageBytes - kPageChecksumBytes;

std::array<uint8_t, kPageChecksumBytes> ChecksumOf(uint32_t number,
                                                   std::span<const uint8_t, kPageBytes> page) {
  const std::array<uint8_t, 4> name{
      static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
      static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
  using checksums::CrcKind;
  using checksums::ExtendCrc;
  const auto text = [](const uint8_t* bytes, size_t size) {
    return std::string_view(reinterpret_cast<const char*>(bytes), size);
  };
  uint64_t crc = ExtendCrc(CrcKind::kCrc64Nvme, 0, text(name.data(), name.size()));
  crc = ExtendCrc(CrcKind::kCrc64Nvme, crc, text(page.data(), kContentBytes));
  std::array<uint8_t, kPageChecksumBytes> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(crc >> (56 - 8 * i));
  return bytes;
}

void Put(PageBytes& page, size_t offset, size_t size, uint32_t value) {
  for (size_t i = 0; i < size; ++i) {
    page[offset + i] = static_cast<uint8_t>(value >> (8 * (size - 1 - i)));
  }
}

}  // namespace

void StampPage(uint32_t number, std::span<uint8_t, kPageBytes> page) {
  const auto checksum = ChecksumOf(number, page);
  std::memcpy(page.data() + kContentBytes, checksum.data(), checksum.size());
}

bool IsPageIntact(uint32_t number, std::span<const uint8_t, kPageBytes> page) {
  const auto checksum = ChecksumOf(number, page);
  return std::memcmp(page.data() + kContentBytes, checksum.data(), checksum.size()) == 0;
}

PageBytes EmptyDatabase() {
  // sqlite.org/fileformat2.html#the_database_header, and behind it the header of an empty leaf.
  PageBytes page{};
  std::memcpy(page.data(), "SQLite format 3", 16);
  Put(page, 16, 2, kPageBytes);
  Put(page, 18, 1, 2);  // written and read by write-ahead log
  Put(page, 19, 1, 2);
  Put(page, 20, 1, kPageChecksumBytes);
  Put(page, 21, 1, 64);
  Put(page, 22, 1, 32);
  Put(page, 23, 1, 32);
  Put(page, 24, 4, 1);  // change counter
  Put(page, 28, 4, 1);  // pages
  Put(page, 92, 4, 1);  // the change counter that the number of pages is of
  Put(page, 96, 4, 3054001);
  Put(page, 100, 1, 13);  // a leaf of a table
  Put(page, 105, 2, kContentBytes);
  StampPage(1, page);
  return page;
}

}  // namespace levada::db::sqlite
