#include "formats/sigv4/hashes.h"

#include <gtest/gtest.h>

#include <vector>

namespace levada::sigv4 {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(HashesTest, HashesTheExamplesOfFips180) {
  EXPECT_EQ(Hex(Sha256Of("")), kEmptySha256);
  EXPECT_EQ(Hex(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashesTest, HashesPiecesAndBeginsAnew) {
  Sha256 hash;
  for (const std::string_view piece : {"a", "", "bc"}) hash.Update(piece);
  EXPECT_EQ(hash.Finish(), Sha256Of("abc"));
  EXPECT_EQ(hash.Finish(), Sha256Of(""));
  Sha256 moved = std::move(hash);
  moved.Update("abc");
  EXPECT_EQ(moved.Finish(), Sha256Of("abc"));
}

TEST(HashesTest, ComputesTheHmacsOfRfc4231) {
  EXPECT_EQ(Hex(HmacSha256(std::vector<uint8_t>(20, 0x0b), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256(Bytes("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::vector<uint8_t>(131, 0xaa),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HashesTest, ComparesWholeTexts) {
  EXPECT_TRUE(SameInConstantTime("", ""));
  EXPECT_TRUE(SameInConstantTime("abc", "abc"));
  EXPECT_FALSE(SameInConstantTime("abc", "abd"));
  EXPECT_FALSE(SameInConstantTime("abc", "ab"));
  EXPECT_FALSE(SameInConstantTime("", "a"));
}

}  // namespace
}  // namespace levada::sigv4
