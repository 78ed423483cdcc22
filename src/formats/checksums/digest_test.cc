#include "formats/checksums/digest.h"

#include <gtest/gtest.h>

#include <sstream>

namespace levada::checksums {
namespace {

TEST(DigestTest, RendersBase64AndHexAndReadsThemBack) {
  std::string bytes;
  for (size_t size = 0; size <= kDigestBytesMax; ++size) {
    const Digest digest(bytes);
    EXPECT_EQ(digest.bytes(), bytes);
    EXPECT_EQ(Digest::FromBase64(digest.Base64(), size), digest) << size;
    EXPECT_EQ(Digest::FromHex(digest.Hex(), size), digest) << size;
    bytes.push_back(static_cast<char>(251 * size + 17));
  }
}

TEST(DigestTest, HasTheTextsOfRfc4648) {
  EXPECT_EQ(Digest("").Base64(), "");
  EXPECT_EQ(Digest("f").Base64(), "Zg==");
  EXPECT_EQ(Digest("fo").Base64(), "Zm8=");
  EXPECT_EQ(Digest("foo").Base64(), "Zm9v");
  EXPECT_EQ(Digest("foob").Base64(), "Zm9vYg==");
  EXPECT_EQ(Digest("fooba").Base64(), "Zm9vYmE=");
  EXPECT_EQ(Digest("foobar").Base64(), "Zm9vYmFy");
  EXPECT_EQ(Digest("\xfb\xff").Base64(), "+/8=");
  EXPECT_EQ(Digest("foobar").Hex(), "666f6f626172");
}

TEST(DigestTest, RefusesEveryOtherBase64) {
  for (const char* text : {"", "Zg", "Zg=", "Zg===", "Zg==\n", " Zg==", "Zh==", "Z===", "====",
                           "Zm8=", "Zm9v", "Zg=A", "Z*==", "-_==", "Zg==Zg=="}) {
    EXPECT_EQ(Digest::FromBase64(text, 1), std::nullopt) << text;
  }
  EXPECT_EQ(Digest::FromBase64("Zm9=", 2), std::nullopt) << "bits that are not used";
  EXPECT_EQ(Digest::FromBase64("Zm9v", 2), std::nullopt) << "three bytes";
  EXPECT_EQ(Digest::FromBase64(std::string(88, 'A'), 65), std::nullopt) << "no digest is so long";
}

TEST(DigestTest, ReadsHexOfEitherCaseAndOfTheRightLengthOnly) {
  EXPECT_EQ(Digest::FromHex("aBCdeF", 3), Digest("\xab\xcd\xef"));
  for (const char* text : {"", "abcde", "abcdef0", "abcdeg", "0xabcd", "ab cd "}) {
    EXPECT_EQ(Digest::FromHex(text, 3), std::nullopt) << text;
  }
}

TEST(DigestTest, PrintsAsHex) {
  std::ostringstream out;
  out << Digest("\x01\xfe");
  EXPECT_EQ(out.str(), "01fe");
  EXPECT_FALSE(Digest("a") == Digest(std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace levada::checksums
