#include "formats/sigv4/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

/// A request of the documentation; `signature` as printed there.
TestRequest Example(const char* method, const char* path, const char* query,
                    std::vector<std::pair<std::string, std::string>> headers,
                    const std::string& signed_headers, const std::string& signature) {
  TestRequest request{method, path, query, std::move(headers)};
  request.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  request.headers.emplace_back(
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
      "SignedHeaders=" +
          signed_headers + ",Signature=" + signature);
  return request;
}

// S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in a
// Single Chunk", "Examples: Signature Calculations".
std::vector<TestRequest> Examples() {
  const std::string empty(kEmptySha256);
  return {
      Example("GET", "/test.txt", "",
              {{"Range", "bytes=0-9"},
               {"x-amz-content-sha256", empty},
               {"x-amz-date", "20130524T000000Z"}},
              "host;range;x-amz-content-sha256;x-amz-date",
              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
      Example("PUT", "/test$file.text", "",
              {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
               {"x-amz-date", "20130524T000000Z"},
               {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
               {"x-amz-content-sha256",
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
              "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
              "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
      Example("GET", "/", "lifecycle",
              {{"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", empty}},
              "host;x-amz-content-sha256;x-amz-date",
              "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
      Example("GET", "/", "max-keys=2&prefix=J",
              {{"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", empty}},
              "host;x-amz-content-sha256;x-amz-date",
              "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  };
}

// "Authenticating Requests: Using Query Parameters", the example.
TestRequest PresignedOfTheDocumentation() {
  return {"GET",
          "/test.txt",
          "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
          "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
          "X-Amz-SignedHeaders=host&X-Amz-Signature="
          "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
          {{"Host", "examplebucket.s3.amazonaws.com"}}};
}

TEST(VerifierTest, AcceptsTheExamplesOfTheDocumentation) {
  for (const TestRequest& request : Examples()) EXPECT_THAT(Check(request), IsOk()) << request.path;
  EXPECT_THAT(Check(PresignedOfTheDocumentation()), IsOk());
}

TEST(VerifierTest, DerivesTheKeyOfTheExamples) {
  // By Python's hmac, and by the signatures above.
  const SigningKey key = DeriveSigningKey(ExampleCredentials().secret, "20130524", "us-east-1");
  EXPECT_EQ(Hex(key.bytes), "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378");
}

TEST(VerifierTest, RefusesEveryChangeOfASignedByte) {
  for (const TestRequest& original : {SignedExample(), PresignedExample()}) {
    const auto refused = [](const TestRequest& request) {
      const Status status = Check(request);
      EXPECT_FALSE(status.ok());
    };
    const auto each_byte = [&](auto&& text_of) {
      TestRequest request = original;
      std::string& text = text_of(request);
      for (char& byte : text) {
        const char before = byte;
        // To bytes that mean something, and to one that does not.
        for (const char changed : {'a', 'B', '0', '1', '/', '&', '=', ' ', ';', ',', '\x80'}) {
          if (changed == before) continue;
          byte = changed;
          refused(request);
        }
        byte = before;
      }
      EXPECT_THAT(Check(request), IsOk());
    };
    each_byte([](TestRequest& request) -> std::string& { return request.method; });
    each_byte([](TestRequest& request) -> std::string& { return request.path; });
    each_byte([](TestRequest& request) -> std::string& { return request.query; });
    for (size_t i = 0; i < original.headers.size(); ++i) {
      each_byte([i](TestRequest& request) -> std::string& { return request.headers[i].second; });
    }
  }
}

TEST(VerifierTest, RefusesWhatIsAddedOrTakenAway) {
  for (const TestRequest& original : {SignedExample(), PresignedExample()}) {
    for (const char* query : {"&acl", "&versionId=1", "&", "&=", "&X-Amz-Foo=1"}) {
      TestRequest request = original;
      request.query += query;
      if (std::string_view(query) == "&") {
        EXPECT_THAT(Check(request), IsOk()) << "an empty piece is no parameter";
      } else {
        EXPECT_THAT(Check(request), RefusedWith("SignatureDoesNotMatch")) << query;
      }
    }
    for (const char* path :
         {"/bucket/a%20b/", "//bucket/a%20b", "/bucket/./a%20b", "/bucket/a%20B"}) {
      TestRequest request = original;
      request.path = path;
      EXPECT_THAT(Check(request), RefusedWith("SignatureDoesNotMatch")) << path;
    }
    TestRequest twice = original;
    twice.headers.emplace_back("host", "127.0.0.1:8788");
    EXPECT_THAT(Check(twice), RefusedWith("SignatureDoesNotMatch"));
  }
}

TEST(VerifierTest, AcceptsOtherEncodingsOfTheSamePath) {
  for (TestRequest request : {SignedExample(), PresignedExample()}) {
    for (const char* path : {"/bucket/a b", "/bucket/%61%20b", "/%62ucket/a%20%62"}) {
      request.path = path;
      EXPECT_THAT(Check(request), IsOk()) << path;
    }
    request.path = "/bucket/a+b";
    EXPECT_THAT(Check(request), RefusedWith("SignatureDoesNotMatch")) << "a plus is no blank";
  }
}

TEST(VerifierTest, AcceptsAPathThatWasSignedAsItWasSent) {
  TestRequest request{"GET", "/bucket/a(b)%2fc", "", {{"Host", "h"}}};
  SignedRequest made =
      ValueOf(Sign(request.View(), PayloadOf(""), ExampleCredentials(), "auto", kExampleTime));
  for (const SignedHeader& header : made.headers) {
    request.headers.emplace_back(header.name, header.value);
  }
  EXPECT_THAT(Check(request), IsOk());
  // The same, by a client that encodes nothing anew.
  const std::string canonical =
      CanonicalRequest("GET", request.path, "",
                       CanonicalHeaders(request.View().headers, made.authorization.signed_headers),
                       made.authorization.SignedHeaders(), PayloadOf("").text);
  const SigningKey key = DeriveSigningKey(ExampleCredentials().secret, "20130524", "auto");
  const std::string signature =
      Signature(key, StringToSign("20130524T000000Z", made.authorization.Scope(), canonical));
  EXPECT_NE(signature, made.authorization.signature);
  std::string& header = request.Header("Authorization");
  header.replace(header.size() - 64, 64, signature);
  EXPECT_THAT(Check(request), IsOk());
  request.path = "/bucket/a%28b%29/c";
  EXPECT_THAT(Check(request), RefusedWith("SignatureDoesNotMatch"));
}

TEST(VerifierTest, AcceptsHeadersWithOtherBlanksAndOfOtherCase) {
  TestRequest request = SignedExample();
  request.Header("Host") = "  127.0.0.1:8788\t";
  for (auto& [name, value] : request.headers) {
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  EXPECT_THAT(Check(request), IsOk());
}

TEST(VerifierTest, TakesAnAbsentHeaderForAnEmptyOne) {
  TestRequest request{"GET", "/", "", {{"Host", "h"}, {"Content-Type", ""}}};
  for (const SignedHeader& header :
       ValueOf(Sign(request.View(), PayloadOf(""), ExampleCredentials(), "auto", kExampleTime))
           .headers) {
    request.headers.emplace_back(header.name, header.value);
  }
  EXPECT_THAT(Check(request), IsOk());
  request.Remove("Content-Type");
  EXPECT_THAT(Check(request), IsOk());
}

TEST(VerifierTest, RefusesAClockThatIsFarOff) {
  const TestRequest request = SignedExample();
  for (const int64_t late : {-900, -1, 0, 1, 900}) {
    EXPECT_THAT(Check(request, kExampleTime + late * kSecond), IsOk()) << late;
  }
  for (const int64_t late : {-901, 901, 86'400, -86'400}) {
    const Status status = Check(request, kExampleTime + late * kSecond);
    ASSERT_THAT(status, RefusedWith("RequestTimeTooSkewed")) << late;
    const S3Error error = S3ErrorOf(status);
    EXPECT_EQ(error.http_status, 403);
    EXPECT_THAT(error.fields, Contains(Pair("RequestTime", "20130524T000000Z")));
    EXPECT_THAT(error.fields, Contains(Pair("MaxAllowedSkewMilliseconds", "900000")));
    EXPECT_THAT(error.fields, Contains(Key("ServerTime")));
  }
  Limits limits;
  limits.skew_seconds = 5;
  EXPECT_THAT(Check(request, kExampleTime + 6 * kSecond, limits),
              RefusedWith("RequestTimeTooSkewed"));
}

TEST(VerifierTest, RefusesAPresignedUrlBeforeAndAfterItsTime) {
  const TestRequest request = PresignedExample(3'600);
  for (const int64_t late : {-900, 0, 901, 3'600}) {
    EXPECT_THAT(Check(request, kExampleTime + late * kSecond), IsOk()) << late;
  }
  const S3Error expired = S3ErrorOf(Check(request, kExampleTime + 3'601 * kSecond));
  EXPECT_EQ(expired.code, "AccessDenied");
  EXPECT_EQ(expired.http_status, 403);
  EXPECT_EQ(expired.message, "Request has expired");
  EXPECT_THAT(expired.fields, Contains(Pair("Expires", "2013-05-24T01:00:00Z")));
  EXPECT_THAT(expired.fields, Contains(Pair("ServerTime", "2013-05-24T01:00:01Z")));
  EXPECT_THAT(expired.fields, Contains(Pair("X-Amz-Expires", "3600")));
  EXPECT_THAT(Check(request, kExampleTime - 901 * kSecond),
              RefusedWith("AccessDenied", "not yet valid"));
  EXPECT_THAT(Check(PresignedExample(604'800), kExampleTime + 604'800 * kSecond), IsOk());
}

TEST(VerifierTest, AcceptsAReplayWithinTheWindow) {
  const TestRequest request = SignedExample();
  EXPECT_THAT(Check(request, kExampleTime), IsOk());
  EXPECT_THAT(Check(request, kExampleTime + 60 * kSecond), IsOk());
}

TEST(VerifierTest, RefusesTheKeyOfAnotherDayRegionOrSecret) {
  const TestRequest request = SignedExample();
  const RequestView view = request.View();
  const Authorization authorization = *ValueOf(ParseAuthorization(view, Limits()));
  const Secret& secret = ExampleCredentials().secret;
  const auto verify = [&](const SigningKey& key) {
    return Verify(view, authorization, key, kExampleTime, Limits());
  };
  EXPECT_THAT(verify(DeriveSigningKey(secret, "20130524", "us-east-1")), IsOk());
  EXPECT_THAT(verify(DeriveSigningKey(secret, "20130525", "us-east-1")),
              RefusedWith("SignatureDoesNotMatch"));
  EXPECT_THAT(verify(DeriveSigningKey(secret, "20130524", "auto")),
              RefusedWith("SignatureDoesNotMatch"));
  EXPECT_THAT(verify(DeriveSigningKey(Secret("other"), "20130524", "us-east-1")),
              RefusedWith("SignatureDoesNotMatch"));
  EXPECT_THAT(verify(SigningKey()), RefusedWith("SignatureDoesNotMatch"));
}

TEST(VerifierTest, RefusesSignaturesThatAreNone) {
  for (const char* signature : {"", "0", "FFFF"}) {
    TestRequest request = SignedExample();
    std::string& header = request.Header("Authorization");
    header.replace(header.size() - 64, 64, signature);
    EXPECT_THAT(Check(request), RefusedWith("SignatureDoesNotMatch")) << signature;
  }
}

TEST(VerifierTest, SaysWhatItSigned) {
  TestRequest request = SignedExample();
  request.method = "PUT";
  const S3Error error = S3ErrorOf(Check(request));
  EXPECT_EQ(error.http_status, 403);
  EXPECT_THAT(error.fields, Contains(Pair("AWSAccessKeyId", "AKIAIOSFODNN7EXAMPLE")));
  EXPECT_THAT(error.fields,
              Contains(Pair("StringToSign", testing::StartsWith("AWS4-HMAC-SHA256\n"
                                                                "20130524T000000Z"))));
  EXPECT_THAT(error.fields,
              Contains(Pair("CanonicalRequest",
                            testing::StartsWith("PUT\n/bucket/a%20b\nversionId=1&x=%2F\nhost:"))));
  EXPECT_THAT(error.fields,
              Contains(Pair("CanonicalRequestBytes", testing::StartsWith("50 55 54 0a 2f"))));
}

TEST(VerifierTest, RepeatsNoTokenAndNoKeyOfACustomer) {
  for (const auto& [name, value] :
       {std::pair("x-amz-security-token", "canary"),
        std::pair("x-amz-server-side-encryption-customer-key", "canary")}) {
    TestRequest request{"GET", "/b/k", "", {{"Host", "h"}, {name, value}}};
    for (const SignedHeader& header :
         ValueOf(Sign(request.View(), PayloadOf(""), ExampleCredentials(), "auto", kExampleTime))
             .headers) {
      request.headers.emplace_back(header.name, header.value);
    }
    EXPECT_THAT(Check(request), IsOk());
    request.method = "PUT";
    const S3Error error = S3ErrorOf(Check(request));
    EXPECT_EQ(error.code, "SignatureDoesNotMatch");
    EXPECT_THAT(error.fields, Not(Contains(Key("CanonicalRequest"))));
    EXPECT_THAT(error.fields, Not(Contains(Pair(testing::_, testing::HasSubstr("canary")))));
  }
}

}  // namespace
}  // namespace levada::sigv4
