#pragma once
// A bucket in memory, spoken to like a server: for tests of what is asked of one. It knows the
// operations that s3_objects.h makes, without signatures; it can lose answers and refuse. What real
// servers make of the same requests is tests/platform/test_lake_s3.py.

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "base/url.h"
#include "net/http_session.h"
#include "places/s3/s3_client.h"

namespace levada::places {

/// What a test does with one request.
struct Disturbance {
  std::optional<net::SessionAnswer> instead;  ///< the bucket does not hear of the request
  bool loses_answer = false;                  ///< it does, and nobody hears of its answer
};

/// Thread-safe.
class FakeBucket {
 public:
  struct Seen {
    std::string method;
    std::string path;   ///< decoded, without the bucket: "lake/a"
    std::string query;  ///< as sent
    net::Headers headers;
  };
  using Disturb = std::function<Disturbance(const Seen&)>;

  void OnRequest(Disturb disturb) {
    const std::lock_guard lock(mutex_);
    disturb_ = std::move(disturb);
  }
  /// Keys and contents that readers see.
  std::map<std::string, std::string> objects() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> found;
    for (const auto& [key, object] : objects_) found.emplace(key, object.content);
    return found;
  }
  size_t upload_count() const {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  void Put(const std::string& key, std::string content) {
    const std::lock_guard lock(mutex_);
    Store(key, std::move(content));
  }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  Result<net::SessionAnswer> Send(const net::SessionRequest& request) {
    Seen seen;
    seen.method = request.method;
    seen.headers = request.headers;
    const size_t path = request.url.find('/', request.url.find("://") + 3);
    const size_t question = request.url.find('?');
    seen.path = PercentDecoded(request.url.substr(path, question - path)).value_or("");
    if (question != std::string::npos) seen.query = request.url.substr(question + 1);
    // "/bucket/key"
    const size_t key = seen.path.find('/', 1);
    seen.path = key == std::string::npos ? "" : seen.path.substr(key + 1);

    const std::lock_guard lock(mutex_);
    seen_.push_back(seen);
    const Disturbance disturbance = disturb_ ? disturb_(seen) : Disturbance{};
    if (disturbance.instead) return *disturbance.instead;
    net::SessionAnswer answer = Answer(seen, request.body);
    if (disturbance.loses_answer) {
      return Fault(FaultCode::kTargetConnectionLost, "no answer of the bucket: cut off");
    }
    return answer;
  }

  static net::SessionAnswer Refusal(int status, std::string_view code) {
    net::SessionAnswer answer;
    answer.status = status;
    answer.body =
        fmt::format("<Error><Code>{}</Code><Message>says the test</Message></Error>", code);
    return answer;
  }

 private:
  struct Object {
    std::string content;
    std::string etag;
  };
  struct Upload {
    std::string key;
    std::map<int, Object> parts;
  };

  std::string Store(const std::string& key, std::string content) {
    std::string etag = fmt::format("e{}", ++etags_);
    objects_[key] = {std::move(content), etag};
    return etag;
  }

  static std::string Parameter(const Seen& seen, std::string_view name) {
    for (const UrlParameter& parameter : UrlParameters(seen.query)) {
      if (parameter.name == name) return PercentDecoded(parameter.value.value_or("")).value_or("");
    }
    return {};
  }
  static bool Has(const Seen& seen, std::string_view name) {
    for (const UrlParameter& parameter : UrlParameters(seen.query)) {
      if (parameter.name == name) return true;
    }
    return false;
  }
  static net::SessionAnswer Made(int status, std::string body, const std::string& etag = {}) {
    net::SessionAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    if (!etag.empty()) answer.headers.Add("ETag", fmt::format("\"{}\"", etag));
    return answer;
  }

  net::SessionAnswer Answer(const Seen& seen, std::string_view body) {
    if (seen.path.empty()) return Has(seen, "uploads") ? ListUploads(seen) : List(seen);
    if (Has(seen, "uploadId")) return OfUpload(seen, body);
    if (seen.method == "POST") {
      const std::string id = fmt::format("up/{}", ++ids_);  // an id that has to be encoded
      uploads_[id].key = seen.path;
      return Made(200, fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                   "</InitiateMultipartUploadResult>",
                                   id));
    }
    const auto found = objects_.find(seen.path);
    if (seen.method == "PUT") {
      const auto match = seen.headers.Find("if-match");
      const bool taken = seen.headers.Find("if-none-match") && found != objects_.end();
      const bool other =
          match && (found == objects_.end() || *match != fmt::format("\"{}\"", found->second.etag));
      if (taken || other) return Refusal(412, "PreconditionFailed");
      return Made(200, "", Store(seen.path, std::string(body)));
    }
    if (seen.method == "DELETE") {
      objects_.erase(seen.path);
      return Made(204, "");
    }
    if (found == objects_.end()) return Refusal(404, "NoSuchKey");
    net::SessionAnswer answer = Made(200, found->second.content, found->second.etag);
    if (seen.method == "HEAD") {
      answer.headers.Add("Content-Length", std::to_string(answer.body.size()));
      answer.body.clear();
    }
    size_t from = 0, to = 0;
    const auto range = seen.headers.Find("range");
    if (range && std::sscanf(std::string(*range).c_str(), "bytes=%zu-%zu", &from, &to) == 2) {
      answer.status = 206;
      answer.body = answer.body.substr(std::min(from, answer.body.size()), to - from + 1);
    }
    return answer;
  }

