#include "services/r2/r2_binding.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "services/core/api.h"
#include "services/r2/binding_request.h"
#include "services/r2/object_json.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

using net::Response;
using net::Task;

constexpr uint64_t kMetadataBytesMax = 4 * 1024 * 1024;  // the parts of 10,000
constexpr std::string_view kSizeHeader = "CF-R2-Metadata-Size";
constexpr std::string_view kErrorHeader = "CF-R2-Error";

/// A call on its way: what it asks, and the bytes behind it.
struct BindingCall {
  const R2Access& access;
  Bucket bucket;
  BindingRequest request;
  net::Request& http;
  std::string begun;              ///< of the value
  std::optional<uint64_t> bytes;  ///< of the value
};

void AddError(const Status& status, Response& response) {
  const R2ErrorWords& words = WordsOf(R2ErrorCodeOf(status));
  const Json error{{"version", 0}, {"v4code", words.r2_code}, {"message", R2MessageOf(status)}};
  response.headers.Add(std::string(kErrorHeader), Dump(error));
}

Response Refusal(const Status& status) {
  Response response;
  response.status = WordsOf(R2ErrorCodeOf(status)).http_status;
  // Bindings know one kind of failed condition.
  if (response.status == 304) response.status = 412;
  if (response.status >= 500) response.cause = status.ToString();
  AddError(status, response);
  return response;
}

Response JsonAnswer(std::string json, bool with_size) {
  Response response;
  response.body = std::move(json);
  if (with_size) {
    response.headers.Add(std::string(kSizeHeader), std::to_string(response.body.size()));
  }
  return response;
}

/// The object's JSON, then its bytes.
class JsonThenBytes final : public net::ResponseBody {
 public:
  JsonThenBytes(std::string json, std::unique_ptr<ObjectReader> reader)
      : json_(std::move(json)), reader_(std::move(reader)) {}
  Task<Result<std::string_view>> Next() override {
    if (!std::exchange(json_given_, true)) co_return std::string_view(json_);
    co_return co_await reader_->Next();
  }

 private:
  std::string json_;
  bool json_given_ = false;
  std::unique_ptr<ObjectReader> reader_;
};

// ---- reads

Task<Result<Response>> Head(BindingCall& call) {
  const std::string key = call.request.Text("object");
  const Result<OpenedObject> opened =
      co_await call.access.store.OpenObject(call.bucket, key, VersionChoice());
  if (!opened.ok()) co_return opened.status();
  co_return JsonAnswer(BindingJsonOf(key, opened->record), true);
}

Task<Result<Response>> Get(BindingCall& call) {
  const std::string key = call.request.Text("object");
  const Result<Conditions> conditions = call.request.OnlyIf();
  if (!conditions.ok()) co_return conditions.status();
  const Result<std::optional<CustomerKey>> customer_key = call.request.Key();
  if (!customer_key.ok()) co_return customer_key.status();
  Result<OpenedObject> opened =
      co_await call.access.store.OpenObject(call.bucket, key, VersionChoice());
  if (!opened.ok()) co_return opened.status();
  const ObjectRecord& record = opened->record;
  if (Evaluate(*conditions, &record) != Verdict::kHolds) {
    Response response = JsonAnswer(BindingJsonOf(key, record), true);
    response.status = 412;
    AddError(R2Error(R2ErrorCode::kPrecondition), response);
    co_return response;
  }
  const std::string given = *customer_key ? (*customer_key)->md5() : std::string();
  if (given != record.customer_key_md5) co_return R2Error(R2ErrorCode::kBadCustomerKey);
  const Result<std::optional<ByteRange>> range = call.request.Range(record.bytes);
  if (!range.ok()) co_return range.status();
  const ByteRange bytes = range->value_or(ByteRange{0, record.bytes});
  BindingJsonOptions options;
  options.range = *range;
  std::string text = BindingJsonOf(key, record, options);
  Response response;
  response.headers.Add(std::string(kSizeHeader), std::to_string(text.size()));
  response.size = text.size() + bytes.bytes;
  auto reader = call.access.store.Read(*std::move(opened), bytes, *customer_key);
  const Status begins = co_await reader->AwaitPiece();
  if (!begins.ok()) co_return begins;
  response.stream = std::make_unique<JsonThenBytes>(std::move(text), std::move(reader));
  co_return response;
}

