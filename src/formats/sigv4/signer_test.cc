#include "formats/sigv4/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

using testing::HasSubstr;

TEST(SignerTest, SignsTheExamplesOfTheDocumentation) {
  const std::vector<HeaderView> get = {{"Host", "examplebucket.s3.amazonaws.com"},
                                       {"Range", "bytes=0-9"}};
  EXPECT_EQ(ValueOf(Sign({"GET", "/test.txt", "", get}, PayloadOf(""), ExampleCredentials(),
                         "us-east-1", kExampleTime))
                .authorization.signature,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const std::vector<HeaderView> put = {{"Host", "examplebucket.s3.amazonaws.com"},
                                       {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  EXPECT_EQ(ValueOf(Sign({"PUT", "/test%24file.text", "", put}, PayloadOf("Welcome to Amazon S3."),
                         ExampleCredentials(), "us-east-1", kExampleTime))
                .authorization.signature,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  const std::vector<HeaderView> host = {{"Host", "examplebucket.s3.amazonaws.com"}};
  EXPECT_EQ(ValueOf(Sign({"GET", "/", "prefix=J&max-keys=2", host}, PayloadOf(""),
                         ExampleCredentials(), "us-east-1", kExampleTime))
                .authorization.signature,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_EQ(ValueOf(Presign({"GET", "/test.txt", "", host}, 86'400, ExampleCredentials(),
                            "us-east-1", kExampleTime)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SignerTest, SignsWhatTheVerifierAccepts) {
  Credentials credentials = ExampleCredentials();
  credentials.session_token = "token/with+signs==";
  const std::string key = "a b+c/~!'()*\xc3\xbc/%41//./..";
  for (const char* query : {"", "acl", "prefix=a%20b%2Bc&list-type=2"}) {
    TestRequest request{"PUT",
                        "/bucket/" + UriEncode(key, /*keep_slashes=*/true),
                        query,
                        {{"Host", "h"}, {"x-amz-meta-a", " two  blanks "}, {"x-amz-meta-a", "2"}}};
    TestRequest by_header = request;
    for (const SignedHeader& header :
         ValueOf(Sign(request.View(), PayloadOf("body"), credentials, "auto", kExampleTime))
             .headers) {
      by_header.headers.emplace_back(header.name, header.value);
    }
    EXPECT_EQ(by_header.Header("x-amz-security-token"), credentials.session_token);
    EXPECT_THAT(Check(by_header), IsOk());

    TestRequest by_query = request;
    by_query.query = ValueOf(Presign(request.View(), 1, credentials, "auto", kExampleTime));
    EXPECT_THAT(by_query.query, HasSubstr("X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D"));
    EXPECT_THAT(Check(by_query), IsOk());
    EXPECT_EQ(ValueOf(ParseAuthorization(by_query.View(), Limits()))->session_token,
              credentials.session_token);
  }
}

TEST(SignerTest, RefusesWhatDoesNotDecode) {
  const std::vector<HeaderView> host = {{"Host", "h"}};
  EXPECT_THAT(Sign({"GET", "/%", "", host}, PayloadOf(""), ExampleCredentials(), "auto", 0),
              RefusedWith("InvalidURI"));
  EXPECT_THAT(Presign({"GET", "/", "a=%zz", host}, 1, ExampleCredentials(), "auto", 0),
              RefusedWith("InvalidURI"));
}

}  // namespace
}  // namespace levada::sigv4
