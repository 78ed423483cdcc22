#include "formats/checksums/multipart.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/testing.h"

namespace levada::checksums {
namespace {

using testing::HasSubstr;

std::vector<Part> PartsOf(Algorithm algorithm, const std::vector<std::string>& texts) {
  std::vector<Part> parts;
  for (const std::string& text : texts) {
    parts.push_back({ValueOf(DigestOf(algorithm, text)), text.size()});
  }
  return parts;
}

// hashlib and zlib of Python 3.11, parts b"a" * 5242880, b"b" * 5242880, b"c":
//   base64.b64encode(sha256(b"".join(sha256(part).digest() for part in parts)).digest())
const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = {std::string(5 << 20, 'a'),
                                                 std::string(5 << 20, 'b'), "c"};
  return texts;
}

TEST(MultipartTest, MakesTheChecksumOfChecksums) {
  EXPECT_EQ(ValueOf(CompositeChecksum(Algorithm::kSha256, PartsOf(Algorithm::kSha256, Texts()))),
            "1L0WPZtI3+6c2Dv9C9FdeO5+XonN2Op759p9E/VHVzQ=-3");
  EXPECT_EQ(ValueOf(CompositeChecksum(Algorithm::kSha1, PartsOf(Algorithm::kSha1, Texts()))),
            "BRChbtCgrggOQoq/N4ynBqxNeZg=-3");
  EXPECT_EQ(ValueOf(CompositeChecksum(Algorithm::kCrc32, PartsOf(Algorithm::kCrc32, Texts()))),
            "efOKxQ==-3");
}

TEST(MultipartTest, MakesTheETag) {
  EXPECT_EQ(ValueOf(MultipartETag(PartsOf(Algorithm::kMd5, Texts()))),
            "0a97f1336a2298a6c3e9adaa562a9eec-3");
  EXPECT_EQ(ValueOf(MultipartETag(PartsOf(Algorithm::kMd5, {""}))),
            "59adb24ef3cdbe0297f05b395827453f-1");
}

TEST(MultipartTest, CombinesTheCrcOfTheWholeObject) {
  std::vector<std::string> texts = Texts();
  texts.insert(texts.end(), {"", "dd", std::string(1000, 'e'), std::string(1000, 'f')});
  std::string whole;
  for (const std::string& text : texts) whole += text;
  for (const Algorithm algorithm : {Algorithm::kCrc32, Algorithm::kCrc32c, Algorithm::kCrc64Nvme}) {
    EXPECT_EQ(ValueOf(FullObjectChecksum(algorithm, PartsOf(algorithm, texts))),
              ValueOf(DigestOf(algorithm, whole)))
        << NameOf(algorithm);
    EXPECT_EQ(ValueOf(FullObjectChecksum(algorithm, PartsOf(algorithm, {"a"}))),
              ValueOf(DigestOf(algorithm, "a")));
  }
}

TEST(MultipartTest, RefusesTypesThatS3DoesNotHave) {
  for (const Algorithm algorithm : {Algorithm::kCrc64Nvme, Algorithm::kMd5, Algorithm::kSha384}) {
    EXPECT_THAT(CompositeChecksum(algorithm, PartsOf(algorithm, {"a"})),
                FailsWith(FaultCode::kBadValue, HasSubstr("COMPOSITE")));
  }
  for (const Algorithm algorithm : {Algorithm::kMd5, Algorithm::kSha1, Algorithm::kSha256}) {
    EXPECT_THAT(FullObjectChecksum(algorithm, PartsOf(algorithm, {"a"})),
                FailsWith(FaultCode::kBadValue, HasSubstr("FULL_OBJECT")));
  }
}

TEST(MultipartTest, RefusesPartsThatMakeNoObject) {
  EXPECT_THAT(CompositeChecksum(Algorithm::kSha1, {}), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(FullObjectChecksum(Algorithm::kCrc32, {}), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(MultipartETag({}), FailsWith(FaultCode::kBadValue));
  const std::vector<Part> many(kPartsMax + 1, Part{Digest("1234"), 1});
  EXPECT_THAT(FullObjectChecksum(Algorithm::kCrc32, many), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(FullObjectChecksum(Algorithm::kCrc32, std::span(many).first(kPartsMax)), IsOk());
  EXPECT_THAT(FullObjectChecksum(Algorithm::kCrc64Nvme, std::span(many).first(2)),
              FailsWith(FaultCode::kBadValue, HasSubstr("8")));
  EXPECT_THAT(MultipartETag(std::span(many).first(2)), FailsWith(FaultCode::kBadValue));
}

}  // namespace
}  // namespace levada::checksums
