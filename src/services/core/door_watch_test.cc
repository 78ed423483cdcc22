#include "services/core/door_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services {
namespace {

using testing::HasSubstr;
using testing::Not;

class DoorWatchTest : public testing::Test {
 protected:
  void End(const std::string& method, std::string_view route, int status,
           std::chrono::microseconds duration) {
    net::Request request;
    request.method = method;
    request.notes.route = route;
    watch_.OnEnd({request, status, false, false, {}, duration, 10, 100});
  }
  std::string Text() const { return PrometheusText(RequestMetrics({&watch_})); }

  const ManualClock clock_{0};
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestLog requests_{{}, clock_, *log_};
  DoorWatch watch_{"api", requests_};
};

TEST_F(DoorWatchTest, CountsByRouteMethodAndClass) {
  End("GET", "/a/{b}", 200, std::chrono::microseconds(300));
  End("GET", "/a/{b}", 204, std::chrono::microseconds(500));
  End("GET", "/a/{b}", 404, std::chrono::microseconds(501));
  End("PUT", "/a/{b}", 507, std::chrono::seconds(60));
  End("PUT", "/a/{b}", 501, std::chrono::seconds(0));
  const std::string text = Text();
  const std::string get = R"({door="api",route="/a/{b}",method="GET")";
  EXPECT_THAT(text, HasSubstr("levada_http_requests_total" + get + R"(,status="2xx"} 2)"));
  EXPECT_THAT(text, HasSubstr("levada_http_requests_total" + get + R"(,status="4xx"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(method="PUT",status="5xx"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(method="PUT",status="501"} 1)"));
  EXPECT_THAT(text, HasSubstr("_bucket" + get + R"(,le="0.0005"} 2)"));
  EXPECT_THAT(text, HasSubstr("_bucket" + get + R"(,le="0.001"} 3)"));
  EXPECT_THAT(text, HasSubstr("_count" + get + "} 3"));
  EXPECT_THAT(text, HasSubstr("levada_http_received_bytes_total" + get + "} 30"));
  EXPECT_THAT(text, HasSubstr(R"(method="PUT",le="10"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(method="PUT",le="+Inf"} 2)"));
}

TEST_F(DoorWatchTest, WhatClientsMakeUpMakesNoSeries) {
  for (const char* method : {"BREW", "WHEN", "get"}) End(method, "", 404, {});
  EXPECT_THAT(Text(), HasSubstr(R"({door="api",route="none",method="other",status="4xx"} 3)"));
  EXPECT_THAT(Text(), Not(HasSubstr("BREW")));
}

}  // namespace
}  // namespace levada::services
