#include "formats/chnative/frame.h"

#include <fstream>
#include <string>

#include "base/json.h"
#include "base/testing.h"

namespace levada::chnative {
namespace {

using testing::HasSubstr;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Result<std::string> Unpacked(std::string_view frames) {
  MemorySource source(frames);
  ByteReader reader(source);
  FrameSource unpacked(reader);
  ByteReader bytes(unpacked, 16);
  std::string all;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool end, bytes.AtEnd());
    if (end) return all;
    ARROW_ASSIGN_OR_RAISE(const uint8_t byte, bytes.Byte());
    all.push_back(static_cast<char>(byte));
  }
}

// The checksum takes another way for each of these sizes.
TEST(FrameSource, UnpacksWhatAServerPacks) {
  std::ifstream file(LEVADA_TESTDATA "/frames.jsonl");
  int frames = 0;
  for (std::string line; std::getline(file, line); ++frames) {
    const Json json = ParseJson(line);
    std::string expected;
    AppendText(expected, json["value"].get<std::string>());
    EXPECT_EQ(ValueOf(Unpacked(FromHex(json["frame"]))), expected);
  }
  EXPECT_GE(frames, 60);
}

TEST(FrameSource, UnpacksWhatMakeFramePacks) {
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    for (size_t size = 0; size < 400; ++size) {
      std::string bytes;
      for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * i * 7));
      const std::string frame = ValueOf(MakeFrame(bytes, compression));
      EXPECT_EQ(ValueOf(Unpacked(frame + frame)), bytes + bytes);
    }
  }
}

TEST(FrameSource, RefusesEveryTruncationAndEveryChange) {
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    const std::string frame = ValueOf(MakeFrame("some bytes, some bytes, some", compression));
    for (size_t at = 0; at < frame.size(); ++at) {
      if (at > 0) {
        EXPECT_THAT(Unpacked(frame.substr(0, at)), FailsWith(FaultCode::kSourceProtocol)) << at;
      }
      std::string changed = frame;
      changed[at] = static_cast<char>(changed[at] ^ 0x10);
      EXPECT_THAT(Unpacked(changed), FailsWith(FaultCode::kSourceProtocol)) << at;
    }
  }
  std::string wrong = ValueOf(MakeFrame("some bytes", Compression::kLz4));
  wrong[0] = static_cast<char>(wrong[0] ^ 1);
  EXPECT_THAT(Unpacked(wrong), FailsWith(FaultCode::kSourceProtocol, HasSubstr("checksum")));
}

TEST(FrameSource, BelievesNoSize) {
  std::string frame(16, '\0');
  AppendLittle(frame, uint8_t{0x82});
  AppendLittle(frame, uint32_t{0x7fffffff});
  AppendLittle(frame, uint32_t{0x7fffffff});
  EXPECT_THAT(Unpacked(frame), FailsWith(FaultCode::kSourceProtocol, HasSubstr("sizes")));
}

}  // namespace
}  // namespace levada::chnative
