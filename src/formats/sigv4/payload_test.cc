#include "formats/sigv4/payload.h"

#include <gtest/gtest.h>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

TEST(PayloadTest, ReadsEveryFormOfS3) {
  const std::string hash(64, 'A');
  EXPECT_EQ(ValueOf(ParsePayload(hash)).kind, PayloadKind::kHash);
  EXPECT_EQ(ValueOf(ParsePayload(hash)).text, hash);
  EXPECT_EQ(ValueOf(ParsePayload(hash)).sha256(), std::string(64, 'a'));
  for (const PayloadKind kind :
       {PayloadKind::kUnsigned, PayloadKind::kStreamingSigned, PayloadKind::kStreamingSignedTrailer,
        PayloadKind::kStreamingUnsignedTrailer}) {
    const Payload payload = ValueOf(ParsePayload(TextOf(kind)));
    EXPECT_EQ(payload.kind, kind);
    EXPECT_EQ(payload.sha256(), "");
    EXPECT_EQ(IsStreaming(kind), kind != PayloadKind::kUnsigned);
  }
  EXPECT_TRUE(IsSignedStreaming(PayloadKind::kStreamingSigned));
  EXPECT_FALSE(IsSignedStreaming(PayloadKind::kStreamingUnsignedTrailer));
  EXPECT_FALSE(HasTrailers(PayloadKind::kStreamingSigned));
  EXPECT_TRUE(HasTrailers(PayloadKind::kStreamingUnsignedTrailer));
}

TEST(PayloadTest, RefusesAllOthers) {
  for (const std::string& text :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(63, 'a') + "g",
        std::string("unsigned-payload"), std::string("STREAMING-UNSIGNED-PAYLOAD")}) {
    EXPECT_THAT(ParsePayload(text), RefusedWith("InvalidArgument", "valid sha256")) << text;
  }
  for (const char* text : {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
                           "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"}) {
    EXPECT_THAT(ParsePayload(text), RefusedWith("NotImplemented")) << text;
  }
}

TEST(PayloadTest, TellsAnotherHash) {
  const S3Error error = PayloadMismatch(PayloadOf("a"), "00");
  EXPECT_EQ(error.code, "XAmzContentSHA256Mismatch");
  EXPECT_EQ(error.http_status, 400);
  EXPECT_EQ(error.fields[0].second, PayloadOf("a").text);
  EXPECT_EQ(error.fields[1].second, "00");
}

TEST(S3ErrorTest, TravelsInAStatusAndHidesAllOtherFailures) {
  const Status status = AccessDenied("no");
  EXPECT_EQ(S3ErrorOf(status).code, "AccessDenied");
  EXPECT_EQ(S3ErrorOf(status).http_status, 403);
  EXPECT_EQ(status.message(), "no");
  const Result<int> result = InvalidArgument("what", "name", "value");
  EXPECT_EQ(S3ErrorOf(result.status()).fields.size(), 2u);
  const S3Error other = S3ErrorOf(Status::IOError("disk of account 7"));
  EXPECT_EQ(other.code, "InternalError");
  EXPECT_EQ(other.http_status, 500);
  EXPECT_EQ(other.message.find("account"), std::string::npos);
  EXPECT_EQ(S3ErrorOf(Fault(FaultCode::kTargetIo, "x")).code, "InternalError");
}

}  // namespace
}  // namespace levada::sigv4
