#include "base/binary_text.h"

#include <gtest/gtest.h>

namespace levada {
namespace {

TEST(BinaryText, HexReadsWhatItWritesAndNothingElse) {
  EXPECT_EQ(HexOf(std::string("\x00\xff\x10", 3)), "00ff10");
  EXPECT_EQ(BytesOfHex("00FF10"), std::string("\x00\xff\x10", 3));
  EXPECT_EQ(BytesOfHex("0"), std::nullopt);
  EXPECT_EQ(BytesOfHex("0g"), std::nullopt);
}

TEST(BinaryText, Base64ReadsWhatItWritesAndNothingElse) {
  for (const std::string text : {"", "a", "ab", "abc", "\xff\xfe\xfd\xfc"}) {
    EXPECT_EQ(BytesOfBase64Url(Base64UrlOf(text)), text);
  }
  EXPECT_EQ(Base64UrlOf("\xff\xfe"), "__4");
  EXPECT_EQ(BytesOfBase64Url("__5"), std::nullopt) << "bits that say nothing";
  EXPECT_EQ(BytesOfBase64Url("a"), std::nullopt);
  EXPECT_EQ(BytesOfBase64Url("ab+="), std::nullopt);
  EXPECT_EQ(BytesOfBase64("//4="), "\xff\xfe");
  EXPECT_EQ(BytesOfBase64(""), "");
  EXPECT_EQ(Base64Of("\xff\xfe"), "//4=");
  for (const char* bad : {"/", "//4", "//4=\n", "__4=", "====", "a==="}) {
    EXPECT_EQ(BytesOfBase64(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace levada
