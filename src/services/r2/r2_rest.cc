#include "services/r2/r2_rest.h"

#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "net/date_line.h"
#include "services/core/api.h"
#include "services/r2/object_json.h"
#include "services/r2/r2_call.h"
#include "services/r2/r2_error.h"
#include "services/r2/r2_settings_json.h"
#include "services/r2/r2_source.h"

namespace levada::services::r2 {
namespace {

using net::Response;
using net::Task;

std::string JsonOf(const Resource& bucket) {
  return Dump(Json{{"name", bucket.name},
                   {"creation_date", FormatTimestamp(bucket.created)},
                   {"location", "auto"},
                   {"jurisdiction", "default"},
                   {"storage_class", "Standard"}});
}

// ---- buckets

Task<Response> CreateBucket(const R2Access& access, Call& call) {
  const Json body = ParseJson(co_await ReadSmall(call));
  const bool has_name = body.is_object() && body.contains("name") && body["name"].is_string();
  std::string name = has_name ? body["name"].get<std::string>() : std::string();
  const Result<Resource> made =
      co_await access.buckets.Create(call.account, std::move(name), call.actor());
  if (!made.ok()) co_return Refusal(made.status());
  co_return Success(JsonOf(*made));
}

Task<Response> ListBuckets(const R2Access& access, Call& call) {
  const size_t per_page = call.QueryCount("per_page", 1000, 1000);
  const std::string part = call.Query("name_contains").value_or("");
  std::string after = call.Query("start_after").value_or("");
  if (const auto cursor = call.Query("cursor")) {
    after = BytesOfBase64Url(*cursor).value_or(std::string());
  }
  Json list = Json::array();
  std::string last;
  std::string next;
  for (const Resource& bucket : access.buckets.List(call.account.row)) {
    if (bucket.name <= after || bucket.name.find(part) == std::string::npos) continue;
    if (list.size() == per_page) {
      next = Base64UrlOf(last);
      break;
    }
    list.push_back(ParseJson(JsonOf(bucket)));
    last = bucket.name;
  }
  co_return Success(Dump(Json{{"buckets", std::move(list)}}),
                    Dump(Json{{"cursor", next}, {"per_page", per_page}}));
}

Task<Response> GetBucket(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  co_return Success(JsonOf((*bucket)->resource));
}

Task<Response> DeleteBucket(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  const Status deleted = co_await access.buckets.Delete(*bucket, call.actor());
  if (!deleted.ok()) co_return Refusal(deleted);
  co_return Success("null");
}

// ---- settings: one shape for all of them

/// How a setting is told and changed.
struct Setting {
  const char* name;  ///< in the path and in the audit log
  std::string (*show)(const R2Access&, const KnownBucket&);
  Status (*change)(std::string_view, BucketSettings&);  ///< kBadArgument for what cannot be read
};

template <std::string (*kShow)(const KnownBucket&)>
std::string Show(const R2Access& /*access*/, const KnownBucket& bucket) {
  return kShow(bucket);
}
std::string ShowPublicAt(const R2Access& access, const KnownBucket& bucket) {
  return ShowPublic(bucket, access.s3_address);
}

constexpr Setting kCors{"cors", Show<ShowCors>, ChangeCors};
constexpr Setting kLifecycle{"lifecycle", Show<ShowLifecycle>, ChangeLifecycle};
constexpr Setting kVersioning{"versioning", Show<ShowVersioning>, ChangeVersioning};
constexpr Setting kPublic{"public", ShowPublicAt, ChangePublic};

Task<Response> ShowSetting(const R2Access& access, Call& call, Setting setting) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  co_return Success(setting.show(access, **bucket));
}

Task<Response> ChangeSetting(const R2Access& access, Call& call, Setting setting, bool is_removal) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  std::string body = R"({"rules":[]})";
  if (!is_removal) body = co_await ReadSmall(call);
  const auto change = [&setting, &body](BucketSettings& settings) {
    return setting.change(body, settings);
  };
  const auto changed = co_await access.buckets.Change(*bucket, change, setting.name, call.actor());
  if (!changed.ok()) co_return Refusal(changed.status());
  const KnownBucket now{(*bucket)->resource, *changed};
  co_return Success(setting.show(access, now));
}

// ---- objects

