// What real clients sent, as the programs in testdata recorded it: each body is understood, the
// same list of keys comes out of all of them, and none is taken when it is cut.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "base/testing.h"
#include "formats/s3xml/bucket_configuration.h"
#include "formats/s3xml/cors.h"
#include "formats/s3xml/lifecycle.h"
#include "formats/s3xml/object_requests.h"

namespace levada::s3xml {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

struct Request {
  std::string name;  ///< "boto3: delete"
  std::string body;
};

std::vector<Request> Recorded() {
  std::vector<Request> requests;
  for (const char* file : {"requests_python.json", "requests_javascript.json", "requests_go.json",
                           "requests_java.json"}) {
    std::ifstream in(LEVADA_TESTDATA "/" + std::string(file), std::ios::binary);
    const Json json = ParseJson(std::string{std::istreambuf_iterator<char>(in), {}});
    if (!json.is_array()) ADD_FAILURE() << file;
    for (const Json& entry : json) {
      requests.push_back(
          {entry["client"].get<std::string>() + ": " + entry["statement"].get<std::string>(),
           entry["body"].get<std::string>()});
    }
  }
  return requests;
}

std::string BodyOf(const std::string& name) {
  for (const Request& request : Recorded()) {
    if (request.name == name) return request.body;
  }
  ADD_FAILURE() << name;
  return "";
}

/// By whichever reader the document belongs to.
Status Understand(std::string_view body) {
  if (body.find("<Delete") != body.npos) return ParseDelete(body).status();
  if (body.find("<Complete") != body.npos) return ParseCompleteMultipartUpload(body).status();
  if (body.find("<Create") != body.npos) return ParseCreateBucketConfiguration(body).status();
  if (body.find("<Versioning") != body.npos) return ParseVersioningConfiguration(body).status();
  if (body.find("<CORS") != body.npos) return ParseCorsConfiguration(body).status();
  return ParseLifecycleConfiguration(body).status();
}

TEST(ClientRequests, AreUnderstood) {
  const std::vector<Request> requests = Recorded();
  EXPECT_GT(requests.size(), 40U);
  for (const Request& request : requests) {
    EXPECT_THAT(Understand(request.body), IsOk()) << request.name;
  }
}

TEST(ClientRequests, CutAnywhereAreRefused) {
  for (const Request& request : Recorded()) {
    for (size_t size = 1; size < request.body.size(); ++size) {
      ASSERT_FALSE(Understand(std::string_view(request.body).substr(0, size)).ok())
          << request.name << " " << size;
    }
  }
}

TEST(ClientRequests, DeleteTheKeysThatTheyMean) {
  const std::vector<std::string> keys = {
      "plain.txt", "a b",        " lead and trail ",  "a&b<c>d\"e'f",
      "tab\there", "line\nfeed", "carriage\rreturn",  "ünï/日本/🪣",
      "&amp;",     "]]>",        "\u00a0\u0085\u2028"};
  for (const char* client : {"boto3", "aws-sdk-js", "aws-sdk-go-v2", "minio-go", "aws-sdk-java"}) {
    const Delete request = ValueOf(ParseDelete(BodyOf(std::string(client) + ": delete")));
    std::vector<std::string> given;
    for (const DeleteObject& object : request.objects) given.push_back(object.key);
    EXPECT_EQ(given, keys) << client;
    EXPECT_EQ(request.quiet, client != std::string("minio-go"));
  }
}

TEST(ClientRequests, DeleteOnConditions) {
  for (const char* client : {"boto3", "aws-sdk-js"}) {
    const Delete request = ValueOf(ParseDelete(BodyOf(std::string(client) + ": delete versions")));
    EXPECT_EQ(request.objects.back(), (DeleteObject{.key = "k",
                                                    .version_id = "v2",
                                                    .etag = "d41d8cd98f00b204e9800998ecf8427e",
                                                    .last_modified_time = 1'795'955'696'000'000,
                                                    .size = 12}));
  }
}

TEST(ClientRequests, CompleteUploads) {
  for (const char* name :
       {"boto3: complete", "aws-sdk-js: complete", "aws-sdk-go-v2: complete", "minio-go: complete",
        "aws-sdk-java: complete", "aws-cli: cp of 9 MiB", "s3cmd: put of 9 MiB"}) {
    const auto parts = ValueOf(ParseCompleteMultipartUpload(BodyOf(name)));
    ASSERT_THAT(parts, SizeIs(2)) << name;
    EXPECT_EQ(parts[0].number, 1U);
    EXPECT_EQ(parts[1].number, 2U);
    EXPECT_THAT(parts[1].etag, SizeIs(32)) << name;
  }
  EXPECT_THAT(
      ValueOf(ParseCompleteMultipartUpload(BodyOf("boto3: complete with checksums")))[0].checksums,
      ElementsAre(
          ChecksumElement{"ChecksumCRC32C", "yZRlqg=="},
          ChecksumElement{"ChecksumSHA256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}));
}

TEST(ClientRequests, ConfigureBuckets) {
  EXPECT_EQ(ValueOf(ParseCreateBucketConfiguration(BodyOf("s3cmd: mb"))), "EU");
  EXPECT_EQ(ValueOf(ParseVersioningConfiguration(BodyOf("boto3: versioning with MFA"))).mfa_delete,
            false);
  const auto cors = ValueOf(ParseCorsConfiguration(BodyOf("boto3: cors")));
  ASSERT_THAT(cors, SizeIs(2));
  EXPECT_EQ(cors[0].max_age_seconds, 3000U);

  const auto rules = ValueOf(ParseLifecycleConfiguration(BodyOf("boto3: lifecycle")));
  ASSERT_THAT(rules, SizeIs(7));
  EXPECT_THAT(rules[0].transitions, SizeIs(2));
  EXPECT_EQ(rules[1].expiration_date, 1'893'456'000'000'000);
  EXPECT_TRUE(rules[2].expired_object_delete_marker);
  EXPECT_EQ(rules[2].size_less_than, 5'000'000'000U);
  EXPECT_EQ(rules[3].newer_noncurrent_versions, 5U);
  EXPECT_TRUE(rules[4].has_tags);
  EXPECT_TRUE(rules[5].has_tags);
  EXPECT_TRUE(rules[6].prefix_is_legacy);
  EXPECT_EQ(
      ValueOf(ParseLifecycleConfiguration(BodyOf("s3cmd: expire at a date")))[0].expiration_date,
      1'893'456'000'000'000);
}

}  // namespace
}  // namespace levada::s3xml
