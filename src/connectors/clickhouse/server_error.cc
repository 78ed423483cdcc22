#include "connectors/clickhouse/server_error.h"

#include <algorithm>
#include <charconv>

#include "base/text_columns.h"

namespace levada::clickhouse {
namespace {

struct Meaning {
  int code;
  FaultCode fault;
  const char* help;
};

constexpr const char* kCredentials =
    "check user and password in dsn:, clickhouse://user:password@host";
constexpr const char* kGrant = "ask for a GRANT SELECT, or read as another user";
constexpr const char* kLater = "the server has too much to do; levada tries again";
constexpr const char* kLimit =
    "a limit of the user's profile: raise it under settings:, or read in partitions";

// Numbers of ClickHouse's ErrorCodes.
constexpr Meaning kMeanings[] = {
    {10, FaultCode::kColumnNotFound, ""},
    {16, FaultCode::kColumnNotFound, ""},
    {47, FaultCode::kColumnNotFound, "check the names of columns"},
    {kUnknownTable, FaultCode::kTableNotFound,
     "check the name, as database.table where it is in another database"},
    {kUnknownDatabase, FaultCode::kDatabaseNotFound, "check the database in dsn:"},
    {159, FaultCode::kSourceTimeout,
     "raise max_execution_time under settings:, or read in partitions"},
    {209, FaultCode::kSourceTimeout, ""},
    {160, FaultCode::kSourceTimeout, "raise max_execution_time under settings:"},
    {158, FaultCode::kQueryFailed, kLimit},
    {307, FaultCode::kQueryFailed, kLimit},
    {396, FaultCode::kQueryFailed, kLimit},
    {kReadOnly, FaultCode::kPermissionDenied,
     "a user who may change settings (readonly = 2) is enough"},
    {192, FaultCode::kAuthFailed, kCredentials},
    {193, FaultCode::kAuthFailed, kCredentials},
    {194, FaultCode::kAuthFailed, kCredentials},
    {195, FaultCode::kAuthFailed, "the user may not connect from here"},
    {516, FaultCode::kAuthFailed, kCredentials},
    {291, FaultCode::kPermissionDenied, kGrant},
    {497, FaultCode::kPermissionDenied, kGrant},
    {202, FaultCode::kSourceBusy, kLater},
    {203, FaultCode::kSourceBusy, kLater},
    {241, FaultCode::kSourceBusy,
     "it had no memory left; have it read less at once: threads: 1, or partitions"},
    {242, FaultCode::kSourceBusy, ""},
    {319, FaultCode::kSourceBusy, ""},
    {999, FaultCode::kSourceBusy, ""},
    {210, FaultCode::kSourceConnectionLost, ""},
    {236, FaultCode::kSourceConnectionLost, ""},
    {279, FaultCode::kSourceConnectionLost, ""},
};

constexpr size_t kShownMax = 1000;

/// Its first line without what every one begins with.
std::string Words(const ServerException& exception) {
  std::string_view text = exception.message;
  for (const std::string_view lead :
       {std::string_view(exception.name), std::string_view("DB::Exception")}) {
    if (!lead.empty() && text.starts_with(lead)) text.remove_prefix(lead.size());
    if (text.starts_with(": ")) text.remove_prefix(2);
  }
  text = text.substr(0, text.find('\n'));
  const size_t stack = text.find("Stack trace");
  std::string shown = ShownText(text.substr(0, std::min(stack, kShownMax)));
  while (!shown.empty() && std::string_view(" .,").find(shown.back()) != std::string_view::npos) {
    shown.pop_back();
  }
  return shown;
}

}  // namespace

Fault FaultOfException(const std::string& doing, const ServerException& exception) {
  FaultCode code = FaultCode::kQueryFailed;
  std::string help;
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != exception.code) continue;
    code = meaning.fault;
    help = meaning.help;
  }
  Fault fault(code, doing + ": " + Words(exception));
  fault.With("clickhouse_code", std::to_string(exception.code));
  if (!help.empty()) fault.Help(std::move(help));
  return fault;
}

int ClickHouseCodeOf(const Status& status) {
  const Fault* fault = status.ok() ? nullptr : AttachedFault(status);
  if (fault == nullptr) return 0;
  const std::string_view text = fault->Detail("clickhouse_code");
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

}  // namespace levada::clickhouse
