#include "services/kv/kv_binding.h"

#include <utility>

#include "base/json.h"
#include "base/url.h"
#include "services/core/route.h"
#include "services/kv/kv_rules.h"

namespace levada::services::kv {
namespace {

using net::Request;
using net::Response;
using net::Task;

constexpr std::string_view kMetadataHeader = "CF-KV-Metadata";
constexpr uint64_t kBulkRequestBytesMax = 1024 * 1024;
constexpr size_t kBulkKeysMax = 100;

Response Refusal(int status, std::string reason) {
  Response response;
  response.status = status;
  response.reason = std::move(reason);
  return response;
}

Response Refusal(const ApiError& error) {
  Response response = Refusal(error.status, error.message);
  response.cause = error.cause;
  return response;
}

std::optional<std::string> QueryOf(const Request& request, std::string_view name) {
  for (const UrlParameter& parameter : UrlParameters(request.query)) {
    if (FormDecoded(parameter.name) == name && parameter.value) {
      return FormDecoded(*parameter.value);
    }
  }
  return std::nullopt;
}

/// The path's key: plain percent-encoding, where '+' is itself. nullopt: a bad escape.
std::optional<std::string> KeyOf(const Request& request) {
  return PercentDecoded(request.path.substr(1));
}

Task<Response> Get(const KvAccess& access, Request& request, uint64_t space) {
  std::optional<std::string> key = KeyOf(request);
  if (!key) co_return Refusal(400, "Malformed key");
  if (const auto error = CheckKey(access.store.limits(), *key)) co_return Refusal(*error);
  auto read = co_await ReadEntry(access, space, *std::move(key));
  if (!read.ok()) co_return Refusal(ErrorOf(read.status()));
  if (!*read) co_return Refusal(404, "Not Found");
  KvEntry& entry = **read;
  Response response;
  if (!entry.metadata.empty()) {
    response.headers.Add(std::string(kMetadataHeader), std::move(entry.metadata));
  }
  response.body = std::move(entry.value);
  co_return response;
}

Task<Response> Put(const KvAccess& access, Request& request, uint64_t space) {
  const KvLimits& limits = access.store.limits();
  std::optional<std::string> key = KeyOf(request);
  if (!key) co_return Refusal(400, "Malformed key");
  if (const auto error = CheckKey(limits, *key)) co_return Refusal(*error);
  const Expiry expiry =
      CheckExpiry(limits, access.clock.Now() / 1'000'000, QueryOf(request, "expiration"),
                  QueryOf(request, "expiration_ttl"));
  if (expiry.error) co_return Refusal(*expiry.error);
  KvPair pair{*std::move(key), {{}, {}, expiry.expires_s}};
  pair.entry.metadata = request.headers.Find(kMetadataHeader).value_or("");
  if (const auto error = CheckMetadata(limits, pair.entry.metadata)) co_return Refusal(*error);
  const std::optional<uint64_t> declared = request.body->declared_size();
  if (declared) {
    if (const auto error = CheckValueSize(limits, *declared)) co_return Refusal(*error);
  }
  Result<std::string> value = co_await net::ReadAll(*request.body, limits.value_bytes_max);
  if (!value.ok()) {
    co_return value.status().IsInvalid()
        ? Refusal(*CheckValueSize(limits, limits.value_bytes_max + 1))
        : Refusal(400, "The value did not arrive whole");
  }
  pair.entry.value = *std::move(value);
  std::vector<KvPair> pairs;
  pairs.push_back(std::move(pair));
  const Status written = co_await WritePairs(access, space, std::move(pairs));
  if (!written.ok()) co_return Refusal(ErrorOf(written));
  co_return Response{};
}

Task<Response> Delete(const KvAccess& access, Request& request, uint64_t space) {
  std::optional<std::string> key = KeyOf(request);
  if (!key) co_return Refusal(400, "Malformed key");
  std::vector<std::string> keys{*std::move(key)};
  const Status deleted = co_await DeleteKeys(access, space, std::move(keys));
  if (!deleted.ok()) co_return Refusal(ErrorOf(deleted));
  co_return Response{};
}

Task<Response> List(const KvAccess& access, Request& request, uint64_t space) {
  const ListLimit limit =
      CheckListLimit(access.store.limits(), "key_count_limit", QueryOf(request, "key_count_limit"));
  if (limit.error) co_return Refusal(*limit.error);
  auto listed = co_await ListKeys(access, space, QueryOf(request, "prefix").value_or(""),
                                  QueryOf(request, "cursor").value_or(""), limit.limit);
  if (!listed.ok()) co_return Refusal(ErrorOf(listed.status()));
  if (!*listed) co_return Refusal(400, "Invalid cursor");
  const KvPage& page = **listed;
  std::string text = R"({"keys":[)";
  for (const KvListed& key : page.keys) {
    if (text.back() == '}') text += ",";
    text += R"({"name":)" + QuoteJson(key.key);
    if (key.expires_s) text += R"(,"expiration":)" + std::to_string(*key.expires_s);
    // As a text: workerd parses it.
    if (!key.metadata.empty()) text += R"(,"metadata":)" + QuoteJson(key.metadata);
    text += "}";
  }
  text += R"(],"list_complete":)" + std::string(page.cursor.empty() ? "true" : "false");
  if (!page.cursor.empty()) text += R"(,"cursor":)" + QuoteJson(page.cursor);
  co_return JsonResponse(200, text + "}");
}

Task<Response> GetBulk(const KvAccess& access, Request& request, uint64_t space) {
  const Result<std::string> body = co_await net::ReadAll(*request.body, kBulkRequestBytesMax);
  if (!body.ok()) co_return Refusal(400, "The keys did not arrive whole");
  const Json asked = ParseJson(*body);
  if (!asked.is_object() || !asked.contains("keys") || !asked["keys"].is_array()) {
    co_return Refusal(400, "The body needs \"keys\"");
  }
  std::vector<std::string> keys;
  for (const Json& key : asked["keys"]) {
    if (!key.is_string()) co_return Refusal(400, "A key is not a text");
    keys.push_back(key.get<std::string>());
    if (const auto error = CheckKey(access.store.limits(), keys.back())) co_return Refusal(*error);
  }
  if (keys.size() > kBulkKeysMax) {
    co_return Refusal(400, "You can request a maximum of 100 keys");
  }
  const Json given = asked.contains("type") ? asked["type"] : Json("text");
  const std::string type = given.is_string() ? given.get<std::string>() : Dump(given);
  if (type != "text" && type != "json") {
    co_return Refusal(400, "\"" + type + "\" is not a valid type. Use \"json\" or \"text\"");
  }
  const BulkGetOptions options{
      .as_json = type == "json",
      .with_metadata = asked.contains("withMetadata") && asked["withMetadata"] == true};
  BulkRead read = co_await ReadBulk(access, space, std::move(keys), options);
  if (read.error) co_return Refusal(*read.error);
  co_return JsonResponse(200, std::move(read.json));
}

bool Writes(std::string_view method) { return method == "PUT" || method == "DELETE"; }

}  // namespace

Task<Response> ServeBinding(const KvAccess& access, Request& request, const Grant& grant) {
  const uint64_t space = grant.resource;
  request.notes.route = "kv";
  if (Writes(request.method) && grant.action < Action::kWrite) {
    co_return Refusal(403, "This binding only reads");
  }
  if (request.method == "GET" && request.path == "/") {
    co_return co_await List(access, request, space);
  }
  if (request.method == "GET") co_return co_await Get(access, request, space);
  if (request.method == "PUT") co_return co_await Put(access, request, space);
  if (request.method == "DELETE") co_return co_await Delete(access, request, space);
  if (request.method == "POST" && request.path == "/bulk/get") {
    co_return co_await GetBulk(access, request, space);
  }
  co_return Refusal(405, "Method Not Allowed");
}

}  // namespace levada::services::kv
