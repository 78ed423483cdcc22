#include "services/s3/s3_call.h"

#include <algorithm>
#include <charconv>

#include "formats/s3xml/refusal.h"
#include "formats/s3xml/results.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_source.h"

namespace levada::services::s3 {

using r2::R2ErrorCode;
using sigv4::S3Error;

const std::string* S3Call::Query(std::string_view name) const {
  const auto at = std::ranges::find(query, name, &sigv4::QueryParameter::name);
  return at == query.end() ? nullptr : &at->value;
}

std::string S3Call::QueryOr(std::string_view name, std::string_view otherwise) const {
  const std::string* value = Query(name);
  return value == nullptr ? std::string(otherwise) : *value;
}

Actor S3Call::actor() const { return {"token " + principal.token_id, request.peer_address}; }

net::Response XmlResponse(std::string document, int status) {
  net::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/xml");
  response.body = std::move(document);
  return response;
}

namespace {

/// In S3's words, whatever failed.
S3Error WordsOf(const Status& status, bool is_of_bucket) {
  const R2ErrorCode code = r2::R2ErrorCodeOf(status);
  if (!r2::IsR2Error(status) && code == R2ErrorCode::kInternal) return sigv4::S3ErrorOf(status);
  const r2::R2ErrorWords& words = r2::WordsOf(code);
  return {words.http_status, std::string(words.s3_code), r2::R2MessageOf(status, is_of_bucket), {}};
}

}  // namespace

net::Response ErrorResponse(const Status& status, const S3Call& call) {
  const S3Error error = WordsOf(status, call.key.empty());
  s3xml::ErrorDocument document;
  document.code = error.code;
  document.message = error.message;
  document.fields = error.fields;
  if (error.code == "NoSuchBucket" || error.code == "BucketNotEmpty") {
    document.fields.emplace_back("BucketName", call.bucket_name);
  }
  if (error.code == "NoSuchKey") document.fields.emplace_back("Key", call.key);
  document.resource = call.request.path;
  document.request_id = call.id;
  net::Response response = XmlResponse(s3xml::WriteError(document), error.http_status);
  if (error.http_status == 503) response.headers.Add("Retry-After", "1");
  if (error.http_status >= 500) response.cause = status.ToString();
  if (error.http_status == 304) response.body.clear();
  return response;
}

Result<uint64_t> QueryNumber(const S3Call& call, std::string_view name, uint64_t otherwise,
                             uint64_t max) {
  const std::string* text = call.Query(name);
  if (text == nullptr || text->empty()) return otherwise;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value > max) {
    return sigv4::InvalidArgument("Argument " + std::string(name) +
                                      " must be an integer between 0 and " + std::to_string(max),
                                  std::string(name), *text);
  }
  return value;
}

Result<bool> WantsUrlEncoding(const S3Call& call) {
  const std::string* type = call.Query("encoding-type");
  if (type == nullptr || type->empty()) return false;
  if (*type == "url") return true;
  return sigv4::InvalidArgument("Invalid Encoding Method specified in Request", "encoding-type",
                                *type);
}

Status RefusedDocument(const Status& status) {
  return S3Error{400, std::string(s3xml::ErrorCodeOf(status)), status.message(), {}}.ToStatus();
}

net::Task<Result<std::string>> ReadDocument(S3Call& call, uint64_t bytes_max) {
  Result<std::unique_ptr<S3Source>> source = S3Source::Make(call);
  if (!source.ok()) co_return source.status();
  co_return co_await ReadChecked(**source, bytes_max);
}

net::Task<Result<std::string>> ReadUnchecked(S3Call& call, uint64_t bytes_max) {
  Result<std::unique_ptr<S3Source>> source = S3Source::MakeWithoutChecksum(call);
  if (!source.ok()) co_return source.status();
  co_return co_await ReadChecked(**source, bytes_max);
}

Result<uint64_t> HeaderNumber(std::string_view name, std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return sigv4::InvalidArgument("Value for " + std::string(name) + " header is invalid.",
                                  std::string(name), std::string(text));
  }
  return value;
}

std::vector<sigv4::HeaderView> ViewsOf(const net::Headers& headers) {
  std::vector<sigv4::HeaderView> views;
  views.reserve(headers.fields().size());
  for (const net::HeaderField& field : headers.fields()) views.push_back({field.name, field.value});
  return views;
}

S3Error NotImplemented(std::string what) { return {501, "NotImplemented", std::move(what), {}}; }

}  // namespace levada::services::s3
