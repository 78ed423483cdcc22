#include "services/analytics/engine_frame.h"

#include "base/testing.h"

namespace levada::services::analytics {
namespace {

TEST(EngineFrameTest, GoesThereAndBackInPiecesOfAnySize) {
  const EngineRequest request{7, {StatementKind::kChange, "sql", std::string("a\0b", 3)}};
  const EngineAnswer answer{8, Outcome::kOk, "text"};
  const std::string bytes = Encode(request) + Encode(answer);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameCutter cutter(100);
    std::vector<std::string> frames;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      cutter.Add(std::string_view(bytes).substr(at, piece));
      while (const auto frame = ValueOf(cutter.Next())) frames.emplace_back(*frame);
    }
    ASSERT_EQ(frames.size(), 2u) << piece;
    const auto asked = DecodeRequest(frames[0]);
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->id, 7u);
    EXPECT_EQ(asked->statement.sql, "sql");
    EXPECT_EQ(asked->statement.rows, request.statement.rows);
    EXPECT_EQ(asked->statement.kind, StatementKind::kChange);
    EXPECT_EQ(DecodeAnswer(frames[1])->text, "text");
  }
}

TEST(EngineFrameTest, RefusesWhatIsNone) {
  EXPECT_FALSE(DecodeRequest("12345678"));
  EXPECT_FALSE(DecodeRequest(std::string_view("12345678\x02\0\0\0", 12)));
  EXPECT_TRUE(DecodeRequest(std::string_view("12345678\x02\0\0\0\x01s", 14)));
  EXPECT_FALSE(DecodeRequest(std::string_view("12345678\x02\0\0\0\x02s", 14)));
  EXPECT_FALSE(DecodeRequest(std::string_view("12345678\x03\0\0\0\x01s", 14)));
  EXPECT_FALSE(DecodeAnswer("12345678\x04text"));
  EXPECT_FALSE(DecodeAnswer("12345678\x01not"));  // without a number of the error
  FrameCutter cutter(100);
  cutter.Add(std::string_view("\0\0\0\x65", 4));
  EXPECT_THAT(cutter.Next(), FailsWith(FaultCode::kSourceProtocol));
}

TEST(EngineFrameTest, CarriesFailures) {
  const Status failed = Fault(FaultCode::kQueryFailed, "words").With("code", "241");
  const auto back = ResultOf(AnswerOf(1, failed));
  EXPECT_THAT(back, FailsWith(FaultCode::kQueryFailed, "words"));
  EXPECT_EQ(FaultOf(back.status()).Detail("code"), "241");
  const Status missing = Fault(FaultCode::kFileUnreadable, "where");
  EXPECT_THAT(ResultOf(AnswerOf(1, missing)), FailsWith(FaultCode::kFileUnreadable, "where"));
  EXPECT_EQ(ValueOf(ResultOf(AnswerOf(1, std::string("yes")))), "yes");
}

}  // namespace
}  // namespace levada::services::analytics