  net::SessionAnswer OfUpload(const Seen& seen, std::string_view body) {
    const std::string id = Parameter(seen, "uploadId");
    const auto found = uploads_.find(id);
    if (found == uploads_.end() || found->second.key != seen.path) {
      return Refusal(404, "NoSuchUpload");
    }
    Upload& upload = found->second;
    if (seen.method == "PUT") {
      const int number = std::stoi(Parameter(seen, "partNumber"));
      upload.parts[number] = {std::string(body), fmt::format("p{}", number)};
      return Made(200, "", upload.parts[number].etag);
    }
    if (seen.method == "GET") {
      std::string text = "<ListPartsResult><IsTruncated>false</IsTruncated>";
      for (const auto& [number, part] : upload.parts) {
        text += fmt::format(
            "<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag><Size>{}</Size></Part>", number,
            part.etag, part.content.size());
      }
      return Made(200, text + "</ListPartsResult>");
    }
    if (seen.method == "POST") {
      std::string content;
      for (const auto& [number, part] : upload.parts) content += part.content;
      Store(seen.path, std::move(content));
    }
    uploads_.erase(found);
    return seen.method == "POST" ? Made(200, "<CompleteMultipartUploadResult/>") : Made(204, "");
  }

  // Two entries a page.
  net::SessionAnswer List(const Seen& seen) {
    const std::string prefix = Parameter(seen, "prefix");
    const std::string after = Parameter(seen, "continuation-token");
    std::map<std::string, std::string> entries;  // by key or prefix
    for (const auto& [key, object] : objects_) {
      if (!key.starts_with(prefix)) continue;
      const size_t slash = key.find('/', prefix.size());
      const std::string name = slash == key.npos ? key : key.substr(0, slash + 1);
      if (name <= after) continue;
      entries[name] =
          slash == key.npos
              ? fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", name,
                            object.content.size())
              : fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name);
    }
    std::string text = "<ListBucketResult>";
    int count = 0;
    for (const auto& [name, xml] : entries) {
      if (++count > 2) break;
      text += xml;
      if (count == 2 && entries.size() > 2) {
        text += fmt::format("<NextContinuationToken>{}</NextContinuationToken>", name);
      }
    }
    text += fmt::format("<IsTruncated>{}</IsTruncated></ListBucketResult>", entries.size() > 2);
    return Made(200, text);
  }

  net::SessionAnswer ListUploads(const Seen& seen) {
    const std::string prefix = Parameter(seen, "prefix");
    std::string text = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [id, upload] : uploads_) {
      if (!upload.key.starts_with(prefix)) continue;
      text += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId></Upload>", upload.key, id);
    }
    return Made(200, text + "</ListMultipartUploadsResult>");
  }

  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  Disturb disturb_;
  std::vector<Seen> seen_;
  int etags_ = 0;
  int ids_ = 0;
};

class FakeSession final : public net::HttpSession {
 public:
  explicit FakeSession(FakeBucket& bucket) : bucket_(bucket) {}
  Result<net::SessionAnswer> Send(const Context& ctx, const net::SessionRequest& request) override {
    ARROW_RETURN_NOT_OK(ctx.Check());
    return bucket_.Send(request);
  }

 private:
  FakeBucket& bucket_;
};

/// Nothing is set but keys.
inline Variables TestVariables() {
  return [](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_ACCESS_KEY_ID") return "AKID";
    if (name == "AWS_SECRET_ACCESS_KEY") return "SECRET";
    return std::nullopt;
  };
}
inline Result<std::string> NoFile(const std::string& path) {
  return Fault(FaultCode::kFileUnreadable, path + " is not there");
}

/// `bucket` and `random` outlive it.
inline std::shared_ptr<S3Client> ClientOf(FakeBucket& bucket, Random& random) {
  auto address =
      ValueOf(ParseS3Url("s3://bucket/lake?endpoint_override=h:1&scheme=http", TestVariables()));
  S3Retries retries;
  retries.tries = 4;
  return std::make_shared<S3Client>(
      std::move(address), CredentialInput{TestVariables(), NoFile, "r"}, random,
      [&bucket]() -> Result<std::unique_ptr<net::HttpSession>> {
        return std::make_unique<FakeSession>(bucket);
      },
      retries);
}

}  // namespace levada::places
