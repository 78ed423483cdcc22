#include "net/http_session.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <mutex>
#include <utility>

#include "base/ascii.h"

namespace levada::net {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

/// What the callbacks of one request share.
struct Exchange {
  const Context* ctx = nullptr;
  SessionAnswer answer;
  size_t answer_bytes_max = 0;
  bool is_too_long = false;
};

size_t OnBody(const char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t bytes = size * count;
  if (exchange.answer.body.size() + bytes > exchange.answer_bytes_max) {
    exchange.is_too_long = true;
    return 0;
  }
  exchange.answer.body.append(data, bytes);
  return bytes;
}

// A line each; those of an interim answer (100 Continue) are dropped with the next status line.
size_t OnHeader(const char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const size_t bytes = size * count;
  std::string_view line(data, bytes);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    exchange.answer.headers.Clear();
    return bytes;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return bytes;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  exchange.answer.headers.Add(std::string(line.substr(0, colon)), std::string(value));
  return bytes;
}

// Called at least once a second, whatever the connection does.
int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->ctx->Check().ok() ? 0 : 1;
}

std::string OriginOf(const std::string& url) {
  const size_t authority = url.find("://");
  if (authority == url.npos) return "the server";
  return url.substr(0, url.find_first_of("/?#", authority + 3));
}

Status Unanswered(const std::string& url, FaultCode code, std::string_view why) {
  return Fault(code, fmt::format("no answer of {}: {}", OriginOf(url), why))
      .With("origin", OriginOf(url));
}

FaultCode CodeFor(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return FaultCode::kTargetUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return FaultCode::kTargetConnectionLost;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return FaultCode::kTlsFailed;
    default:
      return FaultCode::kTargetIo;
  }
}

class CurlSession final : public HttpSession {
 public:
  CurlSession(CURL* handle, SessionLimits limits) : handle_(handle), limits_(std::move(limits)) {}

  Result<SessionAnswer> Send(const Context& ctx, const SessionRequest& request) override {
    ARROW_RETURN_NOT_OK(ctx.Check());
    CURL* const curl = handle_.get();
    curl_easy_reset(curl);  // options only: connections stay
    Exchange exchange;
    exchange.ctx = &ctx;
    exchange.answer_bytes_max = request.answer_bytes_max;
    char words[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    SetTransport(request.url);
    const HeaderList headers = SetRequest(request);
    if (headers == nullptr) return Fault(FaultCode::kInternal, "no memory for a request's headers");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);

    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
      ARROW_RETURN_NOT_OK(ctx.Check());
    }
    if (exchange.is_too_long) {
      return Unanswered(
          request.url, FaultCode::kTargetIo,
          fmt::format("it is longer than the {} bytes allowed", request.answer_bytes_max));
    }
    if (code != CURLE_OK) {
      return Unanswered(request.url, CodeFor(code),
                        *words != '\0' ? words : curl_easy_strerror(code));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    exchange.answer.status = static_cast<int>(status);
    return std::move(exchange.answer);
  }

 private:
  void SetTransport(const std::string& url) {
    CURL* const curl = handle_.get();
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(limits_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(limits_.stall_timeout.count()));
    if (!limits_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, limits_.ca_file.c_str());
    }
  }

  HeaderList SetRequest(const SessionRequest& request) {
    CURL* const curl = handle_.get();
    HeaderList list;
    const auto add = [&list](const std::string& line) {
      curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
      if (longer != nullptr) {
        (void)list.release();
        list.reset(longer);
      }
    };
    for (const HeaderField& field : request.headers.fields()) {
      // Its way to say a field without a value.
      add(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
    }
    for (const char* unwanted : {"Expect:", "Accept:"}) add(unwanted);
    if (!request.headers.Find("content-type")) add("Content-Type:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
    if (request.method == "HEAD") {
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET") {
      const bool has_body = !request.body.empty() || request.method != "DELETE";
      if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
      }
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    return list;
  }

  const std::unique_ptr<CURL, FreeHandle> handle_;
  const SessionLimits limits_;
};

}  // namespace

Result<std::unique_ptr<HttpSession>> MakeHttpSession(SessionLimits limits) {
  static std::once_flag begun;
  static CURLcode began = CURLE_OK;
  std::call_once(begun, [] { began = curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* const handle = began == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) return Fault(FaultCode::kInternal, "libcurl does not start");
  return std::make_unique<CurlSession>(handle, std::move(limits));
}

}  // namespace levada::net
