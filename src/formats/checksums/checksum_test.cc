#include "formats/checksums/checksum.h"

#include <gtest/gtest.h>

#include <array>

#include "base/testing.h"

namespace levada::checksums {
namespace {

constexpr std::array kAlgorithms = {Algorithm::kCrc32,  Algorithm::kCrc32c, Algorithm::kCrc64Nvme,
                                    Algorithm::kMd5,    Algorithm::kSha1,   Algorithm::kSha256,
                                    Algorithm::kSha384, Algorithm::kSha512};

TEST(ChecksumTest, GivesThePublishedDigests) {
  // Of "123456789": the catalogue of CRCs, and sha1sum and its kin.
  const std::array<std::string_view, 8> hex = {
      "cbf43926",
      "e3069283",
      "ae8b14860a799888",
      "25f9e794323b453885f5181f1b624d0b",
      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
      "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
      "eb455d56d2c1a69de64e832011f3393d45f3fa31d6842f21af92d2fe469c499da5e3179847334a18479c8d1dede"
      "a1be3",
      "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec0"
      "2d73d499c95455b6b5bb503acf574fba8ffe85"};
  for (size_t i = 0; i < kAlgorithms.size(); ++i) {
    const Digest digest = ValueOf(DigestOf(kAlgorithms[i], "123456789"));
    EXPECT_EQ(digest.Hex(), hex[i]);
    EXPECT_EQ(digest.bytes().size(), DigestBytes(kAlgorithms[i]));
  }
}

TEST(ChecksumTest, GivesTheBase64OfTheExamplesOfS3) {
  // The object of the documentation's examples of trailing checksums: 65 KiB, and 17 KiB, of "a".
  EXPECT_EQ(ValueOf(DigestOf(Algorithm::kCrc32c, std::string(66'560, 'a'))).Base64(), "sOO8/Q==");
  EXPECT_EQ(ValueOf(DigestOf(Algorithm::kCrc32, std::string(17'408, 'a'))).Base64(), "s3SFCQ==");
}

TEST(ChecksumTest, DoesNotDependOnHowBytesAreCut) {
  const std::string bytes = "The quick brown fox jumps over the lazy dog, " + std::string(200, 'x');
  for (const Algorithm algorithm : kAlgorithms) {
    const Digest whole = ValueOf(DigestOf(algorithm, bytes));
    for (const size_t step : {1, 3, 64, 100}) {
      Checksum checksum = ValueOf(Checksum::Make(algorithm));
      for (size_t at = 0; at < bytes.size(); at += step) {
        ASSERT_THAT(checksum.Update(std::string_view(bytes).substr(at, step)), IsOk());
      }
      EXPECT_EQ(ValueOf(checksum.Finish()), whole) << NameOf(algorithm) << " by " << step;
    }
  }
}

TEST(ChecksumTest, CanBeMoved) {
  for (const Algorithm algorithm : kAlgorithms) {
    Checksum first = ValueOf(Checksum::Make(algorithm));
    ASSERT_THAT(first.Update("12345"), IsOk());
    Checksum second = std::move(first);
    ASSERT_THAT(second.Update("6789"), IsOk());
    EXPECT_EQ(ValueOf(second.Finish()), ValueOf(DigestOf(algorithm, "123456789")));
    EXPECT_EQ(second.algorithm(), algorithm);
  }
}

TEST(ChecksumTest, IsFoundByItsNameAndItsHeader) {
  for (const Algorithm algorithm : kAlgorithms) {
    EXPECT_EQ(AlgorithmOfName(NameOf(algorithm)), algorithm);
    EXPECT_EQ(AlgorithmOfHeader(HeaderOf(algorithm)), algorithm);
  }
  EXPECT_EQ(AlgorithmOfName("crc64nvme"), Algorithm::kCrc64Nvme);
  EXPECT_EQ(AlgorithmOfHeader("X-Amz-Checksum-SHA256"), Algorithm::kSha256);
  for (const char* name : {"", "CRC", "CRC32CC", "XXHASH64", "x-amz-checksum-crc32"}) {
    EXPECT_EQ(AlgorithmOfName(name), std::nullopt) << name;
  }
  EXPECT_EQ(AlgorithmOfHeader("x-amz-checksum-"), std::nullopt);
}

}  // namespace
}  // namespace levada::checksums
