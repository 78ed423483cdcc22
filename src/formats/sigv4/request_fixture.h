#pragma once
// A request that owns its texts, the account of AWS's examples, and matchers for S3's errors. For
// tests of this folder.

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/testing.h"
#include "formats/sigv4/signer.h"

namespace levada::sigv4 {

/// Of every example in S3's documentation.
inline Credentials ExampleCredentials() {
  return {"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), ""};
}
/// 2013-05-24T00:00:00Z, when all of them were signed.
constexpr WallMicros kExampleTime = WallMicros{1'369'353'600} * 1'000'000;
constexpr WallMicros kSecond = 1'000'000;

struct TestRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

  /// Borrowed from this request, until the next call.
  RequestView View() const {
    views_.clear();
    for (const auto& [name, value] : headers) views_.push_back({name, value});
    return {method, path, query, views_};
  }
  std::string& Header(std::string_view name) {
    const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
      return LowerAscii(header.first) == LowerAscii(name);
    });
    if (found != headers.end()) return found->second;
    return headers.emplace_back(name, "").second;
  }
  void Remove(std::string_view name) {
    std::erase_if(headers,
                  [&](const auto& header) { return LowerAscii(header.first) == LowerAscii(name); });
  }

  mutable std::vector<HeaderView> views_ = {};
};

/// A GET of an object, signed by its headers.
inline TestRequest SignedExample(Payload payload = {PayloadKind::kUnsigned, "UNSIGNED-PAYLOAD"}) {
  TestRequest request{"GET", "/bucket/a%20b", "versionId=1&x=%2F", {{"Host", "127.0.0.1:8788"}}};
  const SignedRequest made =
      ValueOf(Sign(request.View(), payload, ExampleCredentials(), "us-east-1", kExampleTime));
  for (const SignedHeader& header : made.headers) {
    request.headers.emplace_back(header.name, header.value);
  }
  return request;
}

inline TestRequest PresignedExample(int64_t expires_seconds = 600) {
  TestRequest request{"GET", "/bucket/a%20b", "versionId=1&x=%2F", {{"Host", "127.0.0.1:8788"}}};
  request.query = ValueOf(
      Presign(request.View(), expires_seconds, ExampleCredentials(), "us-east-1", kExampleTime));
  return request;
}

/// Parse and Verify with the secret of the examples, as a door does. The access key is compared
/// too.
inline Status Check(const TestRequest& request, WallMicros now = kExampleTime,
                    const Limits& limits = {}) {
  const RequestView view = request.View();
  ARROW_ASSIGN_OR_RAISE(const auto authorization, ParseAuthorization(view, limits));
  if (!authorization) return AccessDenied("anonymous");
  const Credentials credentials = ExampleCredentials();
  if (authorization->access_key != credentials.access_key) {
    return S3Error{403, "InvalidAccessKeyId", "unknown", {}};
  }
  const SigningKey key =
      DeriveSigningKey(credentials.secret, authorization->day, authorization->region);
  return Verify(view, *authorization, key, now, limits);
}

/// A Status or Result that failed with S3's code.
MATCHER_P(RefusedWith, code, std::string("is refused with ") + code) {
  const Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && S3ErrorOf(status).code == code;
}

/// ... and whose message has these words.
MATCHER_P2(RefusedWith, code, words, std::string("is refused with ") + code) {
  const Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && S3ErrorOf(status).code == code &&
         S3ErrorOf(status).message.find(words) != std::string::npos;
}

}  // namespace levada::sigv4
