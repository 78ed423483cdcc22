#include "places/s3/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "formats/s3xml/element.h"

namespace levada::places {
namespace {

constexpr size_t kSessionsKept = 16;
// Of an error document what a person needs; servers differ in the rest.
constexpr size_t kErrorBytesMax = size_t{64} * 1024;
constexpr size_t kMessageShownMax = 300;

struct S3Refusal {
  std::string code;
  std::string message;
  std::string region;
};

S3Refusal RefusalOf(const S3Answer& answer) {
  S3Refusal refusal;
  refusal.region = answer.headers.Find("x-amz-bucket-region").value_or("");
  const auto document = s3xml::ReadDocument(answer.body, "Error", {kErrorBytesMax, 100});
  if (!document.ok()) return refusal;  // HEAD has no body, and proxies have words of their own
  const auto text = [&](std::string_view name) {
    const auto word = s3xml::ChildWord(*document, name);
    return word.ok() ? word->value_or("") : std::string();
  };
  refusal.code = text("Code");
  refusal.message = text("Message").substr(0, kMessageShownMax);
  if (refusal.region.empty()) refusal.region = text("Region");
  return refusal;
}

bool IsWorthAnotherTry(const S3Answer& answer) {
  constexpr auto kCodes = std::to_array<std::string_view>(
      {"SlowDown", "RequestTimeout", "RequestTimeoutException", "Throttling", "ThrottlingException",
       "TooManyRequests", "InternalError", "ServiceUnavailable", "OperationAborted",
       "ConditionalRequestConflict"});
  if (answer.status == 507 || answer.status == 501) return false;
  return answer.status >= 500 || answer.status == 429 || answer.status == 408 ||
         std::ranges::find(kCodes, answer.error_code) != kCodes.end();
}

bool IsWorthAnotherTry(const Status& unanswered) {
  const FaultCode code = CodeOf(unanswered);
  return code == FaultCode::kTargetUnreachable || code == FaultCode::kTargetConnectionLost;
}

// Answers that mean something to the caller.
bool IsTold(const S3Answer& answer) {
  if (answer.ok() || answer.status == 412 || answer.status == 409 || answer.status == 416) {
    return true;
  }
  return answer.status == 404 && answer.error_code != "NoSuchBucket";
}

std::string PathOf(const S3Address& address, const std::string& key) {
  std::string path = address.base_path + "/";
  if (!key.empty()) path += sigv4::UriEncode(key, true);
  return path;
}

std::string QueryOf(const S3Call& call) {
  std::string query;
  for (const auto& [name, value] : call.query) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", sigv4::UriEncode(name, false),
                         sigv4::UriEncode(value, false));
  }
  return query;
}

}  // namespace

std::string Unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag.remove_prefix(1);
    etag.remove_suffix(1);
  }
  return std::string(etag);
}

std::string S3Answer::etag() const { return Unquoted(headers.Find("etag").value_or("")); }

/// A session that goes back where it came from.
struct S3Client::Lease {
  S3Client& client;
  std::unique_ptr<net::HttpSession> session;
  ~Lease() {
    const std::lock_guard lock(client.mutex_);
    if (session != nullptr && client.idle_.size() < kSessionsKept) {
      client.idle_.push_back(std::move(session));
    }
  }
};

S3Client::S3Client(S3Address address, CredentialInput credentials, Random& random,
                   SessionMaker sessions, S3Retries retries)
    : address_(std::move(address)),
      credentials_(std::move(credentials)),
      random_(random),
      make_session_(std::move(sessions)),
      retries_(retries) {}

Result<S3Answer> S3Client::TryOnce(Context& ctx, const S3Call& call,
                                   const sigv4::Credentials& keys) {
  const std::string path = PathOf(address_, call.key);
  const std::string query = QueryOf(call);
  std::vector<sigv4::HeaderView> signed_over = {{"Host", address_.authority}};
  for (const auto& [name, value] : call.headers) signed_over.push_back({name, value});
  ARROW_ASSIGN_OR_RAISE(const auto made, sigv4::Sign({call.method, path, query, signed_over},
                                                     sigv4::PayloadOf(call.body), keys,
                                                     address_.region, ctx.clock->Now()));
  net::SessionRequest request;
  request.method = call.method;
  request.url = address_.origin + path + (query.empty() ? "" : "?" + query);
  for (const auto& header : signed_over) {
    request.headers.Add(std::string(header.name), std::string(header.value));
  }
  for (const auto& header : made.headers) request.headers.Add(header.name, header.value);
  request.body = call.body;
  request.answer_bytes_max = call.answer_bytes_max;

  Lease lease{*this, nullptr};
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      lease.session = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (lease.session == nullptr) {
    ARROW_ASSIGN_OR_RAISE(lease.session, make_session_());
  }
  ARROW_ASSIGN_OR_RAISE(net::SessionAnswer got, lease.session->Send(ctx, request));
  S3Answer answer;
  answer.status = got.status;
  answer.headers = std::move(got.headers);
  answer.body = std::move(got.body);
  if (!answer.ok()) answer.error_code = RefusalOf(answer).code;
  return answer;
}