Task<Result<Response>> List(BindingCall& call) {
  ListRequest request;
  request.prefix = call.request.Text("prefix");
  request.delimiter = call.request.Text("delimiter");
  request.after = call.request.Text("startAfter");
  if (call.request.Has("cursor")) {
    const auto after = BytesOfBase64Url(call.request.Text("cursor"));
    if (!after) co_return R2Error(R2ErrorCode::kBadArgument, "cursor: none of a list");
    request.after = *after;
  }
  const auto limit = call.request.Number("limit");
  if (!limit.ok()) co_return limit.status();
  const size_t most = call.access.store.limits().list_max;
  if (limit->value_or(most) < 1 || limit->value_or(most) > most) {
    co_return R2Error(R2ErrorCode::kBadArgument,
                      "MaxKeys params must be positive integer <= " + std::to_string(most) + ".");
  }
  request.limit = static_cast<size_t>(limit->value_or(most));
  // "include" came later: who does not know it gets everything.
  const bool knows_include = call.request.Has("newRuntime") || call.request.Has("include");
  BindingJsonOptions options;
  options.http = !knows_include || call.request.Includes(0);
  options.custom = !knows_include || call.request.Includes(1);
  const Result<ListPage> page = co_await call.access.store.List(call.bucket, request);
  if (!page.ok()) co_return page.status();
  std::string json;
  for (const ListedObject& object : page->objects) {
    json += (json.empty() ? "" : ",") + BindingJsonOf(object.key, object.record, options);
  }
  json = R"({"objects":[)" + json + R"(],"truncated":)" + (page->next.empty() ? "false" : "true") +
         R"(,"delimitedPrefixes":)" + Dump(Json(page->prefixes));
  if (!page->next.empty()) json += R"(,"cursor":")" + Base64UrlOf(page->next) + "\"";
  co_return JsonAnswer(json + "}", true);
}

// ---- writes

Task<Result<Response>> Put(BindingCall& call) {
  PutOptions options;
  Result<ObjectAttributes> attributes = call.request.Attributes();
  if (!attributes.ok()) co_return attributes.status();
  options.attributes = *std::move(attributes);
  const Result<Conditions> conditions = call.request.OnlyIf();
  if (!conditions.ok()) co_return conditions.status();
  options.conditions = *conditions;
  const Result<std::optional<CustomerKey>> customer_key = call.request.Key();
  if (!customer_key.ok()) co_return customer_key.status();
  options.key = *customer_key;
  Result<std::vector<ExpectedDigest>> digests = call.request.Digests();
  if (!digests.ok()) co_return digests.status();
  if (digests->size() > 1) {
    co_return R2Error(R2ErrorCode::kBadArgument, "at most one checksum");
  }
  R2Source source(*call.http.body, std::move(call.begun), call.bytes, *std::move(digests));
  const std::string key = call.request.Text("object");
  const Result<ObjectRecord> record =
      co_await call.access.store.Put(call.bucket, key, std::move(options), source);
  if (!record.ok()) co_return record.status();
  co_return JsonAnswer(BindingJsonOf(key, *record), false);
}

Task<Result<Response>> Delete(BindingCall& call) {
  const Result<std::vector<std::string>> names = call.request.Objects();
  if (!names.ok()) co_return names.status();
  if (names->size() > call.access.store.limits().delete_max) {
    co_return R2Error(R2ErrorCode::kBadArgument, "delete: more than 1000 keys");
  }
  std::vector<DeleteTarget> targets;
  for (const std::string& name : *names) targets.push_back({name, {}, {}});
  const auto deleted = co_await call.access.store.DeleteMany(call.bucket, std::move(targets));
  if (!deleted.ok()) co_return deleted.status();
  for (const Deleted& each : *deleted) {
    if (!each.refused.ok()) co_return each.refused;
  }
  co_return JsonAnswer("{}", false);
}

Task<Result<Response>> CreateUpload(BindingCall& call) {
  UploadOptions options;
  Result<ObjectAttributes> attributes = call.request.Attributes();
  if (!attributes.ok()) co_return attributes.status();
  options.attributes = *std::move(attributes);
  const Result<std::optional<CustomerKey>> customer_key = call.request.Key();
  if (!customer_key.ok()) co_return customer_key.status();
  options.key = *customer_key;
  const Result<UploadRecord> upload = co_await call.access.store.CreateUpload(
      call.bucket, call.request.Text("object"), std::move(options));
  if (!upload.ok()) co_return upload.status();
  co_return JsonAnswer(R"({"uploadId":")" + upload->upload.Text() + "\"}", false);
}

Result<Stamp> UploadOf(const BindingRequest& request) {
  const std::optional<Stamp> upload = Stamp::Parse(request.Text("uploadId"));
  if (!upload) return R2Error(R2ErrorCode::kNoSuchUpload);
  return *upload;
}

