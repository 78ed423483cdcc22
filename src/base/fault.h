#pragma once
// Fault: what went wrong, in a form that a person, a script and the runner can each act on.
//
// Every fallible function of levada returns arrow::Status or arrow::Result. A Fault is the one
// StatusDetail we attach: a stable code (`LV2001`), and through the code's row in the table of
// fault.cc whose fault it is, whether trying again can help, and the exit status of the process.
// Arrow's own errors travel inside as `cause`, so nothing is lost. It is not a log line: whoever
// stops an error renders it once (diagnostic.h).

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"

namespace levada {

using arrow::Result;
using arrow::Status;

/// Whose fault it is; also the order in which one of several failures decides the exit status (data
/// first).
enum class Blame : uint8_t {
  kData,
  kSchema,
  kConfig,
  kAuth,
  kCapacity,
  kTarget,
  kSource,
  kLease,
  kSignal,
  kOurs
};

/// Stable numbers: printed as `LV1002`, each with a page in docs/errors. Never reuse one.
/// The first two digits are the exit status, except 13xx (signals: 130 and 143).
enum class FaultCode : uint16_t {
  // 10: the configuration
  kYamlSyntax = 1001,           ///< not YAML
  kUnknownKey = 1002,           ///< a key no option spec knows
  kMissingKey = 1003,           ///< a required key is absent
  kWrongType = 1004,            ///< a list where text belongs, and the like
  kBadValue = 1005,             ///< right type, impossible value
  kDuplicateKey = 1006,         ///< the same key twice in one map
  kUnknownKind = 1007,          ///< no consumer, transformer or loader of this name
  kUnresolvedReference = 1008,  ///< ${env:X} is not set, ${file:X} cannot be read
  kImpossiblePlan = 1009,       ///< each part is valid, together they cannot work
  kBadWindow = 1010,            ///< run: every, start, end, timezone do not make windows
  kBadLayout = 1011,            ///< a path template that cannot be expanded
  kDuplicateColumn = 1012,      ///< two columns of one name (case-insensitively)
  kUnknownColumn = 1013,        ///< a stage names a column that does not reach it
  kBadCast = 1014,              ///< no conversion between the two types
  kPlanChanged = 1015,          ///< published under another plan, and no --replace
  kUnsupportedType = 1016,      ///< a source column of a type we do not read
  kBadCommandLine = 1017,       ///< arguments that make no sense together
  kFileUnreadable = 1018,       ///< the pipeline file cannot be read
  kPlanTooLarge = 1019,         ///< file size, nesting or list length over the limit
  kBadColumnName = 1020,        ///< a name the profile's reader refuses
  kBadExpression = 1021,        ///< an expression that is none, or whose types do not fit
  kNewerLayout = 1022,          ///< a data directory of a levada that we are older than
  // 11: authentication and permission
  kAuthFailed = 1101,
  kPermissionDenied = 1102,
  kTlsFailed = 1103,
  // 12: capacity
  kBudgetTooSmall = 1201,  ///< --memory is below the minimum of this plan
  kRejectsTooMany = 1202,  ///< more quarantined rows than the bound
  // 13: signals
  kInterrupted = 1301,  ///< SIGINT, exit 130
  kTerminated = 1302,   ///< SIGTERM, exit 143
  kStopped = 1303,  ///< a sibling failed and this attempt was cancelled; never the reported cause
  // 20: the source, for now
  kSourceUnreachable = 2001,
  kSourceConnectionLost = 2002,
  kSourceTimeout = 2003,
  kSourceBusy =
      2004,  ///< too many connections, lock not available, starting up, serialization failure
  kSnapshotLost = 2005,  ///< the exported snapshot is gone
  // 21: the source, for good
  kTableNotFound = 2101,
  kColumnNotFound = 2102,
  kQueryFailed = 2103,
  kSourceProtocol = 2104,  ///< bytes that are not what the protocol promises
  kDatabaseNotFound = 2105,
  kSourceUnsupported = 2106,    ///< this server or object cannot do what the plan needs
  kProgramFailed = 2107,        ///< the program of an exec stage ended with an error of its own
  kSourceFileMalformed = 2108,  ///< a file that is not of the format it is read as, or is damaged
  kSourceFileChanged = 2109,    ///< a file that the run was split with is another one, or gone
  // 30: schema
  kSchemaDrift = 3001,   ///< the live schema is not the one the run was split with
  kNotMergeable = 3002,  ///< a schema that a reader cannot merge with the one that is there
  // 31: data
  kCountMismatch = 3101,     ///< verify: count
  kReadbackMismatch = 3102,  ///< verify: readback
  kValueRefused = 3103,      ///< NaN, infinity, out of range: the policy says error
  kInvalidUtf8 = 3104,
  kCastFailed = 3105,        ///< a value that does not convert, on_error: fail
  kNullInWindow = 3106,      ///< NULL in the window column, null: error
  kExpressionFailed = 3107,  ///< an expression without a value for a row, on_error: fail
  kValidationFailed = 3108,  ///< a row that breaks a rule of validate, on_error: fail
  kRowCountRefused = 3109,   ///< validate: rows does not allow so many or so few
  // 40: the target
  kTargetUnwritable = 4001,
  kDiskFull = 4002,
  kForeignTarget = 4003,    ///< written by something else
  kManifestCorrupt = 4004,  ///< a manifest, split or partition record that cannot be understood
  kFenced = 4005,           ///< a newer generation holds the run
  kTargetFileMissing = 4006,
  kTargetIo = 4007,
  kStoreDamaged = 4008,  ///< a store of the data services has bytes that are not what was written
  kTargetUnreachable = 4009,
  kTargetConnectionLost = 4010,
  kTargetBusy = 4011,         ///< locks, too many connections, starting up, asks to slow down
  kTargetUnsupported = 4012,  ///< this server or store cannot do what the plan needs
  kTargetRefused = 4013,      ///< a statement or rows that the target says no to: a constraint
  // 50
  kSomePartitionsFailed = 5001,
  // 70: ours
  kInternal = 7001,
  kLedgerUnusable = 7002,
  kFailpoint = 7003,  ///< injected by a test
  // 75
  kLeaseHeld = 7501,  ///< another process runs this RunInstance
};

/// One row of the table in fault.cc.
struct FaultKind {
  FaultCode code;
  std::string_view title;  ///< a few words, lower case: "unknown key"
  Blame blame;
  bool retryable;
  int exit_status;
};

/// The table, ordered by code. Immutable.
std::span<const FaultKind> FaultKinds();
const FaultKind& KindOf(FaultCode code);
/// "LV1002"
std::string CodeName(FaultCode code);
/// The inverse of CodeName; also accepts "lv1002" and "1002". nullptr when there is none.
const FaultKind* FindFaultKind(std::string_view name);

/// The StatusDetail. Build one with the fluent calls and let it convert to Status or Result:
///
///     return Fault(FaultCode::kTableNotFound, "table \"public.orders\" does not exist")
///         .With("sqlstate", "42P01").Help("did you mean \"public.order\"?");
///
/// Message: lower case, subject first, expected then got, values last and quoted. No secrets.
class Fault {
 public:
  Fault(FaultCode code, std::string message);

