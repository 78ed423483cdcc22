#include "db/postgres/server_error.h"

#include <algorithm>
#include <array>

#include "base/text_columns.h"

namespace levada::pq {
namespace {

using enum FaultCode;

struct Row {
  std::string_view prefix;  // of the SQLSTATE: a class (2 characters) or one state (5)
  FaultCode code;
};

// Whole states before the class they belong to: the first match counts.
constexpr auto kRows = std::to_array<Row>({
    {"08P01", kSourceProtocol},
    {"08", kSourceConnectionLost},
    {"0A", kSourceUnsupported},
    {"22021", kInvalidUtf8},           // character_not_in_repertoire
    {"22P05", kInvalidUtf8},           // untranslatable_character
    {"25P03", kSourceConnectionLost},  // idle_in_transaction_session_timeout
    {"25P04", kSourceTimeout},         // transaction_timeout
    {"28", kAuthFailed},
    {"3D000", kDatabaseNotFound},
    {"3F000", kTableNotFound},
    {"40", kSourceBusy},  // serialization failure, deadlock, conflict with recovery
    {"42501", kPermissionDenied},
    {"42P01", kTableNotFound},
    {"42703", kColumnNotFound},
    {"53", kSourceBusy},        // out of connections, memory or disk
    {"55006", kSourceBusy},     // object_in_use
    {"55P03", kSourceBusy},     // lock_not_available
    {"57014", kSourceTimeout},  // query_canceled: the statement timeout, or an administrator
    {"57P01", kSourceConnectionLost},
    {"57P02", kSourceConnectionLost},
    {"57P03", kSourceBusy},  // cannot_connect_now
    {"57P04", kDatabaseNotFound},
    {"57P05", kSourceConnectionLost},
    {"72000", kSnapshotLost},
});

struct PoolerRow {
  std::string_view prefix;  // of the message
  FaultCode code;
  std::string_view help;
};

constexpr std::string_view kPoolHelp =
    "lower `connections` and `parallel: { partitions }`, or raise default_pool_size and "
    "max_client_conn of the pooler; and see that the server behind it is up";
constexpr std::string_view kBehindHelp = "the pooler does not reach its server: its log says why";
constexpr std::string_view kUsersHelp =
    "the pooler knows users of its own: check user, password (or ~/.pgpass) and its auth_file";
constexpr std::string_view kStartupHelp =
    "leave it out of the dsn and of PGOPTIONS, or name it in ignore_startup_parameters of the "
    "pooler";

// pgbouncer has one SQLSTATE, 08P01, for all that it says itself. Those that nobody can do anything
// about but try again would end the run otherwise.
// Source: disconnect_client() and disconnect_server() in pgbouncer 1.18's client.c, objects.c,
// janitor.c and server.c; a server's reason to go reaches its client too.
constexpr auto kPoolerRows = std::to_array<PoolerRow>({
    {"query_wait_timeout", kSourceBusy, kPoolHelp},
    {"no more connections allowed", kSourceBusy, kPoolHelp},
    {"client connections exceeded", kSourceBusy, kPoolHelp},
    {"bouncer resources exhaustion", kSourceBusy, {}},
    {"database \"", kSourceBusy, "the pooler's administrator has disabled it"},
    {"server login has been failing", kSourceUnreachable, kBehindHelp},
    {"pgbouncer cannot connect to server", kSourceUnreachable, kBehindHelp},
    {"client_login_timeout", kSourceUnreachable, kBehindHelp},
    {"server conn crashed?", kSourceConnectionLost, {}},
    {"server connection closed", kSourceConnectionLost, {}},
    {"database configuration changed", kSourceConnectionLost, {}},
    {"connect string changed", kSourceConnectionLost, {}},
    {"server shutting down", kSourceConnectionLost, {}},
    {"pooler is shutting down", kSourceConnectionLost, {}},
    {"idle transaction timeout", kSourceConnectionLost, {}},
    {"query timeout", kSourceTimeout, "raise the pooler's query_timeout, or read less at once"},
    {"no such database", kDatabaseNotFound, "the pooler knows those of its [databases] only"},
    {"no such user", kAuthFailed, kUsersHelp},
    {"password authentication failed", kAuthFailed, kUsersHelp},
    {"SASL authentication failed", kAuthFailed, kUsersHelp},
    {"\"trust\" authentication failed", kAuthFailed, kUsersHelp},
    {"certificate authentication failed", kAuthFailed, kUsersHelp},
    {"login rejected", kAuthFailed, kUsersHelp},
    {"SSL required", kTlsFailed, "add sslmode=require to the dsn"},
    {"unsupported startup parameter", kSourceUnsupported, kStartupHelp},
    {"unsupported options startup parameter", kSourceUnsupported, kStartupHelp},
    {"transaction blocks not allowed", kSourceUnsupported,
     "give the pooler pool_mode = transaction or session for this database"},
});

constexpr size_t kDetailBytesMax = 1024;

const PoolerRow* FindPoolerRow(const ServerError& error) {
  if (error.sqlstate != "08P01") return nullptr;
  const auto* row = std::find_if(
      kPoolerRows.begin(), kPoolerRows.end(),
      [&](const PoolerRow& candidate) { return error.message.starts_with(candidate.prefix); });
  return row == kPoolerRows.end() ? nullptr : row;
}

bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// A server whose database has no encoding repeats what lies in its tables.
std::string Utf8Of(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const size_t size = Utf8CharacterBytes(text);
    kept += size == 0 ? std::string_view("?") : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return kept;
}

void AddDetail(Fault& fault, std::string key, std::string_view value) {
  if (value.empty()) return;
  size_t size = std::min(value.size(), kDetailBytesMax);
  // Not inside a character.
  while (size < value.size() && size > 0 && Continues(value[size])) --size;
  fault.With(std::move(key), Utf8Of(value.substr(0, size)));
}

std::string_view HelpFor(std::string_view sqlstate) {
  if (sqlstate == "25006")
    return "a consumer only reads: the query runs in a read-only transaction";
  if (sqlstate == "57014") return "raise statement_timeout, or read less in one partition";
  if (sqlstate == "53300") return "lower `connections` or `parallel: { partitions }`";
  if (sqlstate == "42501") return "grant SELECT on it to this user";
  return {};
}

}  // namespace

FaultCode CodeOfSqlstate(std::string_view sqlstate) {
  if (sqlstate.empty()) return kSourceConnectionLost;
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) {
    return sqlstate.starts_with(candidate.prefix);
  });
  return row == kRows.end() ? kQueryFailed : row->code;
}

Fault FaultOf(const ServerError& error, std::string_view doing) {
  std::string message(doing);
  message += ": ";
  message += error.message.empty() ? "the server gave no reason" : Utf8Of(error.message);
  const PoolerRow* pooler = FindPoolerRow(error);
  Fault fault(pooler == nullptr ? CodeOfSqlstate(error.sqlstate) : pooler->code,
              std::move(message));
  AddDetail(fault, "sqlstate", error.sqlstate);
  AddDetail(fault, "server_detail", error.detail);
  AddDetail(fault, "server_hint", error.hint);
  AddDetail(fault, "server_context", error.where);
  AddDetail(fault, "server_table", error.table);
  AddDetail(fault, "server_column", error.column);
  AddDetail(fault, "server_constraint", error.constraint);
  const std::string_view help = pooler == nullptr ? HelpFor(error.sqlstate) : pooler->help;
  if (!help.empty()) fault.Help(std::string(help));
  return fault;
}

}  // namespace levada::pq
