// What real clients signed, as the programs in testdata recorded it: each request has to verify,
// its body to be what it declares, and neither may be changed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "base/json.h"
#include "formats/sigv4/aws_chunked_decoder.h"
#include "formats/sigv4/request_fixture.h"
#include "formats/sigv4/timestamp.h"

namespace levada::sigv4 {
namespace {

struct Vector {
  std::string name;
  std::string client;
  TestRequest request;
  bool has_body = false;  // else it was empty, or long and not kept
  std::string body;
};

std::string Base64Decoded(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : text.substr(0, text.find('='))) {
    pending = pending << 6 | static_cast<uint32_t>(digits.find(c));
    bits += 6;
    if (bits >= 8) bytes.push_back(static_cast<char>(pending >> (bits -= 8) & 0xff));
  }
  return bytes;
}

std::vector<Vector> Recorded(const std::string& file) {
  std::ifstream in(LEVADA_TESTDATA "/" + file, std::ios::binary);
  const Json json = ParseJson(std::string{std::istreambuf_iterator<char>(in), {}});
  std::vector<Vector> vectors;
  if (!json.is_array()) {
    ADD_FAILURE() << file;
    return vectors;
  }
  for (const Json& entry : json) {
    Vector vector;
    vector.client = entry["client"].get<std::string>();
    vector.name = vector.client + ": " + entry["statement"].get<std::string>();
    vector.request.method = entry["method"].get<std::string>();
    vector.request.path = entry["path"].get<std::string>();
    vector.request.query = entry["query"].get<std::string>();
    for (const Json& header : entry["headers"]) {
      vector.request.headers.emplace_back(header[0].get<std::string>(),
                                          header[1].get<std::string>());
    }
    vector.has_body = entry.contains("body");
    if (vector.has_body) vector.body = Base64Decoded(entry["body"].get<std::string>());
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

std::vector<Vector> AllRecorded() {
  std::vector<Vector> vectors;
  for (const char* file : {"vectors_python.json", "vectors_javascript.json", "vectors_go.json"}) {
    for (Vector& vector : Recorded(file)) vectors.push_back(std::move(vector));
  }
  return vectors;
}

Authorization Parsed(const Vector& vector) {
  return ValueOf(ParseAuthorization(vector.request.View(), Limits())).value();
}

WallMicros TimeOf(const Vector& vector) { return Parsed(vector).signed_at * kSecond; }

Result<std::string> Decoded(const Vector& vector, const std::string& body) {
  const Authorization authorization = Parsed(vector);
  ARROW_ASSIGN_OR_RAISE(const ChunkedBody declared, ParseChunkedBody(vector.request.View().headers,
                                                                     authorization.payload.kind));
  const SigningKey key =
      DeriveSigningKey(ExampleCredentials().secret, authorization.day, authorization.region);
  AwsChunkedDecoder decoder(declared, ChunkSignatures(authorization, key));
  std::string data;
  std::string_view bytes = body;
  while (!bytes.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto step, decoder.Next(bytes));
    data += step.data;
    bytes.remove_prefix(step.taken);
  }
  ARROW_RETURN_NOT_OK(decoder.Finish());
  return data;
}

TEST(ClientVectorsTest, HaveRequestsOfEveryClient) {
  std::map<std::string, int> counts;
  for (const Vector& vector : AllRecorded()) ++counts[vector.client];
  for (const char* client :
       {"boto3", "s3cmd", "aws-sdk-cpp", "aws-sdk-js", "minio-go", "aws-sdk-go-v2"}) {
    EXPECT_GE(counts[client], 10) << client;
  }
}

TEST(ClientVectorsTest, AllVerify) {
  for (const Vector& vector : AllRecorded()) {
    EXPECT_THAT(Check(vector.request, TimeOf(vector)), IsOk()) << vector.name;
  }
}

TEST(ClientVectorsTest, AllBodiesAreWhatTheyDeclare) {
  std::map<PayloadKind, int> kinds;
  for (const Vector& vector : AllRecorded()) {
    const Payload payload = Parsed(vector).payload;
    ++kinds[payload.kind];
    if (payload.kind == PayloadKind::kHash && vector.has_body) {
      EXPECT_EQ(payload.sha256(), Hex(Sha256Of(vector.body))) << vector.name;
    } else if (IsStreaming(payload.kind)) {
      EXPECT_THAT(Decoded(vector, vector.body), IsOk()) << vector.name;
    }
  }
  EXPECT_EQ(kinds.size(), 5u) << "a form of payload that no client uses";
}

TEST(ClientVectorsTest, NoneVerifiesChanged) {
  for (const Vector& vector : AllRecorded()) {
    const WallMicros now = TimeOf(vector);
    TestRequest other_path = vector.request;
    other_path.path += "x";
    EXPECT_FALSE(Check(other_path, now).ok()) << vector.name;
    TestRequest other_query = vector.request;
    other_query.query += "&x";
    EXPECT_FALSE(Check(other_query, now).ok()) << vector.name;
    TestRequest other_method = vector.request;
    other_method.method = "PATCH";
    EXPECT_FALSE(Check(other_method, now).ok()) << vector.name;
    TestRequest other_host = vector.request;
    other_host.Header("Host") += "x";
    EXPECT_FALSE(Check(other_host, now).ok()) << vector.name;
    if (!vector.body.empty() && IsSignedStreaming(Parsed(vector).payload.kind)) {
      for (const size_t at : {size_t{0}, vector.body.size() / 2, vector.body.size() - 5}) {
        std::string body = vector.body;
        body[at] = static_cast<char>(body[at] ^ 1);
        EXPECT_FALSE(Decoded(vector, body).ok()) << vector.name << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace levada::sigv4
