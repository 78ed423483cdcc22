#include "services/analytics/clickhouse_server.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "db/chdb/library.h"
#include "formats/aesql/render.h"

namespace levada::services::analytics {
namespace {

constexpr std::string_view kErrorHeader = "X-ClickHouse-Exception-Code";
// ClickHouse's number of an answer that is too large.
constexpr const char* kTooManyBytes = "396";
constexpr size_t kSmallAnswerBytesMax = 64 * 1024;
// A table beside those of datasets.
constexpr const char* kOwnerTable = "_levada";

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

/// The rows are the body of the request, and stand in no file.
std::string WithoutFile(std::string sql) {
  const std::string file = " FROM INFILE " + std::string(kRowsFile);
  const size_t at = sql.find(file);
  if (at != std::string::npos) sql.erase(at, file.size());
  return sql;
}

Fault NotOfUse(const std::string& why) {
  return Fault(FaultCode::kSourceUnsupported, "the ClickHouse server is of no use: " + why);
}

bool IsRefusal(const Status& status) { return CodeOf(status) == FaultCode::kQueryFailed; }

}  // namespace

struct ClickhouseServer::Pending {
  std::optional<Result<net::ClientAnswer>> answer;
};

std::optional<ClickhouseVersion> ParseClickhouseVersion(std::string_view text) {
  ClickhouseVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, bad_major] = std::from_chars(text.data(), end, version.major);
  if (bad_major != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, bad_minor] = std::from_chars(dot + 1, end, version.minor);
  if (bad_minor != std::errc() || (rest != end && *rest != '.' && *rest != '\n')) {
    return std::nullopt;
  }
  return version;
}

ClickhouseServer::ClickhouseServer(ClickhouseOptions options, const Clock& clock, Logger& log)
    : options_(std::move(options)), clock_(clock), log_(log), thread_([this] { loop_.Run(); }) {}

ClickhouseServer::~ClickhouseServer() {
  Stop();
  loop_.Stop();
  thread_.join();
}

void ClickhouseServer::Stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  is_ready_ = false;
  answered_.notify_all();
}

EngineCounts ClickhouseServer::counts() const {
  const std::lock_guard lock(mutex_);
  EngineCounts counts = counts_;
  counts.is_running = is_ready_;
  return counts;
}

net::Task<void> ClickhouseServer::Send(net::ClientRequest request,
                                       std::shared_ptr<Pending> pending) {
  Result<net::ClientAnswer> answer = co_await net::Post(loop_, options_.tls, std::move(request));
  const std::lock_guard lock(mutex_);
  pending->answer.emplace(std::move(answer));
  answered_.notify_all();
}

Result<std::string> ClickhouseServer::Ask(Call call) {
  net::ClientRequest request;
  request.url = options_.address.server;
  request.url.target = std::move(call.target);
  request.headers.Add("X-ClickHouse-User", options_.address.user);
  if (!options_.password.empty()) {
    request.headers.Add("X-ClickHouse-Key", options_.password.Reveal());
  }
  request.headers.Add("Content-Type", "application/octet-stream");
  request.body = std::move(call.body);
  request.timeout = call.timeout;
  request.answer_bytes_max = static_cast<size_t>(options_.answer_bytes_max);
  const auto pending = std::make_shared<Pending>();
  loop_.Spawn(Send(std::move(request), pending));
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [&] { return pending->answer || is_stopped_; });
  if (!pending->answer) return Fault(FaultCode::kSourceConnectionLost, "levada is being stopped");
  lock.unlock();
  return AnswerOf(*std::move(pending->answer));
}

Result<std::string> ClickhouseServer::AnswerOf(Result<net::ClientAnswer> answered) const {
  if (!answered.ok()) {
    return Fault(FaultCode::kSourceConnectionLost,
                 "the ClickHouse server does not answer: " + FaultOf(answered.status()).message());
  }
  if (answered->is_too_long) {
    return Fault(FaultCode::kQueryFailed, "the answer is too large")
        .With(std::string(db::chdb::kCodeDetail), kTooManyBytes);
  }
  if (answered->status == 200) return std::move(answered->body);
  db::chdb::EngineError error = db::chdb::ParseError(answered->body);
  std::string code = std::to_string(error.code);
  if (const auto named = answered->headers.Find(kErrorHeader)) code = *named;
  // What stands between may answer for it.
  if (code == "0") {
    return Fault(FaultCode::kSourceConnectionLost,
                 fmt::format("the ClickHouse server answers with HTTP status {} and no error of "
                             "its own",
                             answered->status));
  }
  if (error.message.size() > kSmallAnswerBytesMax) error.message.resize(kSmallAnswerBytesMax);
  return Fault(FaultCode::kQueryFailed, std::move(error.message))
      .With(std::string(db::chdb::kCodeDetail), code);
}

