#include "services/kv/kv_rest.h"

#include <algorithm>
#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "formats/multipart/multipart.h"
#include "services/core/on_thread.h"
#include "services/kv/kv_rules.h"

namespace levada::services::kv {
namespace {

using net::Response;
using net::Task;

constexpr uint64_t kBulkBytesMax = 100 * 1024 * 1024;
constexpr size_t kBulkPairsMax = 10'000;
constexpr size_t kBulkGetKeysMax = 100;
constexpr size_t kTitleBytesMax = 512;
constexpr uint64_t kSmallBodyMax = 1024 * 1024;
constexpr uint64_t kFormOverhead = 64 * 1024;

Response Refuse(int status, int64_t code, std::string message) {
  return Failure({status, code, std::move(message), std::nullopt});
}

std::string JsonOf(const Resource& space) {
  return R"({"id":)" + QuoteJson(space.id) + R"(,"title":)" + QuoteJson(space.name) +
         R"(,"supports_url_encoding":true})";
}

int64_t NowS(const KvAccess& access) { return access.clock.Now() / 1'000'000; }

/// What became of a write, as an answer.
Response Written(const Status& status, std::string result = "null") {
  if (!status.ok()) return Failure(ErrorOf(status));
  return Success(std::move(result));
}

/// A body that could not be read or is too long: the connection is of no more use.
Response BadBody(const Status& status) {
  return Refuse(status.IsInvalid() ? 413 : 400, kBadRequest, status.message());
}

/// A number of the query, or `otherwise` when it is none.
int64_t NumberOr(const std::optional<std::string>& text, int64_t otherwise, int64_t most) {
  if (!text || text->empty() || text->size() > 9 ||
      !std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; })) {
    return otherwise;
  }
  return std::clamp<int64_t>(std::stoll(*text), 1, most);
}

std::string TitleOf(const Json& body) {
  return body.is_object() && body.contains("title") && body["title"].is_string()
             ? body["title"].get<std::string>()
             : std::string();
}

// ---- namespaces

Task<Response> ListNamespaces(const KvAccess& access, Call& call) {
  std::vector<Resource> spaces =
      access.control.Resources(call.account.row, ResourceKind::kNamespace);
  const bool by_title = call.Query("order").value_or("id") == "title";
  const bool down = call.Query("direction").value_or("asc") == "desc";
  std::ranges::sort(spaces, [by_title](const Resource& left, const Resource& right) {
    return by_title ? left.name < right.name : left.id < right.id;
  });
  if (down) std::ranges::reverse(spaces);
  const int64_t per_page = NumberOr(call.Query("per_page"), 20, 1000);
  const int64_t page = NumberOr(call.Query("page"), 1, 1'000'000);
  const auto total = static_cast<int64_t>(spaces.size());
  const int64_t begin = std::min(total, (page - 1) * per_page);
  const int64_t end = std::min(total, begin + per_page);
  std::string result = "[";
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) result += ",";
    result += JsonOf(spaces[static_cast<size_t>(i)]);
  }
  result += "]";
  co_return Success(std::move(result), R"({"page":)" + std::to_string(page) + R"(,"per_page":)" +
                                           std::to_string(per_page) + R"(,"count":)" +
                                           std::to_string(end - begin) + R"(,"total_count":)" +
                                           std::to_string(total) + R"(,"total_pages":)" +
                                           std::to_string((total + per_page - 1) / per_page) + "}");
}

/// The title in the body, or the refusal.
struct Title {
  std::optional<Response> refusal;
  std::string text;
};

Task<Title> ReadTitle(Call& call) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kSmallBodyMax);
  if (!body.ok()) co_return Title{BadBody(body.status()), {}};
  std::string title = TitleOf(ParseJson(*body));
  if (title.empty() || title.size() > kTitleBytesMax) {
    co_return Title{Refuse(400, kBadTitle, "a namespace needs a title of 1 to 512 bytes"), {}};
  }
  co_return Title{std::nullopt, std::move(title)};
}

Response TitleTaken() {
  return Refuse(400, kTitleTaken, "a namespace with this account ID and title already exists");
}

Task<Response> CreateNamespace(const KvAccess& access, Call& call) {
  Title title = co_await ReadTitle(call);
  if (title.refusal) co_return *std::move(title.refusal);
  Control& control = access.control;
  const Account account = call.account;
  const Actor actor = call.actor();
  const auto made = co_await OnThread(access.loop, access.workers, [&] {
    return control.CreateResource(account, ResourceKind::kNamespace, title.text, "", actor);
  });
  if (!made.ok()) co_return Failure(ErrorOf(made.status()));
  if (!*made) co_return TitleTaken();
  co_return Success(JsonOf(**made));
}

Task<Response> GetNamespace(const KvAccess&, Call&, Resource space) {
  co_return Success(JsonOf(space));
}

