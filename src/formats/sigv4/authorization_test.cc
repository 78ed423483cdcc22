#include "formats/sigv4/authorization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

using testing::ElementsAre;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Result<std::optional<Authorization>> Parse(const TestRequest& request, const Limits& limits = {}) {
  return ParseAuthorization(request.View(), limits);
}

TEST(AuthorizationTest, ReadsTheHeader) {
  const TestRequest request = SignedExample();
  const Authorization read = *ValueOf(Parse(request));
  EXPECT_EQ(read.place, Authorization::Place::kHeader);
  EXPECT_EQ(read.access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(read.day, "20130524");
  EXPECT_EQ(read.region, "us-east-1");
  EXPECT_EQ(read.timestamp, "20130524T000000Z");
  EXPECT_EQ(read.signed_at, kExampleTime / kSecond);
  EXPECT_EQ(read.Scope(), "20130524/us-east-1/s3/aws4_request");
  EXPECT_THAT(read.signed_headers, ElementsAre("host", "x-amz-content-sha256", "x-amz-date"));
  EXPECT_EQ(read.payload.kind, PayloadKind::kUnsigned);
  EXPECT_EQ(read.signature.size(), 64u);
  EXPECT_EQ(read.session_token, "");
}

TEST(AuthorizationTest, ReadsThePresignedQuery) {
  TestRequest request = PresignedExample();
  Authorization read = *ValueOf(Parse(request));
  EXPECT_EQ(read.place, Authorization::Place::kQuery);
  EXPECT_EQ(read.access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(read.expires_seconds, 600);
  EXPECT_THAT(read.signed_headers, ElementsAre("host"));
  EXPECT_EQ(read.payload.kind, PayloadKind::kUnsigned);
  request.query += "&X-Amz-Content-Sha256=" + PayloadOf("a").text + "&X-Amz-Security-Token=t%2B";
  read = *ValueOf(Parse(request));
  EXPECT_EQ(read.payload.sha256(), PayloadOf("a").text);
  EXPECT_EQ(read.session_token, "t+");
}

TEST(AuthorizationTest, TakesComponentsInAnyOrderAndWithAnyBlanks) {
  TestRequest request = SignedExample();
  const Authorization read = *ValueOf(Parse(request));
  request.Header("Authorization") = "AWS4-HMAC-SHA256   Signature=" + read.signature +
                                    ",SignedHeaders=" + read.SignedHeaders() +
                                    ",\tCredential=" + read.access_key + "/" + read.Scope() + "  ";
  EXPECT_EQ(ValueOf(Parse(request))->signature, read.signature);
  EXPECT_THAT(Check(request), IsOk());
}

TEST(AuthorizationTest, IsAbsentFromAnAnonymousRequest) {
  TestRequest request{"GET", "/bucket/key", "prefix=a&X-Amz-Date=x", {{"Host", "h"}}};
  EXPECT_EQ(ValueOf(Parse(request)), std::nullopt);
}

TEST(AuthorizationTest, TakesTheDateOfHttpWhereXAmzDateIsAbsent) {
  TestRequest request = SignedExample();
  request.Remove("x-amz-date");
  request.Header("Date") = "Fri, 24 May 2013 00:00:00 GMT";
  EXPECT_EQ(ValueOf(Parse(request))->timestamp, "20130524T000000Z");
  request.Header("Date") = "20130524T000001Z";
  EXPECT_EQ(ValueOf(Parse(request))->timestamp, "20130524T000001Z");
  request.Header("x-amz-date") = "20130524T000002Z";
  EXPECT_EQ(ValueOf(Parse(request))->timestamp, "20130524T000002Z");
}

struct Malformation {
  const char* from;  // of the Authorization header, or of the query
  const char* to;
  const char* code;
  const char* words;
};

TEST(AuthorizationTest, RefusesMalformedHeadersInTheWordsOfS3) {
  const char* const kMalformed = "AuthorizationHeaderMalformed";
  for (const Malformation& it : {
           Malformation{"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256", "InvalidArgument", "Unsupported"},
           Malformation{"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", "InvalidArgument", "Unsupported"},
           Malformation{"AWS4-HMAC-SHA256", "Bearer", "InvalidArgument", "Unsupported"},
           Malformation{"AWS4-HMAC-SHA256", "aws4-hmac-sha256", "InvalidArgument", "Unsupported"},
           Malformation{"AWS4-HMAC-SHA256", "AWS", "InvalidRequest", "Please use AWS4-HMAC-SHA256"},
           Malformation{"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "InvalidRequest", "use AWS4"},
           Malformation{"Credential=", "Credential", kMalformed, "component \"Credential"},
           Malformation{"Credential=", "Credentials=", kMalformed, "requires three components"},
           Malformation{"Credential=", "Signature=", kMalformed, "requires three components"},
           Malformation{", Signature=", ",Extra=1, Signature=", kMalformed, "requires three"},
           Malformation{", Signature=", ",, Signature=", kMalformed, "component \"\""},
           Malformation{"SignedHeaders=host;x-amz-content-sha256;x-amz-date, ", "", kMalformed,
                        "missing SignedHeaders."},
           Malformation{"Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ", "",
                        kMalformed, "missing Credential."},
           Malformation{", Signature=", ", SignedHeaders=", kMalformed, "requires three"},
           Malformation{"=AKIAIOSFODNN7EXAMPLE/", "=/", kMalformed, "non-empty Access Key"},
           Malformation{"=AKIAIOSFODNN7EXAMPLE/", "=", kMalformed, "Credential is mal-formed"},
           Malformation{"/s3/", "/s3/s3/", kMalformed, "Credential is mal-formed"},
           Malformation{"/20130524/", "/2013-05-24/", kMalformed, "incorrect date format"},
           Malformation{"/20130524/", "//", kMalformed, "incorrect date format"},
           Malformation{"/20130524/", "/20130525/", kMalformed, "not the same as X-Amz-Date"},
           Malformation{"/us-east-1/", "/eu-west-1/", kMalformed,
                        "the region 'eu-west-1' is wrong; expecting 'auto'"},
           Malformation{"/s3/", "/ec2/", kMalformed, "incorrect service \"ec2\""},
           Malformation{"aws4_request", "aws_request", kMalformed, "terminal \"aws_request\""},
           Malformation{"host;", "", "AccessDenied", "not signed"},
           Malformation{";x-amz-date", "", "AccessDenied", "not signed"},
           Malformation{"host;", "host;host;", kMalformed, "distinct header names"},
           Malformation{"host;", "host;;", kMalformed, "distinct header names"},
           Malformation{"host;", "host;a:b;", kMalformed, "distinct header names"},
           Malformation{"=host;x-amz-content-sha256;x-amz-date", "=", kMalformed, "distinct"},
       }) {
    TestRequest request = SignedExample();
    request.Header("Authorization") = Replaced(request.Header("Authorization"), it.from, it.to);
    EXPECT_THAT(Parse(request), RefusedWith(it.code, it.words)) << it.from << " -> " << it.to;
  }
}

TEST(AuthorizationTest, RefusesMalformedQueriesInTheWordsOfS3) {
  const char* const kParameters = "AuthorizationQueryParametersError";
  for (const Malformation& it : {
           Malformation{"X-Amz-Algorithm=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Credential=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Date=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Expires=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-SignedHeaders=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Signature=", "X=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Expires=600", "X-Amz-Expires=", kParameters, "version 4 requires"},
           Malformation{"X-Amz-Expires=600", "X-Amz-Expires=600&X-Amz-Expires=601", kParameters,
                        "version 4 requires"},
           Malformation{"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", kParameters, "only supports"},
           Malformation{"%2Fs3%2F", "%2Fec2%2F", kParameters,
                        "X-Amz-Credential parameter; incorrect service \"ec2\""},
           Malformation{"%2Fus-east-1%2F", "%2Fmars%2F", kParameters, "the region 'mars' is wrong"},
           Malformation{"%2Faws4_request", "", kParameters, "Credential is mal-formed"},
           Malformation{"%2F20130524%2F", "%2F20130523%2F", kParameters, "not the same"},
           Malformation{"X-Amz-Date=20130524T000000Z", "X-Amz-Date=20130524", kParameters,
                        "ISO8601 Long Format"},
           Malformation{"Expires=600", "Expires=1h", kParameters, "should be a number"},
           Malformation{"Expires=600", "Expires=%2B600", kParameters, "should be a number"},
           Malformation{"Expires=600", "Expires=-1", kParameters, "non-negative"},
           Malformation{"Expires=600", "Expires=0", kParameters, "at least 1"},
           Malformation{"Expires=600", "Expires=604801", kParameters, "604800 seconds"},
           Malformation{"Expires=600", "Expires=99999999999999999999", kParameters, "604800"},
           Malformation{"SignedHeaders=host", "SignedHeaders=x-a", "AccessDenied", "not signed"},
           Malformation{"SignedHeaders=host", "SignedHeaders=host%0Ax", kParameters, "distinct"},
           Malformation{"SignedHeaders=host", "SignedHeaders=host&X-Amz-Content-Sha256=x",
                        "InvalidArgument", "x-amz-content-sha256"},
           Malformation{"versionId=1", "versionId=%", "InvalidURI", "specified URI"},
       }) {
    TestRequest request = PresignedExample();
    request.query = Replaced(request.query, it.from, it.to);
    EXPECT_THAT(Parse(request), RefusedWith(it.code, it.words)) << it.from << " -> " << it.to;
  }
}

TEST(AuthorizationTest, RefusesOtherRequestsInTheWordsOfS3) {
  struct Case {
    std::function<void(TestRequest&)> change;
    const char* code;
    const char* words;
  };
  for (const Case& it : std::initializer_list<Case>{
           {[](TestRequest& r) { r.Remove("x-amz-content-sha256"); }, "InvalidRequest",
            "Missing required header for this request: x-amz-content-sha256"},
           {[](TestRequest& r) { r.Header("x-amz-content-sha256") = "x"; }, "InvalidArgument", ""},
           {[](TestRequest& r) { r.Remove("x-amz-date"); }, "AccessDenied", "valid Date"},
           {[](TestRequest& r) { r.Header("x-amz-date") = "yesterday"; }, "AccessDenied", "Date"},
           {[](TestRequest& r) { r.Header("x-amz-acl") = "private"; }, "AccessDenied",
            "not signed"},
           {[](TestRequest& r) { r.Header("X-Amz-Copy-Source") = "b/k"; }, "AccessDenied",
            "not signed"},
           {[](TestRequest& r) { r.query += "&X-Amz-Algorithm=AWS4-HMAC-SHA256"; },
            "InvalidArgument", "Only one auth mechanism allowed"},
           {[](TestRequest& r) { r.query = PresignedExample().query; }, "InvalidArgument",
            "Only one"},
           {[](TestRequest& r) { r.query += "&AWSAccessKeyId=a&Signature=b&Expires=1"; },
            "InvalidArgument", "Only one"},
           {[](TestRequest& r) { r.headers.emplace_back("authorization", "x"); }, "InvalidArgument",
            "Only one"},
           {[](TestRequest& r) {
              r.Remove("Authorization");
              r.query = "AWSAccessKeyId=a&Signature=b&Expires=1";
            },
            "InvalidRequest", "Please use AWS4-HMAC-SHA256"},
           {[](TestRequest& r) { r.Header("Authorization") = "AWS AKID:c2ln"; }, "InvalidRequest",
            "Please use AWS4-HMAC-SHA256"},
           {[](TestRequest& r) { r.Header("Authorization") = ""; }, "InvalidArgument", "space"},
           {[](TestRequest& r) { r.Header("Authorization") = "AWS4-HMAC-SHA256 "; },
            "InvalidArgument", "space"},
       }) {
    TestRequest request = SignedExample();
    it.change(request);
    EXPECT_THAT(Parse(request), RefusedWith(it.code, it.words)) << it.code << " " << it.words;
  }
}

TEST(AuthorizationTest, NamesTheRegionAndTheHeadersThatAreMissing) {
  TestRequest request = SignedExample();
  request.Header("x-amz-acl") = "private";
  request.Header("X-Amz-Meta-A") = "1";
  request.headers.emplace_back("x-amz-meta-a", "2");
  const S3Error unsigned_headers = S3ErrorOf(Parse(request).status());
  EXPECT_EQ(unsigned_headers.http_status, 403);
  EXPECT_THAT(unsigned_headers.fields,
              ElementsAre(testing::Pair("HeadersNotSigned", "x-amz-acl, x-amz-meta-a")));

  Limits limits;
  limits.regions = {"eu-central-1", "auto"};
  const S3Error region = S3ErrorOf(Parse(SignedExample(), limits).status());
  EXPECT_EQ(region.http_status, 400);
  EXPECT_THAT(region.fields, ElementsAre(testing::Pair("Region", "eu-central-1")));
}

TEST(AuthorizationTest, NeedsNoSignedContentTypeOrMd5) {
  TestRequest request = SignedExample();
  request.Header("Content-Type") = "text/plain";
  request.Header("Content-MD5") = "1B2M2Y8AsgTpgAmY7PhCfg==";
  request.Header("Range") = "bytes=0-9";
  EXPECT_THAT(Check(request), IsOk());
}

TEST(AuthorizationTest, BoundsTheListOfSignedHeaders) {
  Limits limits;
  limits.signed_headers_max = 4;
  TestRequest request = SignedExample();
  std::string& value = request.Header("Authorization");
  value = Replaced(value, "host;", "host;a;");
  EXPECT_THAT(Parse(request, limits), IsOk());
  value = Replaced(value, "host;", "host;b;");
  EXPECT_THAT(Parse(request, limits), RefusedWith("AuthorizationHeaderMalformed", "more than 4"));
  EXPECT_EQ(Limits().signed_headers_max, 128u);
}

TEST(AuthorizationTest, NeverRepeatsACredentialOfAnotherScheme) {
  TestRequest request = SignedExample();
  for (const char* value : {"Bearer canary", "Basic canary", "canary"}) {
    request.Header("Authorization") = value;
    const S3Error error = S3ErrorOf(Parse(request).status());
    EXPECT_EQ(error.message.find("canary"), std::string::npos);
    for (const auto& [name, text] : error.fields) {
      EXPECT_EQ(text.find("canary"), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace levada::sigv4
