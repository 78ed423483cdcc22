#include "services/analytics/statement_runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string_view>
#include <system_error>

#include "formats/aesql/render.h"

namespace levada::services::analytics {
namespace {

// ClickHouse's number of an answer that is too large.
constexpr const char* kTooManyBytes = "396";
// Beside the engine's own, which has none of this name.
constexpr std::string_view kRowsName = "rows.bin";

std::string WithFile(std::string sql, const std::string& path) {
  const size_t at = sql.find(kRowsFile);
  if (at != std::string::npos) sql.replace(at, kRowsFile.size(), aesql::QuoteText(path));
  return sql;
}

Status PutRows(os::Disk& disk, const std::string& path, std::string_view rows) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Create(path));
  const auto* bytes = reinterpret_cast<const uint8_t*>(rows.data());
  ARROW_RETURN_NOT_OK(file->Append(std::span(bytes, rows.size())));
  return file->Close();
}

Fault Failed(const Status& status) {
  return Fault(FaultCode::kQueryFailed, FaultOf(status).message());
}

}  // namespace

Result<std::string> StatementRunner::Insert(db::chdb::Connection& connection,
                                            const Statement& statement) const {
  const std::string path = os::JoinPath(directory_, kRowsName);
  const Status put = PutRows(disk_, path, statement.rows);
  Result<std::string> answer =
      put.ok() ? connection.Run(WithFile(statement.sql, path)) : Result<std::string>(Failed(put));
  (void)disk_.Remove(path);  // the next one writes over what stays
  return answer;
}

Status StatementRunner::SyncAll() const {
  const int directory = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = directory >= 0 && syncfs(directory) == 0;
  const int error = errno;
  if (directory >= 0) close(directory);
  if (is_synced) return Status::OK();
  return Fault(FaultCode::kQueryFailed,
               "what was made is not durable: " + std::generic_category().message(error));
}

Result<std::string> StatementRunner::Run(db::chdb::Connection& connection,
                                         const Statement& statement) const {
  Result<std::string> answer =
      statement.rows.empty() ? connection.Run(statement.sql) : Insert(connection, statement);
  ARROW_RETURN_NOT_OK(answer.status());
  if (statement.kind == StatementKind::kCreate) ARROW_RETURN_NOT_OK(SyncAll());
  // The engine counts the values, and JSON may take six times as much.
  if (answer->size() > answer_bytes_max_) {
    return Fault(FaultCode::kQueryFailed, "the answer is too large")
        .With(std::string(db::chdb::kCodeDetail), kTooManyBytes);
  }
  return answer;
}

}  // namespace levada::services::analytics