Task<Response> RenameNamespace(const KvAccess& access, Call& call, Resource space) {
  Title title = co_await ReadTitle(call);
  if (title.refusal) co_return *std::move(title.refusal);
  Control& control = access.control;
  const Actor actor = call.actor();
  const auto renamed = co_await OnThread(access.loop, access.workers, [&] {
    return control.RenameResource(space, title.text, actor);
  });
  if (!renamed.ok()) co_return Failure(ErrorOf(renamed.status()));
  if (!*renamed) co_return TitleTaken();
  space.name = title.text;
  co_return Success(JsonOf(space));
}

Task<Response> DeleteNamespace(const KvAccess& access, Call& call, Resource space) {
  // The keys first: a daemon that dies in between leaves an empty namespace to be deleted again,
  // and never keys that nobody owns.
  const Status emptied = co_await DropNamespace(access, space.number);
  if (!emptied.ok()) co_return Failure(ErrorOf(emptied));
  Control& control = access.control;
  const Actor actor = call.actor();
  co_return Written(co_await OnThread(access.loop, access.workers,
                                      [&] { return control.DeleteResource(space, actor); }));
}

// ---- one key

Task<Response> GetValue(const KvAccess& access, Call& call, Resource space) {
  auto read = co_await ReadEntry(access, space.number, call.Parameter("key"));
  if (!read.ok()) co_return Failure(ErrorOf(read.status()));
  if (!*read) co_return Refuse(404, kKeyNotFound, "get: 'key not found'");
  KvEntry& entry = **read;
  Response response;
  response.headers.Add("Content-Type", "application/octet-stream");
  if (entry.expires_s) response.headers.Add("Expiration", std::to_string(*entry.expires_s));
  response.body = std::move(entry.value);
  co_return response;
}

Task<Response> GetMetadata(const KvAccess& access, Call& call, Resource space) {
  auto read = co_await ReadEntry(access, space.number, call.Parameter("key"));
  if (!read.ok()) co_return Failure(ErrorOf(read.status()));
  if (!*read) co_return Refuse(404, kKeyNotFound, "get: 'key not found'");
  const std::string& metadata = (*read)->metadata;
  co_return Success(metadata.empty() ? "null" : metadata);
}

/// The value and metadata of a PUT, which is a form when it has metadata.
struct Upload {
  std::optional<Response> refusal;
  std::string value;
  std::string metadata;
};

Upload UploadOfForm(const KvAccess& access, std::string_view content_type, std::string_view body) {
  const Result<std::vector<formats::multipart::Part>> parts =
      formats::multipart::Parse(content_type, body);
  if (!parts.ok()) return {Refuse(400, kBadRequest, parts.status().message()), {}, {}};
  Upload upload;
  bool has_value = false;
  for (const formats::multipart::Part& part : *parts) {
    if (part.name == "value") {
      upload.value = part.body;
      has_value = true;
    } else if (part.name == "metadata") {
      upload.metadata = part.body;
    }
  }
  if (!has_value) upload.refusal = Refuse(400, kBadRequest, "the form has no part \"value\"");
  if (auto error = CheckMetadata(access.store.limits(), upload.metadata)) {
    upload.refusal = Failure(*error);
  }
  return upload;
}

Task<Upload> ReadUpload(const KvAccess& access, Call& call) {
  const KvLimits& limits = access.store.limits();
  const std::string type(call.request.headers.Find("Content-Type").value_or(""));
  const bool is_form = formats::multipart::IsFormData(type);
  const uint64_t most = limits.value_bytes_max + (is_form ? kFormOverhead : 0);
  // Refused before it is sent, where the client waits to be told.
  const std::optional<uint64_t> declared = call.request.body->declared_size();
  if (declared && *declared > most) {
    co_return Upload{Failure(*CheckValueSize(limits, *declared)), {}, {}};
  }
  Result<std::string> body = co_await net::ReadAll(*call.request.body, most);
  if (!body.ok()) co_return Upload{BadBody(body.status()), {}, {}};
  Upload upload =
      is_form ? UploadOfForm(access, type, *body) : Upload{std::nullopt, *std::move(body), {}};
  if (auto error = CheckValueSize(limits, upload.value.size())) upload.refusal = Failure(*error);
  co_return upload;
}

Task<Response> PutValue(const KvAccess& access, Call& call, Resource space) {
  const KvLimits& limits = access.store.limits();
  const std::string& key = call.Parameter("key");
  if (const auto error = CheckKey(limits, key)) co_return Failure(*error);
  const Expiry expiry =
      CheckExpiry(limits, NowS(access), call.Query("expiration"), call.Query("expiration_ttl"));
  if (expiry.error) co_return Failure(*expiry.error);
  Upload upload = co_await ReadUpload(access, call);
  if (upload.refusal) co_return *std::move(upload.refusal);
  std::vector<KvPair> pairs;
  pairs.push_back({key, {std::move(upload.value), std::move(upload.metadata), expiry.expires_s}});
  co_return Written(co_await WritePairs(access, space.number, std::move(pairs)));
}

