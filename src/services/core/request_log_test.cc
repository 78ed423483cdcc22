#include "services/core/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace levada::services {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Line {
  LogLevel level;
  std::string message;
  std::map<std::string, std::string> texts;
};

class LineLogger final : public Logger {
 public:
  explicit LineLogger(LogLevel level) : level_(level) {}
  bool Enabled(LogLevel level) const override { return level >= level_; }
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    Line line{level, std::string(message), {}};
    for (const LogField& field : fields) {
      const auto* text = std::get_if<std::string>(&field.value);
      const auto* number = std::get_if<int64_t>(&field.value);
      line.texts[std::string(field.key)] = text     ? *text
                                           : number ? std::to_string(*number)
                                                    : std::string();
    }
    lines.push_back(std::move(line));
  }
  std::vector<Line> lines;

 private:
  const LogLevel level_;
};

class RequestLogTest : public testing::Test {
 protected:
  RequestLogTest() {
    request_.method = "GET";
    request_.path = "/a/b";
    request_.notes.route = "/a/{b}";
  }
  net::Exchange Ended(int status) const {
    return {request_, status, false, false, {}, std::chrono::milliseconds(1), 0, 0};
  }
  std::vector<Line> Noted(const net::Exchange& exchange, RequestLogOptions options = {},
                          LogLevel level = LogLevel::kInfo) {
    LineLogger log(level);
    RequestLog(options, clock_, log).Note("api", exchange);
    return log.lines;
  }

  net::Request request_;
  ManualClock clock_{0};
};

TEST_F(RequestLogTest, AnOrdinaryRequestIsSaidWhenAskedFor) {
  for (const int status : {200, 204, 304, 400, 404, 412, 416, 429}) {
    EXPECT_THAT(Noted(Ended(status)), IsEmpty()) << status;
    EXPECT_THAT(Noted(Ended(status), {.all = true}), SizeIs(1)) << status;
    EXPECT_THAT(Noted(Ended(status), {}, LogLevel::kDebug), SizeIs(1)) << status;
  }
}

TEST_F(RequestLogTest, WhatFailedIsSaidWithItsCause) {
  net::Exchange exchange = Ended(507);
  exchange.cause = "no room";
  const std::vector<Line> lines = Noted(exchange, {}, LogLevel::kError);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].texts.at("cause"), "no room");
  EXPECT_EQ(lines[0].texts.at("status"), "507");
  EXPECT_EQ(lines[0].texts.at("door"), "api");
  exchange.status = 200;
  exchange.is_cut = true;
  EXPECT_THAT(Noted(exchange, {}, LogLevel::kError), SizeIs(1));
  exchange.cause = {};  // the client's own doing
  EXPECT_THAT(Noted(exchange), IsEmpty());
}

TEST_F(RequestLogTest, RefusalsUnknownRoutesAndSlowOnesAreSaid) {
  EXPECT_EQ(Noted(Ended(401)).at(0).message, "request refused");
  EXPECT_EQ(Noted(Ended(403)).at(0).message, "request refused");
  EXPECT_EQ(Noted(Ended(501)).at(0).message, "not implemented");
  EXPECT_THAT(Noted(Ended(501), {}, LogLevel::kWarning), IsEmpty()) << "the client's mistake";
  net::Exchange slow = Ended(200);
  slow.duration = std::chrono::seconds(2);
  EXPECT_EQ(Noted(slow).at(0).message, "slow request");
  EXPECT_THAT(Noted(slow, {.slow = std::chrono::milliseconds(2001)}), IsEmpty());
  request_.notes.route = {};
  EXPECT_EQ(Noted(Ended(404)).at(0).message, "no such route");
}

TEST_F(RequestLogTest, ValuesOfTheQueryAreNotWritten) {
  request_.query =
      "X-Amz-Signature=0123456789abcdef&uploads&levada_0123456789012345678901234567890&=v&";
  EXPECT_EQ(ShownTarget(request_), "/a/b?X-Amz-Signature&uploads&...&...");
  request_.query = {};
  const std::string path(2000, 'x');
  request_.path = path;
  EXPECT_THAT(ShownTarget(request_), SizeIs(515));
}

TEST_F(RequestLogTest, AFloodIsCounted) {
  LineLogger log(LogLevel::kInfo);
  RequestLog requests({.lines_per_second_max = 3}, clock_, log);
  for (int i = 0; i < 10; ++i) requests.Note("api", Ended(500));
  EXPECT_THAT(log.lines, SizeIs(3));
  EXPECT_EQ(requests.unwritten_total(), 7U);
  clock_.Advance(1'000'000);
  requests.Note("api", Ended(500));
  ASSERT_THAT(log.lines, SizeIs(5));
  EXPECT_EQ(log.lines[3].texts.at("unwritten"), "7");
}

TEST_F(RequestLogTest, OfAllAFloodIsWritten) {
  LineLogger log(LogLevel::kInfo);
  RequestLog requests({.all = true, .lines_per_second_max = 3}, clock_, log);
  for (int i = 0; i < 10; ++i) requests.Note("api", Ended(500));
  EXPECT_THAT(log.lines, SizeIs(10));
}

}  // namespace
}  // namespace levada::services
