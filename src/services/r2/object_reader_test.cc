#include "services/r2/object_reader.h"

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "services/r2/store_fixture.h"

namespace levada::services::r2 {
namespace {

constexpr Bucket kBucket{7, Versioning::kOff};
// Three blocks: the first piece is of two.
constexpr size_t kBytes = 2 * kBlockBytes + 1000;

class ObjectReaderTest : public ObjectStoreTest {
 protected:
  ObjectReaderTest() {
    for (size_t i = 0; i < kBytes; ++i) text_ += static_cast<char>('a' + i % 23);
    record_ = ValueOf(Put(kBucket, "k", text_));
  }

  std::unique_ptr<ObjectReader> Open(ByteRange range, const std::string& key = "k") {
    return store_->Read(ValueOf(Wait(store_->OpenObject(kBucket, key, {}))), range, {});
  }
  Result<std::string> Rest(ObjectReader& reader) {
    std::string text;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const std::string_view piece, Wait(reader.Next()));
      if (piece.empty()) return text;
      text += piece;
    }
  }
  void Overwrite(std::streamoff at, std::ios::seekdir from) {
    std::fstream file(store_->blobs().PathOf(record_.segments.front().blob),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at, from);
    file.put('!');
  }

  std::string text_;
  ObjectRecord record_;
};

TEST_F(ObjectReaderTest, APieceThatWasAwaitedIsGivenOnce) {
  for (const ByteRange range : {ByteRange{0, kBytes}, ByteRange{kBlockBytes + 5, kBlockBytes},
                                ByteRange{kBytes - 1, 1}, ByteRange{5, 0}}) {
    const auto reader = Open(range);
    EXPECT_THAT(Wait(reader->AwaitPiece()), IsOk());
    EXPECT_THAT(Wait(reader->AwaitPiece()), IsOk());
    EXPECT_EQ(ValueOf(Rest(*reader)), text_.substr(range.begin, range.bytes));
    EXPECT_THAT(Wait(reader->AwaitPiece()), IsOk()) << "there is none to wait for";
  }
}

TEST_F(ObjectReaderTest, APieceMayBeAwaitedBeforeEachNext) {
  const auto reader = Open({0, kBytes});
  std::string text;
  while (text.size() < kBytes) {
    ASSERT_THAT(Wait(reader->AwaitPiece()), IsOk());
    text += ValueOf(Wait(reader->Next()));
  }
  EXPECT_EQ(text, text_);
}

TEST_F(ObjectReaderTest, WhatIsInTheRecordNeedsNoWaiting) {
  ASSERT_THAT(Put(kBucket, "small", "words"), IsOk());
  const auto reader = Open({1, 3}, "small");
  EXPECT_THAT(Wait(reader->AwaitPiece()), IsOk());
  EXPECT_EQ(ValueOf(Rest(*reader)), "ord");
}

TEST_F(ObjectReaderTest, DamageInTheFirstPieceIsKnownBeforeItIsGiven) {
  Overwrite(100, std::ios::beg);
  const auto reader = Open({0, kBytes});
  EXPECT_EQ(CodeOf(Wait(reader->AwaitPiece())), FaultCode::kStoreDamaged);
}

TEST_F(ObjectReaderTest, DamageBehindItIsMetOnTheWay) {
  Overwrite(-100, std::ios::end);
  const auto reader = Open({0, kBytes});
  EXPECT_THAT(Wait(reader->AwaitPiece()), IsOk());
  EXPECT_EQ(CodeOf(Rest(*reader).status()), FaultCode::kStoreDamaged);
  const auto behind = Open({kBytes - 10, 10});
  EXPECT_EQ(CodeOf(Wait(behind->AwaitPiece())), FaultCode::kStoreDamaged);
}

}  // namespace
}  // namespace levada::services::r2