Task<Response> DeleteValue(const KvAccess& access, Call& call, Resource space) {
  std::vector<std::string> keys{call.Parameter("key")};
  co_return Written(co_await DeleteKeys(access, space.number, std::move(keys)));
}

// ---- lists and bulks

Task<Response> ListValues(const KvAccess& access, Call& call, Resource space) {
  const ListLimit limit = CheckListLimit(access.store.limits(), "limit", call.Query("limit"));
  if (limit.error) co_return Failure(*limit.error);
  auto listed = co_await ListKeys(access, space.number, call.Query("prefix").value_or(""),
                                  call.Query("cursor").value_or(""), limit.limit);
  if (!listed.ok()) co_return Failure(ErrorOf(listed.status()));
  if (!*listed) co_return Refuse(400, kBadArgument, "invalid cursor");
  const KvPage& page = **listed;
  std::string result = "[";
  for (const KvListed& key : page.keys) {
    if (result.size() > 1) result += ",";
    result += R"({"name":)" + QuoteJson(key.key);
    if (key.expires_s) result += R"(,"expiration":)" + std::to_string(*key.expires_s);
    if (!key.metadata.empty()) result += R"(,"metadata":)" + key.metadata;
    result += "}";
  }
  co_return Success(result + "]", R"({"count":)" + std::to_string(page.keys.size()) +
                                      R"(,"cursor":)" + QuoteJson(page.cursor) + "}");
}

std::string Bulked(size_t done) {
  return R"({"successful_key_count":)" + std::to_string(done) + R"(,"unsuccessful_keys":[]})";
}

std::optional<std::string> NumberText(const Json& item, const char* name) {
  if (!item.contains(name) || item[name].is_null()) return std::nullopt;
  if (item[name].is_string()) return item[name].get<std::string>();
  return Dump(item[name]);
}

/// One element of a bulk put, or why it is none.
std::optional<ApiError> ReadPair(const KvAccess& access, const Json& item, KvPair& pair) {
  const KvLimits& limits = access.store.limits();
  if (!item.is_object() || !item.contains("key") || !item["key"].is_string() ||
      !item.contains("value") || !item["value"].is_string()) {
    return ApiError{400, kBadArgument, "each element needs a \"key\" and a \"value\" of text",
                    std::nullopt};
  }
  pair.key = item["key"].get<std::string>();
  pair.entry.value = item["value"].get<std::string>();
  if (item.contains("base64") && item["base64"].is_boolean() && item["base64"].get<bool>()) {
    std::optional<std::string> bytes = BytesOfBase64(pair.entry.value);
    if (!bytes) {
      return ApiError{400, kBadArgument, "the value of \"" + pair.key + "\" is not base64",
                      std::nullopt};
    }
    pair.entry.value = *std::move(bytes);
  }
  if (item.contains("metadata") && !item["metadata"].is_null()) {
    pair.entry.metadata = Dump(item["metadata"]);
  }
  if (auto error = CheckKey(limits, pair.key)) return error;
  if (auto error = CheckValueSize(limits, pair.entry.value.size())) return error;
  if (auto error = CheckMetadata(limits, pair.entry.metadata)) return error;
  Expiry expiry = CheckExpiry(limits, NowS(access), NumberText(item, "expiration"),
                              NumberText(item, "expiration_ttl"));
  pair.entry.expires_s = expiry.expires_s;
  return std::move(expiry.error);
}

Task<Response> PutBulk(const KvAccess& access, Call& call, Resource space) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kBulkBytesMax);
  if (!body.ok()) co_return BadBody(body.status());
  const Json items = ParseJson(*body);
  if (!items.is_array()) co_return Refuse(400, kBadRequest, "the body is not a JSON array");
  if (items.size() > kBulkPairsMax) {
    co_return Refuse(413, kOverLimit, "a bulk put takes at most 10000 pairs");
  }
  std::vector<KvPair> pairs(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    if (const auto error = ReadPair(access, items[i], pairs[i])) co_return Failure(*error);
  }
  co_return Written(co_await WritePairs(access, space.number, std::move(pairs)),
                    Bulked(items.size()));
}

/// A JSON array of texts; nullopt when it is something else.
std::optional<std::vector<std::string>> Texts(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& each : json) {
    if (!each.is_string()) return std::nullopt;
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

Task<Response> DeleteBulk(const KvAccess& access, Call& call, Resource space) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kBulkBytesMax);
  if (!body.ok()) co_return BadBody(body.status());
  std::optional<std::vector<std::string>> keys = Texts(ParseJson(*body));
  if (!keys || keys->size() > kBulkPairsMax) {
    co_return Refuse(400, kBadRequest, "the body is not a JSON array of at most 10000 keys");
  }
  const size_t count = keys->size();
  co_return Written(co_await DeleteKeys(access, space.number, *std::move(keys)), Bulked(count));
}

