#include "services/d1/d1_access.h"

#include <memory>

namespace levada::services::d1 {
namespace {

Answered Render(const Ran& ran, const RequestOptions& options, size_t text_count) {
  Answered answered{{}, ran.bookmark, ran.answer.error, ran.answer.size_bytes};
  if (answered.error) return answered;
  auto json = ResultsJson(ran.answer, options.shape, options.items, text_count);
  if (json) {
    answered.json = *std::move(json);
  } else {
    answered.error = db::sqlite::SqlError{
        std::string("the answer is too large to be sent") +
            (ran.answer.is_changed ? "; what the request wrote is there" : "") + ": SQLITE_TOOBIG",
        "SQLITE_TOOBIG", -1, 0};
  }
  return answered;
}

}  // namespace

ApiError D1ErrorOf(const Status& status) {
  switch (CodeOf(status)) {
    case FaultCode::kStopped:
      return {503, kD1QueryFailed,
              "the database was restored or closed while this request ran; nothing of it happened, "
              "try again",
              1, status.ToString()};
    case FaultCode::kBadValue:
      return {400, kD1BadRequest, FaultOf(status).message(), std::nullopt};
    default:
      return ErrorOf(status);
  }
}

net::Task<Result<Answered>> RunRequest(const D1Access& access, Resource database,
                                       std::vector<db::sqlite::SqlText> texts,
                                       RequestOptions options) {
  const net::Arrival<Result<Answered>> arrival(access.loop);
  const size_t text_count = texts.size();
  access.databases.Of(database)->Run(
      std::move(texts), options.may_write, [arrival, options, text_count](Result<Ran> ran) {
        arrival.Set(ran.ok() ? Result<Answered>(Render(*ran, options, text_count))
                             : Result<Answered>(ran.status()));
      });
  co_return co_await arrival;
}

}  // namespace levada::services::d1
