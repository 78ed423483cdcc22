#include "services/analytics/analytics_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "formats/aesql/render.h"
#include "formats/aesql/translate.h"
#include "services/analytics/statements.h"
#include "services/core/on_thread.h"

namespace levada::services::analytics {
namespace {

constexpr const char* kInvalid = "Input was invalid: ";
// ClickHouse's numbers of errors.
constexpr int kUnknownTable = 60;
constexpr int kTimeoutExceeded = 159;
constexpr int kCannotAllocateMemory = 173;
constexpr int kMemoryLimitExceeded = 241;
constexpr int kTooManyRowsOrBytes = 396;
// Where the user's values do not fit: all else is ours.
constexpr int kErrorsOfValues[] = {6,   27,  32,  36,  38,  41,  43,  53,  69,  70,  131,
                                   134, 153, 190, 321, 407, 469, 158, 307, 395, 1002};

int CodeNumber(const Status& status) {
  const std::string code = FaultOf(status).Detail("code");
  int number = 0;
  (void)std::from_chars(code.data(), code.data() + code.size(), number);
  return number;
}

QueryAnswer Refuse(int status, std::string text, std::string cause = {}) {
  return {status, std::move(text), {}, std::nullopt, std::move(cause)};
}

QueryAnswer Unavailable(std::string text, std::string cause) {
  QueryAnswer answer = Refuse(503, std::move(text), std::move(cause));
  answer.retry_after_s = 2;
  return answer;
}

/// Without where in our own writing of the query it was.
std::string WordsOf(const Status& status) {
  std::string words = FaultOf(status).message();
  for (const char* cut : {": while executing", ": In scope", " in scope ", ". Note: there are"}) {
    words = words.substr(0, words.find(cut));
  }
  return words;
}

QueryAnswer AnswerOfFailure(const Status& status) {
  if (IsBusy(status)) return Unavailable("too many queries are waiting; try again", "busy");
  switch (CodeOf(status)) {
    case FaultCode::kQueryFailed:
      break;
    case FaultCode::kFileUnreadable:
    case FaultCode::kSourceUnsupported:
      return Refuse(503,
                    "this daemon has no engine for queries: libchdb, or the ClickHouse server, is "
                    "missing or of no use, and its log says why; points are kept",
                    status.ToString());
    case FaultCode::kSourceTimeout:
      return Refuse(503, "the query took too long", status.ToString());
    default:
      return Unavailable("the engine does not answer now; try again", status.ToString());
  }
  const int code = CodeNumber(status);
  if (code == kTimeoutExceeded)
    return Refuse(422, std::string(kInvalid) + "the query took too long");
  if (code == kMemoryLimitExceeded || code == kCannotAllocateMemory) {
    return Refuse(422, std::string(kInvalid) + "the query needs more memory than a query may have");
  }
  if (code == kTooManyRowsOrBytes) {
    return Refuse(422, std::string(kInvalid) + "the answer is too large; add LIMIT");
  }
  if (std::ranges::find(kErrorsOfValues, code) != std::end(kErrorsOfValues)) {
    return Refuse(422, kInvalid + WordsOf(status));
  }
  return Refuse(500, "the query could not be run; the daemon's log says why", status.ToString());
}

/// On a thread. A dataset that was just written to has no table yet: it is made then.
Result<std::string> Ask(Engine& engine, const std::vector<Resource>& datasets,
                        const std::string& sql) {
  const Statement statement{StatementKind::kQuery, sql};
  Result<std::string> answer = engine.Run(statement);
  if (answer.ok() || CodeNumber(answer.status()) != kUnknownTable) return answer;
  for (const Resource& dataset : datasets) {
    const aesql::Table table = TableOf(engine.database(), dataset.number);
    if (sql.find(aesql::QuoteName(table.name)) == std::string::npos) continue;
    ARROW_RETURN_NOT_OK(engine
                            .Run({StatementKind::kCreate,
                                  CreateStatement(engine.database(), dataset.number, dataset.name)})
                            .status());
  }
  return engine.Run(statement);
}

}  // namespace

net::Task<Status> WritePoints(const AnalyticsAccess& access, uint64_t dataset,
                              std::vector<DataPoint> points) {
  if (points.empty()) co_return Status::OK();
  if (access.reserve != nullptr && access.reserve->is_full()) {
    co_return Fault(FaultCode::kDiskFull, "analytics: the disk is full");
  }
  std::vector<Rows> rows = RowsOf(dataset, points);
  if (BodyBytesOf(rows) > kBodyBytesMax) co_return Busy();
  co_return co_await Durably(access.loop, [&](WriteAhead::Done done) {
    return access.log.Submit(std::move(rows), std::move(done));
  });
}

net::Task<std::variant<Resource, ApiError>> DatasetNamed(const AnalyticsAccess& access,
                                                         const Account& account, std::string name,
                                                         Actor actor) {
  const auto found = access.control.FindResourceByName(account.row, ResourceKind::kDataset, name);
  if (found) co_return *found;
  if (!IsDatasetName(name)) {
    co_return ApiError{400, kBadRequest,
                       "a dataset is called by 1 to 128 letters, digits, \"_\" and \"-\"",
                       std::nullopt};
  }
  if (access.control.Resources(account.row, ResourceKind::kDataset).size() >= kDatasetsMax) {
    co_return ApiError{403, kBadRequest,
                       fmt::format("an account has at most {} datasets", kDatasetsMax),
                       std::nullopt};
  }
  Control& control = access.control;
  const auto made = co_await OnThread(access.loop, access.workers, [&] {
    return control.CreateResource(account, ResourceKind::kDataset, name, "", actor);
  });
  if (!made.ok()) co_return ErrorOf(made.status());
  if (*made) co_return **made;
  // Somebody else was first.
  const auto other = control.FindResourceByName(account.row, ResourceKind::kDataset, name);
  if (!other) co_return TooBusy();
  co_return *other;
}

net::Task<QueryAnswer> RunQuery(const AnalyticsAccess& access, int64_t account, std::string sql) {
  std::vector<Resource> resources = access.control.Resources(account, ResourceKind::kDataset);
  std::ranges::sort(resources, {}, &Resource::name);
  std::vector<aesql::Dataset> datasets;
  for (const Resource& each : resources) {
    datasets.push_back(DatasetOf(access.engine.database(), each.number, each.name));
  }
  const auto translated = aesql::Translate(sql, datasets);
  if (const auto* problem = std::get_if<aesql::Problem>(&translated)) {
    co_return Refuse(422, kInvalid + aesql::Describe(sql, *problem));
  }
  const auto& translation = std::get<aesql::Translation>(translated);
  Engine& engine = access.engine;
  Result<std::string> answer = co_await OnThread(
      access.loop, access.queries, [&] { return Ask(engine, resources, translation.sql); });
  if (!answer.ok()) co_return AnswerOfFailure(answer.status());
  QueryAnswer told;
  told.text = *std::move(answer);
  told.format = translation.format;
  co_return told;
}

}  // namespace levada::services::analytics
