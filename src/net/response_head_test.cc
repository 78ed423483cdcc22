#include "net/response_head.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/date_line.h"
#include "net/server_fixture.h"

namespace levada::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Head(const Response& response, ResponseTerms terms = {.keep_alive = true}) {
  EXPECT_EQ(ProblemOf(response), "");
  return MakeHead(response, terms, "old").text;
}

std::unique_ptr<ResponseBody> Stream() {
  return std::make_unique<PieceStream>(std::vector<std::string>());
}

TEST(ResponseHead, OfATextHasItsLength) {
  Response response;
  response.headers.Add("X", "1");
  response.body = "hello";
  EXPECT_EQ(Head(response, {.keep_alive = true, .date_line = "Date: now\r\n"}),
            "HTTP/1.1 200 OK\r\nDate: now\r\nX: 1\r\nContent-Length: 5\r\n\r\n");
  response.body.clear();
  EXPECT_THAT(Head(response), HasSubstr("Content-Length: 0\r\n"));
}

TEST(ResponseHead, HasNoLengthWhereThereIsNoBody) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    response.body = "ignored";
    const ResponseHead head = MakeHead(response, {.keep_alive = true}, "");
    EXPECT_EQ(head.framing, BodyFraming::kNone);
    EXPECT_THAT(head.text, Not(HasSubstr("Length")));
  }
}

TEST(ResponseHead, FramesStreams) {
  Response response;
  response.stream = Stream();
  ResponseHead head = MakeHead(response, {.keep_alive = true}, "");
  EXPECT_EQ(head.framing, BodyFraming::kChunked);
  EXPECT_THAT(head.text, HasSubstr("Transfer-Encoding: chunked\r\n"));
  head = MakeHead(response, {.is_http_1_0 = true, .keep_alive = true}, "");
  EXPECT_EQ(head.framing, BodyFraming::kUntilClose);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_THAT(head.text, HasSubstr("Connection: close\r\n"));
  response.size = 7;
  head = MakeHead(response, {.is_http_1_0 = true, .keep_alive = true}, "");
  EXPECT_EQ(head.framing, BodyFraming::kSized);
  EXPECT_THAT(head.text, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(head.text, HasSubstr("Connection: keep-alive\r\n"));
}

TEST(ResponseHead, OfHeadAnnouncesWhatGetWould) {
  Response response;
  response.body = "hello";
  EXPECT_THAT(Head(response, {.is_head = true}), HasSubstr("Content-Length: 5\r\n"));
  response.size = 1000;
  EXPECT_THAT(Head(response, {.is_head = true}), HasSubstr("Content-Length: 1000\r\n"));
  EXPECT_THAT(Head(response), HasSubstr("Content-Length: 5\r\n"));
  response.size.reset();
  response.stream = Stream();
  EXPECT_THAT(Head(response, {.is_head = true}), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(MakeHead(response, {.is_head = true}, "").framing, BodyFraming::kNone);
}

TEST(ResponseHead, CleansTheReason) {
  Response response;
  response.status = 400;
  response.reason = "Invalid\r\nX: \xc3\xa4";
  EXPECT_THAT(Head(response), testing::StartsWith("HTTP/1.1 400 Invalid  X: \xc3\xa4\r\n"));
  response.reason.clear();
  response.status = 599;
  EXPECT_THAT(Head(response), testing::StartsWith("HTTP/1.1 599 \r\n"));
}

TEST(ResponseHead, FindsWhatWouldSplitAResponse) {
  const auto problem = [](std::string name, std::string value) {
    Response response;
    response.headers.Add(std::move(name), std::move(value));
    return ProblemOf(response);
  };
  EXPECT_EQ(problem("X", "\xff tab\t"), "");
  EXPECT_THAT(problem("X", "a\r\nSet-Cookie: b"), HasSubstr("control character"));
  EXPECT_THAT(problem("X", "a\nb"), HasSubstr("control character"));
  EXPECT_THAT(problem("X", std::string("a\0b", 3)), HasSubstr("control character"));
  EXPECT_THAT(problem("X y", "a"), HasSubstr("token"));
  EXPECT_THAT(problem("", "a"), HasSubstr("token"));
  EXPECT_THAT(problem("X:", "a"), HasSubstr("token"));
  EXPECT_THAT(problem("content-length", "1"), HasSubstr("belongs to the server"));
  EXPECT_THAT(problem("Transfer-Encoding", "chunked"), HasSubstr("belongs to the server"));
  EXPECT_THAT(problem("CONNECTION", "close"), HasSubstr("belongs to the server"));
  EXPECT_THAT(problem("Date", "today"), HasSubstr("belongs to the server"));
}

TEST(ResponseHead, FindsAStatusThatIsNone) {
  for (const int status : {0, -1, 100, 199, 1000}) {
    Response response;
    response.status = status;
    EXPECT_THAT(ProblemOf(response), HasSubstr(std::to_string(status)));
  }
}

TEST(ChunkSizeLine, IsHexadecimal) {
  EXPECT_EQ(ChunkSizeLine(31), "1f\r\n");
  EXPECT_EQ(ChunkSizeLine(UINT64_MAX), "ffffffffffffffff\r\n");
}

TEST(DateLine, IsThatOfTheRfc) {
  DateLine line;
  EXPECT_EQ(line.At(784'111'777'999'999), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(line.At(784'111'778'000'000), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  EXPECT_EQ(line.At(1'767'225'600'000'000), "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
}

}  // namespace
}  // namespace levada::net