// Twice as long each time, and a random half of it: many that were refused at once do not come
// back at once.
Status S3Client::Pause(Context& ctx, int tries) {
  const auto longest = std::min(retries_.first_pause * (int64_t{1} << std::min(tries - 1, 16)),
                                retries_.longest_pause);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(longest).count();
  const auto pause =
      micros / 2 + static_cast<int64_t>(random_.Next() % static_cast<uint64_t>(micros / 2 + 1));
  ctx.clock->SleepUntil(ctx.clock->Steady() + std::chrono::microseconds(pause), ctx.stop);
  return ctx.Check();
}

Result<S3Answer> S3Client::Send(Context& ctx, const S3Call& call) {
  bool has_new_keys = false;
  for (int tries = 1;; ++tries) {
    ARROW_ASSIGN_OR_RAISE(const sigv4::Credentials keys, credentials_.Get(ctx));
    auto answer = TryOnce(ctx, call, keys);
    if (!answer.ok()) {
      if (!IsWorthAnotherTry(answer.status()) || tries >= retries_.tries) return answer.status();
    } else {
      const std::string& code = answer->error_code;
      if (!has_new_keys && (code == "ExpiredToken" || code == "ExpiredTokenException")) {
        has_new_keys = true;
        credentials_.Forget(keys);
        continue;
      }
      if (!IsWorthAnotherTry(*answer)) {
        if (IsTold(*answer)) return answer;
        return Explain(call, *answer);
      }
      if (tries >= retries_.tries) return Explain(call, *answer);
    }
    ctx.log->Debug("a request to S3 is tried again",
                   {{"method", call.method},
                    {"key", call.key},
                    {"why", answer.ok() ? fmt::format("{} {}", answer->status, answer->error_code)
                                        : answer.status().message()}});
    ARROW_RETURN_NOT_OK(Pause(ctx, tries));
  }
}

Status S3Client::Explain(const S3Call& call, const S3Answer& answer) const {
  const S3Refusal refusal = RefusalOf(answer);
  const std::string where = fmt::format("s3://{}/{}", address_.bucket, call.key);
  const std::string words = refusal.code.empty()
                                ? fmt::format("status {}", answer.status)
                                : fmt::format("{}{}{}", refusal.code,
                                              refusal.message.empty() ? "" : ": ", refusal.message);
  const auto fault = [&](FaultCode code, const std::string& what) {
    return std::move(Fault(code, fmt::format("{} ({})", what, words))
                         .With("path", where)
                         .With("server", address_.origin));
  };
  const std::string& code = refusal.code;
  const bool other_region = answer.status == 301 || code == "AuthorizationHeaderMalformed" ||
                            code == "PermanentRedirect" ||
                            code == "IllegalLocationConstraintException";
  if (other_region) {
    return fault(FaultCode::kBadValue, fmt::format("bucket \"{}\" is not in region \"{}\"",
                                                   address_.bucket, address_.region))
        .Help(refusal.region.empty() ? "say its region: ?region=... in the URL, or AWS_REGION"
                                     : fmt::format("add ?region={} to the URL", refusal.region));
  }
  if (code == "NoSuchBucket") {
    return fault(FaultCode::kTargetUnwritable,
                 fmt::format("there is no bucket \"{}\" at {}", address_.bucket, address_.origin))
        .Help("make the bucket, or correct its name or the endpoint");
  }
  if (code == "RequestTimeTooSkewed") {
    return fault(FaultCode::kAuthFailed, "the clock of this machine is not that of the server")
        .Help("set the clock of this machine");
  }
  if (answer.status == 401 || code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" ||
      code == "ExpiredToken" || code == "InvalidToken") {
    return fault(FaultCode::kAuthFailed, fmt::format("{} refuses the keys", address_.origin))
        .Help("check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that has them");
  }
  if (answer.status == 403) {
    return fault(FaultCode::kPermissionDenied,
                 fmt::format("the keys may not {} \"{}\"", call.method, where))
        .Help("the keys need to read, list, write and delete below this prefix");
  }
  if (answer.status == 507 || code == "QuotaExceeded" || code == "XMinioStorageFull") {
    return fault(FaultCode::kDiskFull, fmt::format("the store of \"{}\" is full", where));
  }
  if (answer.status == 501 || answer.status == 405) {
    return fault(FaultCode::kTargetUnsupported,
                 fmt::format("the server cannot {} \"{}\"", call.method, where));
  }
  if (answer.status == 429 || answer.status == 503 || code == "SlowDown") {
    return fault(FaultCode::kTargetBusy,
                 fmt::format("the server asks to slow down at \"{}\"", where));
  }
  return fault(FaultCode::kTargetIo, fmt::format("cannot {} \"{}\"", call.method, where));
}

}  // namespace levada::places
