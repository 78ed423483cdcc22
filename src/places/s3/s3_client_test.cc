#include "places/s3/s3_client.h"

#include <gmock/gmock.h>

#include <vector>

#include "places/s3/bucket_fixture.h"

namespace levada::places {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class S3ClientTest : public ::testing::Test {
 protected:
  // The first `times` requests are answered so, the others by the bucket.
  void Refuse(int times, const net::SessionAnswer& answer) {
    bucket_.OnRequest([times, answer](const FakeBucket::Seen&) mutable {
      Disturbance disturbance;
      if (times-- > 0) disturbance.instead = answer;
      return disturbance;
    });
  }
  Result<S3Answer> Put() {
    S3Call call{"PUT", "lake/a b+c"};
    call.body = "content";
    return client_->Send(ctx_, call);
  }

  FakeBucket bucket_;
  TestContext test_;
  Context ctx_ = test_.context();
  const std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  const std::shared_ptr<S3Client> client_ = ClientOf(bucket_, *random_);
};

TEST_F(S3ClientTest, SignsWhatItSends) {
  const S3Answer answer = ValueOf(Put());
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.etag(), "e1");
  const auto seen = bucket_.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].path, "lake/a b+c");
  EXPECT_EQ(seen[0].headers.Find("host"), "h:1");
  EXPECT_THAT(std::string(seen[0].headers.Find("authorization").value_or("")),
              AllOf(HasSubstr("Credential=AKID/20260101/us-east-1/s3"), Not(HasSubstr("SECRET"))));
}

TEST_F(S3ClientTest, TriesAgainWhatMayPass) {
  for (const auto& [status, code] : {std::pair(503, "SlowDown"), std::pair(500, "InternalError"),
                                     std::pair(400, "RequestTimeout"), std::pair(429, ""),
                                     std::pair(409, "ConditionalRequestConflict")}) {
    Refuse(3, FakeBucket::Refusal(status, code));
    EXPECT_THAT(Put(), IsOk()) << code;
  }
}

TEST_F(S3ClientTest, PausesLongerEachTime) {
  Refuse(100, FakeBucket::Refusal(503, "SlowDown"));
  const SteadyTime begun = test_.clock.Steady();
  EXPECT_THAT(Put(), FailsWith(FaultCode::kTargetBusy, HasSubstr("slow down")));
  EXPECT_EQ(bucket_.seen().size(), 4u);
  const auto paused = test_.clock.Steady() - begun;
  EXPECT_GE(paused, std::chrono::milliseconds(350)) << "half of 100 + 200 + 400";
  EXPECT_LE(paused, std::chrono::milliseconds(700));
}

TEST_F(S3ClientTest, EndsWithAStop) {
  Refuse(100, FakeBucket::Refusal(503, "SlowDown"));
  test_.stop.request_stop();
  EXPECT_THAT(Put(), FailsWith(FaultCode::kStopped));
}

TEST_F(S3ClientTest, ExplainsRefusals) {
  struct Case {
    int status;
    const char* code;
    FaultCode fault;
    const char* words;
  };
  for (const Case& each : std::vector<Case>{
           {403, "InvalidAccessKeyId", FaultCode::kAuthFailed, "refuses the keys"},
           {403, "SignatureDoesNotMatch", FaultCode::kAuthFailed, "refuses the keys"},
           {403, "RequestTimeTooSkewed", FaultCode::kAuthFailed, "clock"},
           {403, "AccessDenied", FaultCode::kPermissionDenied, "may not PUT"},
           {404, "NoSuchBucket", FaultCode::kTargetUnwritable, "no bucket \"bucket\""},
           {301, "PermanentRedirect", FaultCode::kBadValue, "not in region"},
           {400, "AuthorizationHeaderMalformed", FaultCode::kBadValue, "not in region"},
           {501, "NotImplemented", FaultCode::kTargetUnsupported, "cannot PUT"},
           {507, "InsufficientStorage", FaultCode::kDiskFull, "full"},
           {400, "EntityTooLarge", FaultCode::kTargetIo, "EntityTooLarge: says the test"},
           {503, "", FaultCode::kTargetBusy, "slow down"}}) {
    Refuse(100, FakeBucket::Refusal(each.status, each.code));
    EXPECT_THAT(Put(), FailsWith(each.fault, HasSubstr(each.words))) << each.code;
  }
  Refuse(100, net::SessionAnswer{502, {}, "<html>a proxy's own words"});
  EXPECT_THAT(Put(), FailsWith(FaultCode::kTargetIo, HasSubstr("status 502")));
}

TEST_F(S3ClientTest, NamesTheRightRegion) {
  net::SessionAnswer refusal = FakeBucket::Refusal(301, "PermanentRedirect");
  refusal.headers.Add("x-amz-bucket-region", "eu-central-1");
  Refuse(1, refusal);
  EXPECT_THAT(FaultOf(Put().status()).help(), HasSubstr("?region=eu-central-1"));
}

TEST_F(S3ClientTest, HandsOnWhatTellsSomething) {
  for (const auto& [status, code] :
       {std::pair(404, "NoSuchKey"), std::pair(412, "PreconditionFailed"),
        std::pair(416, "InvalidRange")}) {
    Refuse(1, FakeBucket::Refusal(status, code));
    const S3Answer answer = ValueOf(Put());
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.error_code, code);
  }
}

TEST_F(S3ClientTest, AsksForKeysAnewWhenTheyHaveEnded) {
  Refuse(1, FakeBucket::Refusal(400, "ExpiredToken"));
  EXPECT_THAT(Put(), IsOk());
  Refuse(2, FakeBucket::Refusal(400, "ExpiredToken"));
  EXPECT_THAT(Put(), FailsWith(FaultCode::kAuthFailed)) << "those of the environment stay the same";
}

}  // namespace
}  // namespace levada::places