  /// A key-value detail: sqlstate, column, row, partition, path, byte_offset ...
  Fault&& With(std::string key, std::string value) &&;
  Fault& With(std::string key, std::string value) &;
  /// What the user can do about it, one sentence.
  Fault&& Help(std::string help) &&;
  Fault& Help(std::string help) &;
  /// The error underneath (errno, Arrow, libpq).
  Fault&& Because(Status cause) &&;
  Fault& Because(Status cause) &;
  /// Places in a pipeline file; each is rendered with its lines and a caret.
  Fault&& At(std::vector<Diagnostic> diagnostics) &&;

  FaultCode code() const { return code_; }
  const FaultKind& kind() const { return KindOf(code_); }
  const std::string& message() const { return message_; }
  const std::string& help() const { return help_; }
  const std::vector<std::pair<std::string, std::string>>& details() const { return details_; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  const Status& cause() const { return cause_; }

  /// The value of a detail, empty when absent.
  std::string_view Detail(std::string_view key) const&;
  std::string Detail(std::string_view key) && {
    return std::string(std::as_const(*this).Detail(key));
  }

  Status ToStatus() const;
  operator Status() const { return ToStatus(); }  // NOLINT: returning a Fault is the point
  template <typename T>
  operator Result<T>() const {  // NOLINT
    return ToStatus();
  }

 private:
  FaultCode code_;
  std::string message_;
  std::string help_;
  std::vector<std::pair<std::string, std::string>> details_;
  std::vector<Diagnostic> diagnostics_;
  Status cause_;
};

/// The Fault inside `status`; a Status of Arrow's own becomes LV7001 (or kStopped when it is
/// Cancelled) with the Status as cause. Precondition: !status.ok().
Fault FaultOf(const Status& status);
/// The Fault attached to `status` and as long-lived as it; nullptr for OK and for Arrow's own
/// errors.
const Fault* AttachedFault(const Status& status);
FaultCode CodeOf(const Status& status);
bool IsRetryable(const Status& status);
/// 0 for OK.
int ExitStatusOf(const Status& status);

/// The same failure with one more detail, e.g. the partition it happened in.
Status WithDetail(const Status& status, std::string key, std::string value);

/// A Fault of `code` from the current errno value, e.g. ErrnoFault(kTargetIo, errno, "cannot write
/// \"x\""). ENOSPC and EDQUOT become kDiskFull when `code` is of the target.
Fault ErrnoFault(FaultCode code, int error_number, std::string message);

/// Of several failures the one that names the exit status: data, schema, config/auth, target,
/// source (docs/decisions/0006). Index into `failures`; 0 when there is one.
size_t MostImportant(std::span<const Status> failures);

}  // namespace levada