Task<Response> GetBulk(const KvAccess& access, Call& call, Resource space) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kSmallBodyMax);
  if (!body.ok()) co_return BadBody(body.status());
  const Json asked = ParseJson(*body);
  const std::optional<std::vector<std::string>> keys =
      asked.is_object() && asked.contains("keys") ? Texts(asked["keys"]) : std::nullopt;
  if (!keys) co_return Refuse(400, kBadRequest, "the body needs \"keys\": an array of texts");
  if (keys->size() > kBulkGetKeysMax) {
    co_return Refuse(400, kOverLimit, "You can request a maximum of 100 keys");
  }
  const BulkGetOptions options{
      .as_json = asked.contains("type") && asked["type"] == "json",
      .with_metadata = asked.contains("withMetadata") && asked["withMetadata"] == true};
  BulkRead read = co_await ReadBulk(access, space.number, *keys, options);
  if (read.error) co_return Failure(*read.error);
  co_return Success(R"({"values":)" + read.json + "}");
}

using NamespaceHandler = Task<Response> (*)(const KvAccess&, Call&, Resource);

/// The namespace of the path, if it is one of the account, and then its handler.
Task<Response> NoNamespace() { co_return Refuse(404, kNamespaceNotFound, "namespace not found"); }

Task<Response> InNamespace(const KvAccess& access, Call& call, NamespaceHandler handler) {
  std::optional<Resource> space = access.control.FindResource(
      call.account.row, ResourceKind::kNamespace, call.Parameter("namespace"));
  return space ? handler(access, call, *std::move(space)) : NoNamespace();
}

}  // namespace

std::vector<RouteOf<KvAccess>> KvRoutes() {
  const auto in = [](NamespaceHandler handler) {
    return [handler](const KvAccess& access, Call& call) {
      return InNamespace(access, call, handler);
    };
  };
  constexpr std::string_view kAll = "/accounts/{account}/storage/kv/namespaces";
  constexpr std::string_view kOne = "/accounts/{account}/storage/kv/namespaces/{namespace}";
  constexpr std::string_view kKeys = "/accounts/{account}/storage/kv/namespaces/{namespace}/keys";
  constexpr std::string_view kBulk = "/accounts/{account}/storage/kv/namespaces/{namespace}/bulk";
  constexpr std::string_view kBulkGet =
      "/accounts/{account}/storage/kv/namespaces/{namespace}/bulk/get";
  constexpr std::string_view kBulkDelete =
      "/accounts/{account}/storage/kv/namespaces/{namespace}/bulk/delete";
  constexpr std::string_view kValue =
      "/accounts/{account}/storage/kv/namespaces/{namespace}/values/{key*}";
  constexpr std::string_view kMetadata =
      "/accounts/{account}/storage/kv/namespaces/{namespace}/metadata/{key*}";
  const Need list = Need::ScopeOf(Service::kKv, Action::kRead);
  const Need make = Need::ScopeOf(Service::kKv, Action::kAdmin);
  const Need own = Need::ScopeOf(Service::kKv, Action::kAdmin, "namespace");
  const Need read = Need::ScopeOf(Service::kKv, Action::kRead, "namespace");
  const Need write = Need::ScopeOf(Service::kKv, Action::kWrite, "namespace");
  return {
      {"GET", kValue, read, "the value of a key", in(GetValue)},
      {"PUT", kValue, write, "writes a key: raw, or a form with value and metadata", in(PutValue)},
      {"DELETE", kValue, write, "deletes a key", in(DeleteValue)},
      {"GET", kMetadata, read, "the metadata of a key", in(GetMetadata)},
      {"GET", kKeys, read, "lists keys by prefix", in(ListValues)},
      {"PUT", kBulk, write, "writes up to 10000 pairs, all or none", in(PutBulk)},
      {"DELETE", kBulk, write, "deletes keys, all or none", in(DeleteBulk)},
      {"POST", kBulkDelete, write, "deletes keys, all or none", in(DeleteBulk)},
      {"POST", kBulkGet, read, "the values of up to 100 keys", in(GetBulk)},
      {"GET", kAll, list, "lists namespaces", ListNamespaces},
      {"POST", kAll, make, "makes a namespace", CreateNamespace},
      {"GET", kOne, read, "one namespace", in(GetNamespace)},
      {"PUT", kOne, own, "gives a namespace another title", in(RenameNamespace)},
      {"DELETE", kOne, own, "deletes a namespace with all its keys", in(DeleteNamespace)},
  };
}

}  // namespace levada::services::kv