Task<Result<Response>> UploadPart(BindingCall& call) {
  const Result<Stamp> upload = UploadOf(call.request);
  if (!upload.ok()) co_return upload.status();
  const auto number = call.request.Number("partNumber");
  if (!number.ok()) co_return number.status();
  const Result<std::optional<CustomerKey>> customer_key = call.request.Key();
  if (!customer_key.ok()) co_return customer_key.status();
  R2Source source(*call.http.body, std::move(call.begun), call.bytes, {});
  const auto part_number = static_cast<int>(std::min<uint64_t>(number->value_or(0), 1 << 20));
  const Result<PartRecord> part = co_await call.access.store.PutPart(
      call.bucket, call.request.Text("object"), *upload, part_number, *customer_key, source);
  if (!part.ok()) co_return part.status();
  co_return JsonAnswer(R"({"etag":")" + HexOf(part->md5) + "\"}", false);
}

Task<Result<Response>> CompleteUpload(BindingCall& call) {
  const Result<Stamp> upload = UploadOf(call.request);
  if (!upload.ok()) co_return upload.status();
  CompleteOptions options;
  Result<std::vector<CompletedPart>> parts = call.request.Parts();
  if (!parts.ok()) co_return parts.status();
  options.parts = *std::move(parts);
  const std::string key = call.request.Text("object");
  const Result<ObjectRecord> record =
      co_await call.access.store.CompleteUpload(call.bucket, key, *upload, std::move(options));
  if (!record.ok()) co_return record.status();
  co_return JsonAnswer(BindingJsonOf(key, *record), false);
}

Task<Result<Response>> AbortUpload(BindingCall& call) {
  const Result<Stamp> upload = UploadOf(call.request);
  if (!upload.ok()) co_return upload.status();
  const Status aborted =
      co_await call.access.store.AbortUpload(call.bucket, call.request.Text("object"), *upload);
  if (!aborted.ok()) co_return aborted;
  co_return JsonAnswer("{}", false);
}

using Method = Task<Result<Response>> (*)(BindingCall&);

struct KnownMethod {
  std::string_view name;
  bool is_write;
  Method run;
};

constexpr KnownMethod kMethods[] = {
    {"head", false, Head},
    {"get", false, Get},
    {"list", false, List},
    {"put", true, Put},
    {"delete", true, Delete},
    {"createMultipartUpload", true, CreateUpload},
    {"uploadPart", true, UploadPart},
    {"completeMultipartUpload", true, CompleteUpload},
    {"abortMultipartUpload", true, AbortUpload},
};

/// The JSON before the value; what was read of the value stays in `begun`.
Task<Result<std::string>> ReadMetadata(net::Request& request, std::string& begun) {
  const std::string_view text = request.headers.Find(kSizeHeader).value_or("");
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      size > kMetadataBytesMax) {
    co_return R2Error(R2ErrorCode::kBadArgument, std::string(kSizeHeader) + ": not a size");
  }
  while (begun.size() < size) {
    const Result<std::string_view> piece = co_await request.body->Read();
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) co_return R2Error(R2ErrorCode::kIncompleteBody);
    begun += *piece;
  }
  std::string metadata = begun.substr(0, size);
  begun.erase(0, size);
  co_return metadata;
}

Task<Result<Response>> Serve(const R2Access& access, net::Request& request, Bucket bucket,
                             Action action) {
  std::string begun;
  std::string metadata;
  const bool is_write = request.method == "PUT";
  std::optional<uint64_t> value_bytes;
  if (is_write) {
    Result<std::string> read = co_await ReadMetadata(request, begun);
    if (!read.ok()) co_return read.status();
    metadata = *std::move(read);
    const std::optional<uint64_t> declared = request.body->declared_size();
    if (declared) value_bytes = *declared - metadata.size();
  } else {
    metadata = request.headers.Find("CF-R2-Request").value_or("");
  }
  Result<BindingRequest> parsed = BindingRequest::Parse(metadata);
  if (!parsed.ok()) co_return parsed.status();
  const std::string name = parsed->method();
  const auto method = std::ranges::find(kMethods, name, &KnownMethod::name);
  if (method == std::end(kMethods) || method->is_write != is_write) {
    co_return R2Error(R2ErrorCode::kBadArgument, "no such method: " + name);
  }
  if (is_write && action == Action::kRead) {
    co_return R2Error(R2ErrorCode::kBadArgument, "this binding only reads");
  }
  BindingCall call{access, bucket, *std::move(parsed), request, std::move(begun), value_bytes};
  co_return co_await method->run(call);
}

}  // namespace

Task<Response> ServeBinding(const R2Access& access, net::Request& request, const Grant& grant) {
  const Result<Bucket> bucket = access.buckets.FindByNumber(grant.account, grant.resource);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  const Bucket found = *bucket;
  Result<Response> served = co_await Serve(access, request, found, grant.action);
  if (served.ok()) co_return *std::move(served);
  co_return Refusal(served.status());
}

}  // namespace levada::services::r2
