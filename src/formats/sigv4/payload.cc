#include "formats/sigv4/payload.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "formats/sigv4/canonical.h"

namespace levada::sigv4 {
namespace {

struct Row {
  PayloadKind kind;
  std::string_view text;
};
constexpr std::array<Row, 4> kRows = {{
    {PayloadKind::kUnsigned, "UNSIGNED-PAYLOAD"},
    {PayloadKind::kStreamingSigned, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
    {PayloadKind::kStreamingSignedTrailer, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
    {PayloadKind::kStreamingUnsignedTrailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
}};

bool IsHash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

}  // namespace

std::string Payload::sha256() const {
  return kind == PayloadKind::kHash ? LowerAscii(text) : std::string();
}

bool IsStreaming(PayloadKind kind) {
  return kind != PayloadKind::kHash && kind != PayloadKind::kUnsigned;
}

bool IsSignedStreaming(PayloadKind kind) {
  return kind == PayloadKind::kStreamingSigned || kind == PayloadKind::kStreamingSignedTrailer;
}

bool HasTrailers(PayloadKind kind) {
  return kind == PayloadKind::kStreamingSignedTrailer ||
         kind == PayloadKind::kStreamingUnsignedTrailer;
}

std::string_view TextOf(PayloadKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.text;
  }
  return {};
}

Result<Payload> ParsePayload(std::string_view text) {
  for (const Row& row : kRows) {
    if (row.text == text) return Payload{row.kind, std::string(text)};
  }
  if (IsHash(text)) return Payload{PayloadKind::kHash, std::string(text)};
  if (text == "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" ||
      text == "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER") {
    return S3Error{501,
                   "NotImplemented",
                   "A header you provided implies functionality that is not implemented",
                   {{"Header", "x-amz-content-sha256"}}};
  }
  return InvalidArgument(
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
      "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
      "or a valid sha256 value.",
      "x-amz-content-sha256", std::string(text));
}

S3Error PayloadMismatch(const Payload& declared, std::string computed) {
  return {400,
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          {{"ClientComputedContentSHA256", declared.text},
           {"S3ComputedContentSHA256", std::move(computed)}}};
}

}  // namespace levada::sigv4