std::optional<std::string> HeaderText(const Call& call, std::string_view name) {
  const auto value = call.request.headers.Find(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

Task<Response> PutObject(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  PutOptions options;
  HttpFields& http = options.attributes.http;
  http.content_type = HeaderText(call, "Content-Type");
  http.content_language = HeaderText(call, "Content-Language");
  http.content_disposition = HeaderText(call, "Content-Disposition");
  http.content_encoding = HeaderText(call, "Content-Encoding");
  http.cache_control = HeaderText(call, "Cache-Control");
  if (const auto expires = call.request.headers.Find("Expires")) {
    http.cache_expiry_ms = MillisOfHttpDate(*expires);
  }
  options.attributes.infrequent_access =
      call.request.headers.Find("cf-r2-storage-class").value_or("") == "InfrequentAccess";
  R2Source source(*call.request.body, {}, call.request.body->declared_size(), {});
  const Result<ObjectRecord> record = co_await access.store.Put(
      (*bucket)->bucket(), call.Parameter("key"), std::move(options), source);
  if (!record.ok()) co_return Refusal(record.status());
  co_return Success(Dump(Json{{"key", call.Parameter("key")},
                              {"etag", record->etag},
                              {"version", record->version.Text()},
                              {"size", std::to_string(record->bytes)},
                              {"uploaded", FormatTimestamp(record->uploaded_ms * 1000)},
                              {"storage_class", StorageClassWord(record->attributes)}}));
}

Task<Response> GetObject(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  VersionChoice choice;
  if (const auto version = call.Query("version")) {
    const std::optional<VersionChoice> parsed = VersionChoice::Parse(*version);
    if (!parsed) co_return Refusal(R2Error(R2ErrorCode::kNoSuchVersion));
    choice = *parsed;
  }
  Result<OpenedObject> opened =
      co_await access.store.OpenObject((*bucket)->bucket(), call.Parameter("key"), choice);
  if (!opened.ok()) co_return Refusal(opened.status());
  const ObjectRecord& record = opened->record;
  if (!record.customer_key_md5.empty()) {
    co_return Refusal(R2Error(R2ErrorCode::kBadCustomerKey));
  }
  Response response;
  const HttpFields& http = record.attributes.http;
  const auto add = [&response](const char* name, const std::optional<std::string>& value) {
    if (value) response.headers.Add(name, *value);
  };
  add("Content-Type", http.content_type ? http.content_type
                                        : std::optional<std::string>("application/octet-stream"));
  add("Content-Language", http.content_language);
  add("Content-Disposition", http.content_disposition);
  add("Content-Encoding", http.content_encoding);
  add("Cache-Control", http.cache_control);
  if (http.cache_expiry_ms) add("Expires", net::HttpDate(*http.cache_expiry_ms / 1000));
  add("ETag", "\"" + record.etag + "\"");
  add("Last-Modified", net::HttpDate(record.uploaded_ms / 1000));
  response.size = record.bytes;
  const ByteRange all{0, record.bytes};
  auto reader = access.store.Read(*std::move(opened), all, std::nullopt);
  // Nobody reads the body of HEAD: it opens no file.
  if (call.request.method != "HEAD") {
    const Status begins = co_await reader->AwaitPiece();
    if (!begins.ok()) co_return Refusal(begins);
  }
  response.stream = std::move(reader);
  co_return response;
}

Task<Response> DeleteObject(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  DeleteTarget target;
  target.key = call.Parameter("key");
  const Result<Deleted> deleted =
      co_await access.store.Delete((*bucket)->bucket(), std::move(target));
  if (!deleted.ok()) co_return Refusal(deleted.status());
  co_return Success("null");
}

Task<Response> ListObjects(const R2Access& access, Call& call) {
  const auto bucket = BucketOf(access, call);
  if (!bucket.ok()) co_return Refusal(bucket.status());
  ListRequest request;
  request.prefix = call.Query("prefix").value_or("");
  request.delimiter = call.Query("delimiter").value_or("");
  request.after = call.Query("start_after").value_or("");
  const size_t list_max = access.store.limits().list_max;
  request.limit = call.QueryCount("per_page", list_max, list_max);
  if (const auto cursor = call.Query("cursor"); cursor && !cursor->empty()) {
    const std::optional<std::string> after = BytesOfBase64Url(*cursor);
    if (!after) {
      co_return Refusal(R2Error(R2ErrorCode::kBadArgument, "This cursor is none of a list."));
    }
    request.after = *after;
  }
  const Result<ListPage> page = co_await access.store.List((*bucket)->bucket(), request);
  if (!page.ok()) co_return Refusal(page.status(), true);
  std::string list;
  for (const ListedObject& object : page->objects) {
    list += (list.empty() ? "" : ",") + RestJsonOf(object);
  }
  co_return Success("[" + list + "]", Dump(Json{{"cursor", Base64UrlOf(page->next)},
                                                {"is_truncated", !page->next.empty()},
                                                {"per_page", request.limit},
                                                {"delimited", page->prefixes}}));
}

/// What `wrangler r2 bucket info` asks of Cloudflare's GraphQL: how much is in a bucket. Any other
/// query gets the same shape with nothing in it.
Task<Response> AnswerGraphQl(const R2Access& access, Call& call) {
  const Json body = ParseJson(co_await ReadSmall(call));
  std::string name;
  if (body.is_object() && body.contains("variables") && body["variables"].is_object()) {
    const Json& variables = body["variables"];
    for (const char* place : {"bucketName", "bucket"}) {
      if (variables.contains(place) && variables[place].is_string()) name = variables[place];
    }
    if (variables.contains("filter") && variables["filter"].is_object()) {
      const Json& filter = variables["filter"];
      if (filter.contains("bucketName") && filter["bucketName"].is_string()) {
        name = filter["bucketName"];
      }
    }
  }
  Json account = Json::object();
  const auto bucket = access.buckets.Find(name);
  const bool may = bucket.ok() && *bucket != nullptr &&
                   (*bucket)->resource.account == call.principal.account &&
                   call.principal.May(Service::kR2, Action::kRead, name);
  if (may) {
    const Result<BucketMeasure> measure = co_await access.store.Measure((*bucket)->bucket());
    if (!measure.ok()) co_return Refusal(measure.status(), true);
    Json group{{"max", Json{{"objectCount", measure->objects},
                            {"payloadSize", measure->bytes},
                            {"metadataSize", 0}}},
               {"dimensions", Json{{"datetime", FormatTimestamp(access.store.NowMs() * 1000)}}}};
    account["r2StorageAdaptiveGroups"] = Json::array({std::move(group)});
  }
  co_return JsonResponse(
      200, Dump(Json{{"data", Json{{"viewer", Json{{"accounts", Json::array({account})}}}}},
                     {"errors", nullptr}}));
}

}  // namespace

std::vector<RouteOf<R2Access>> R2Routes() {
  const auto shows = [](Setting setting) {
    return [setting](const R2Access& access, Call& call) {
      return ShowSetting(access, call, setting);
    };
  };
  const auto changes = [](Setting setting, bool is_removal = false) {
    return [setting, is_removal](const R2Access& access, Call& call) {
      return ChangeSetting(access, call, setting, is_removal);
    };
  };
  const auto need = [](Action action) { return Need::ScopeOf(Service::kR2, action, "bucket"); };
  const Need read = need(Action::kRead);
  const Need write = need(Action::kWrite);
  const Need admin = need(Action::kAdmin);
  return {
      {"GET", "/accounts/{account}/r2/buckets", Need::ScopeOf(Service::kR2, Action::kRead),
       "lists buckets", ListBuckets},
      {"POST", "/accounts/{account}/r2/buckets", Need::ScopeOf(Service::kR2, Action::kAdmin),
       "makes a bucket", CreateBucket},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}", read, "a bucket", GetBucket},
      {"DELETE", "/accounts/{account}/r2/buckets/{bucket}", admin, "removes an empty bucket",
       DeleteBucket},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/cors", read, "the CORS rules", shows(kCors)},
      {"PUT", "/accounts/{account}/r2/buckets/{bucket}/cors", admin, "replaces the CORS rules",
       changes(kCors)},
      {"DELETE", "/accounts/{account}/r2/buckets/{bucket}/cors", admin, "drops the CORS rules",
       changes(kCors, true)},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/lifecycle", read, "the lifecycle rules",
       shows(kLifecycle)},
      {"PUT", "/accounts/{account}/r2/buckets/{bucket}/lifecycle", admin,
       "replaces the lifecycle rules", changes(kLifecycle)},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/versioning", read,
       "whether versions are kept", shows(kVersioning)},
      {"PUT", "/accounts/{account}/r2/buckets/{bucket}/versioning", admin,
       "keeps versions, or stops keeping new ones", changes(kVersioning)},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/domains/managed", read,
       "whether anybody may read the objects", shows(kPublic)},
      {"PUT", "/accounts/{account}/r2/buckets/{bucket}/domains/managed", admin,
       "lets anybody read the objects, or not", changes(kPublic)},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/objects", read, "lists objects",
       ListObjects},
      {"GET", "/accounts/{account}/r2/buckets/{bucket}/objects/{key*}", read,
       "the bytes of an object", GetObject},
      {"PUT", "/accounts/{account}/r2/buckets/{bucket}/objects/{key*}", write, "stores an object",
       PutObject},
      {"DELETE", "/accounts/{account}/r2/buckets/{bucket}/objects/{key*}", write,
       "removes an object", DeleteObject},
      {"POST", "/graphql", Need::AnyToken(), "how much is in a bucket, as wrangler asks for it",
       AnswerGraphQl},
  };
}

}  // namespace levada::services::r2
