#include "formats/checksums/crc.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace levada::checksums {
namespace {

constexpr std::array kKinds = {CrcKind::kCrc32, CrcKind::kCrc32c, CrcKind::kCrc64Nvme};

std::string Ascending(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i & 0xff));
  return bytes;
}

std::string Descending(size_t size) {
  const std::string ascending = Ascending(size);
  return {ascending.rbegin(), ascending.rend()};
}

/// Bytes that repeat nothing within what the tests look at.
std::string Mixed(size_t size) {
  std::string bytes;
  uint64_t state = 88172645463325252;
  for (size_t i = 0; i < size; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    bytes.push_back(static_cast<char>(state >> 32 & 0xff));
  }
  return bytes;
}

struct Known {
  std::string bytes;
  uint64_t crc32;
  uint64_t crc32c;
  uint64_t crc64nvme;
};

// "123456789" is the check value of the catalogue of parametrised CRC algorithms; the CRC-32C of 32
// bytes are those of RFC 3720 (iSCSI), B.4; the CRC-64/NVME of 32 and 4096 bytes those of
// awslabs/aws-crt-python (test/test_checksums.py) and of Linux's crypto/testmgr.h, which has them
// of the NVM command set specification. The rest was computed by zlib and bit by bit.
std::vector<Known> KnownValues() {
  return {
      {"", 0, 0, 0},
      {"123456789", 0xcbf43926, 0xe3069283, 0xae8b14860a799888},
      {"a", 0xe8b7be43, 0xc1d04330, 0x8c2f8445b4cbfc3c},
      {"Hello world", 0x8bd69e52, 0x72b51f78, 0x38e259d03f312adb},
      {std::string(32, '\0'), 0x190a55ad, 0x8a9136aa, 0xcf3473434d4ecf3b},
      {std::string(32, '\xff'), 0xff6cab0b, 0x62a8ab43, 0xa0a06974c34d63c4},
      {Ascending(32), 0x91267e8a, 0x46dd794e, 0xb9d9d4a8492cbd7f},
      {Descending(32), 0x9ab0ef72, 0x113fdb5c, 0x17115a712025f5af},
      {std::string(4096, '\0'), 0xc71c0011, 0x98f94189, 0x6482d367eb22b64e},
      {std::string(4096, '\xff'), 0xf154670a, 0x25c1fe13, 0xc0ddba7302eca3ac},
      {Ascending(4096), 0xa2912082, 0x9c71fe32, 0x3e729f5f6750449c},
      {Descending(4096), 0x94d94799, 0x214941a8, 0x9a2df64b8e9e517e},
  };
}

TEST(CrcTest, GivesThePublishedValues) {
  for (const Known& known : KnownValues()) {
    for (const auto& [kind, value] :
         {std::pair(CrcKind::kCrc32, known.crc32), std::pair(CrcKind::kCrc32c, known.crc32c),
          std::pair(CrcKind::kCrc64Nvme, known.crc64nvme)}) {
      EXPECT_EQ(ExtendCrc(kind, 0, known.bytes), value) << known.bytes.size();
      EXPECT_EQ(ExtendCrcByTables(kind, 0, known.bytes), value) << known.bytes.size();
    }
  }
}

TEST(CrcTest, FoldsAsTheTablesDoAtEveryLengthAndOffset) {
  const std::string bytes = Mixed(700);
  for (const CrcKind kind : kKinds) {
    for (size_t offset = 0; offset < 17; ++offset) {
      for (size_t size = 0; size + offset <= bytes.size(); size += size < 330 ? 1 : 37) {
        const std::string_view piece = std::string_view(bytes).substr(offset, size);
        ASSERT_EQ(ExtendCrc(kind, 0x12345678, piece), ExtendCrcByTables(kind, 0x12345678, piece))
            << offset << " + " << size;
      }
    }
  }
}

TEST(CrcTest, DoesNotDependOnHowBytesAreCut) {
  const std::string bytes = Mixed(300);
  for (const CrcKind kind : kKinds) {
    const uint64_t whole = ExtendCrcByTables(kind, 0, bytes);
    uint64_t by_one = 0;
    for (const char byte : bytes) by_one = ExtendCrc(kind, by_one, {&byte, 1});
    EXPECT_EQ(by_one, whole);
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::string_view view = bytes;
      EXPECT_EQ(ExtendCrc(kind, ExtendCrc(kind, 0, view.substr(0, cut)), view.substr(cut)), whole);
    }
  }
}

TEST(CrcTest, CombinesTheCrcsOfTwoPieces) {
  const std::string bytes = Mixed(300);
  for (const CrcKind kind : kKinds) {
    const uint64_t whole = ExtendCrc(kind, 0, bytes);
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::string_view view = bytes;
      const CrcShift shift(kind, bytes.size() - cut);
      EXPECT_EQ(shift.Combine(ExtendCrc(kind, 0, view.substr(0, cut)),
                              ExtendCrc(kind, 0, view.substr(cut))),
                whole)
          << cut;
    }
  }
}

TEST(CrcTest, CombinesOverLengthsThatNobodyCanRead) {
  for (const CrcKind kind : kKinds) {
    // Behind a text of 2^40 bytes, in one step and in two of half the length.
    const CrcShift half(kind, uint64_t{1} << 39);
    const CrcShift whole(kind, uint64_t{1} << 40);
    EXPECT_EQ(whole.Combine(0x1234, 0), half.Combine(half.Combine(0x1234, 0), 0));
    EXPECT_EQ(CrcShift(kind, 0).Combine(0x1234, 0), 0x1234u);
  }
}

}  // namespace
}  // namespace levada::checksums
