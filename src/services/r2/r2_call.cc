#include "services/r2/r2_call.h"

#include <utility>

#include "services/core/api.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

constexpr uint64_t kSmallBodyMax = 1024 * 1024;

}  // namespace

net::Response Refusal(const Status& status, bool is_of_bucket) {
  const R2ErrorWords& words = WordsOf(R2ErrorCodeOf(status));
  ApiError error{words.http_status, words.r2_code, R2MessageOf(status, is_of_bucket), std::nullopt};
  if (words.http_status == 503) error.retry_after_s = 1;
  net::Response response = Failure(error);
  if (words.http_status >= 500) response.cause = status.ToString();
  return response;
}

Result<std::shared_ptr<const KnownBucket>> BucketOf(const R2Access& access, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(auto bucket, access.buckets.Find(call.Parameter("bucket")));
  if (bucket == nullptr || bucket->resource.account != call.account.row) {
    return R2Error(R2ErrorCode::kNoSuchBucket);
  }
  return bucket;
}

net::Task<std::string> ReadSmall(Call& call) {
  Result<std::string> body = co_await net::ReadAll(*call.request.body, kSmallBodyMax);
  co_return body.ok() ? *std::move(body) : std::string();
}

}  // namespace levada::services::r2