Result<std::string> ClickhouseServer::Simple(const std::string& sql) {
  return Ask({"/", sql, options_.check_max});
}

/// The database is ours from the first look on. Numbers of datasets are of one data directory, and
/// another's would mean other datasets.
Status ClickhouseServer::Own() {
  const std::string database = aesql::QuoteName(options_.address.database);
  const std::string table = database + "." + aesql::QuoteName(kOwnerTable);
  const std::string select = "SELECT DISTINCT `owner` FROM " + table + " FORMAT TabSeparated";
  for (const std::string& sql : {"CREATE DATABASE IF NOT EXISTS " + database,
                                 "CREATE TABLE IF NOT EXISTS " + table +
                                     " (`owner` String) ENGINE = MergeTree ORDER BY tuple()"}) {
    ARROW_RETURN_NOT_OK(Simple(sql).status());
  }
  ARROW_ASSIGN_OR_RAISE(std::string owner, Simple(select));
  if (owner.empty()) {
    const std::string own = aesql::QuoteText(options_.owner);
    ARROW_RETURN_NOT_OK(Simple("INSERT INTO " + table + " SELECT " + own).status());
    ARROW_ASSIGN_OR_RAISE(owner, Simple(select));
  }
  if (owner == options_.owner + "\n") return Status::OK();
  return NotOfUse(fmt::format("its database \"{}\" is of another data directory",
                              options_.address.database))
      .Help("name a database of its own for each data directory");
}

Status ClickhouseServer::Look() {
  const Result<std::string> told = Simple("SELECT version() FORMAT TabSeparated");
  if (!told.ok()) {
    return IsRefusal(told.status()) ? NotOfUse(FaultOf(told.status()).message()) : told.status();
  }
  const std::string said = told->substr(0, told->find('\n')).substr(0, 40);
  const auto version = ParseClickhouseVersion(*told);
  if (!version) return NotOfUse("it says that its version is \"" + said + "\"");
  if (*version < kOldestServer) {
    return NotOfUse(
               fmt::format("its version is {}, and what queries and tables need came with {}.{}",
                           said, kOldestServer.major, kOldestServer.minor))
        .Help("use a newer server, or leave analytics_engine out: then libchdb is the engine");
  }
  const Status owned = Own();
  if (!owned.ok()) {
    return IsRefusal(owned) ? NotOfUse(FaultOf(owned).message()) : owned;
  }
  log_.Info("analytics: a ClickHouse server is the engine",
            {{"server", options_.address.server.Origin()},
             {"database", options_.address.database},
             {"version", said}});
  return Status::OK();
}

Status ClickhouseServer::Check() {
  const std::lock_guard checking(check_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return Fault(FaultCode::kSourceConnectionLost, "levada is being stopped");
    if (is_ready_) return Status::OK();
  }
  if (looked_ && !last_look_.ok() && clock_.Steady() - *looked_ < options_.pause) return last_look_;
  last_look_ = Look();
  looked_ = clock_.Steady();
  const std::lock_guard lock(mutex_);
  is_ready_ = last_look_.ok() && !is_stopped_;
  if (is_ready_) ++counts_.starts;
  return last_look_;
}

ClickhouseServer::Call ClickhouseServer::CallOf(const Statement& statement) const {
  // Its status has to be known when the answer begins: an error behind it would look like rows.
  const std::string always = "wait_end_of_query=1&http_write_exception_in_output_format=0";
  if (statement.kind == StatementKind::kQuery) {
    return {
        fmt::format("/?{}&readonly=2&max_execution_time={}&max_memory_usage={}"
                    "&max_result_bytes={}&result_overflow_mode=throw&timeout_overflow_mode=throw",
                    always, options_.query_seconds_max, options_.query_bytes_max,
                    options_.answer_bytes_max),
        statement.sql, options_.query_max};
  }
  // One insert is one part, which is there or not.
  const std::string one_part =
      "&async_insert=0&insert_deduplicate=1&max_insert_block_size=1000000"
      "&min_insert_block_size_rows=1000000&min_insert_block_size_bytes=1073741824";
  if (statement.rows.empty()) return {"/?" + always, statement.sql, options_.change_max};
  return {"/?" + always + one_part + "&query=" + PercentEncoded(WithoutFile(statement.sql)),
          statement.rows, options_.change_max};
}

Result<std::string> ClickhouseServer::Run(const Statement& statement) {
  const Status checked = Check();
  Result<std::string> answer = checked.ok() ? Ask(CallOf(statement)) : Result<std::string>(checked);
  const std::lock_guard lock(mutex_);
  ++counts_.statements;
  if (answer.ok()) return answer;
  ++counts_.failures;
  // Another one may answer next.
  if (CodeOf(answer.status()) == FaultCode::kSourceConnectionLost) is_ready_ = false;
  return answer;
}

}  // namespace levada::services::analytics
