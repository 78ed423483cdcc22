// Any request: parsing and verifying it reads nothing outside it, says in S3's words what is wrong,
// and accepts no signature but the one that our signer makes.
//
// An input is "METHOD target" and then "name: value" lines, as in HTTP/1.1 but with LF.

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "formats/sigv4/signer.h"

namespace {

using levada::sigv4::Authorization;
using levada::sigv4::HeaderView;
using levada::sigv4::Limits;
using levada::sigv4::RequestView;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void RequireS3Error(const levada::Status& status) {
  const levada::sigv4::S3Error error = levada::sigv4::S3ErrorOf(status);
  Require(error.code != "InternalError" && !error.message.empty());
  Require(error.http_status == 400 || error.http_status == 403 || error.http_status == 501);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view line = TakeLine(text);
  RequestView request;
  request.method = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), request.method.size() + 1));
  request.path = line.substr(0, line.find('?'));
  line.remove_prefix(std::min(line.size(), request.path.size() + 1));
  request.query = line;
  std::vector<HeaderView> headers;
  while (!text.empty()) {
    line = TakeLine(text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  request.headers = headers;

  const Limits limits;
  const auto parsed = levada::sigv4::ParseAuthorization(request, limits);
  if (!parsed.ok()) {
    RequireS3Error(parsed.status());
    return 0;
  }
  if (!*parsed) return 0;
  const Authorization& authorization = **parsed;
  Require(authorization.day.size() == 8 && authorization.timestamp.size() == 16);
  Require(!authorization.access_key.empty() && !authorization.signed_headers.empty());
  const auto key = levada::sigv4::DeriveSigningKey(levada::Secret("fuzzed"), authorization.day,
                                                   authorization.region);
  const auto now = authorization.signed_at * 1'000'000;
  const levada::Status verified = levada::sigv4::Verify(request, authorization, key, now, limits);
  if (!verified.ok()) {
    RequireS3Error(verified);
    return 0;
  }
  // Nobody knows the key but who made the corpus: its signature is the one of what was received.
  Authorization other = authorization;
  other.signature.back() = other.signature.back() == '0' ? '1' : '0';
  Require(!levada::sigv4::Verify(request, other, key, now, limits).ok());
  return 0;
}
