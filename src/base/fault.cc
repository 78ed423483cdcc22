#include "base/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace levada {
namespace {

using enum FaultCode;

// kSomePartitionsFailed sums up other failures; its cause says whose fault the worst of them is.
constexpr auto kKinds = std::to_array<FaultKind>({
    {kYamlSyntax, "not yaml", Blame::kConfig, false, 10},
    {kUnknownKey, "unknown key", Blame::kConfig, false, 10},
    {kMissingKey, "missing key", Blame::kConfig, false, 10},
    {kWrongType, "wrong type", Blame::kConfig, false, 10},
    {kBadValue, "bad value", Blame::kConfig, false, 10},
    {kDuplicateKey, "duplicate key", Blame::kConfig, false, 10},
    {kUnknownKind, "unknown kind of stage", Blame::kConfig, false, 10},
    {kUnresolvedReference, "unresolved reference", Blame::kConfig, false, 10},
    {kImpossiblePlan, "impossible plan", Blame::kConfig, false, 10},
    {kBadWindow, "bad window", Blame::kConfig, false, 10},
    {kBadLayout, "bad layout", Blame::kConfig, false, 10},
    {kDuplicateColumn, "duplicate column", Blame::kConfig, false, 10},
    {kUnknownColumn, "unknown column", Blame::kConfig, false, 10},
    {kBadCast, "bad cast", Blame::kConfig, false, 10},
    {kPlanChanged, "published under another plan", Blame::kConfig, false, 10},
    {kUnsupportedType, "unsupported type", Blame::kConfig, false, 10},
    {kBadCommandLine, "bad command line", Blame::kConfig, false, 10},
    {kFileUnreadable, "file unreadable", Blame::kConfig, false, 10},
    {kPlanTooLarge, "plan too large", Blame::kConfig, false, 10},
    {kBadColumnName, "bad column name", Blame::kConfig, false, 10},
    {kBadExpression, "bad expression", Blame::kConfig, false, 10},
    {kNewerLayout, "data of a newer levada", Blame::kConfig, false, 10},
    {kAuthFailed, "authentication failed", Blame::kAuth, false, 11},
    {kPermissionDenied, "permission denied", Blame::kAuth, false, 11},
    {kTlsFailed, "tls failed", Blame::kAuth, false, 11},
    {kBudgetTooSmall, "memory budget too small", Blame::kCapacity, false, 12},
    {kRejectsTooMany, "too many rejected rows", Blame::kCapacity, false, 12},
    {kInterrupted, "interrupted", Blame::kSignal, false, 130},
    {kTerminated, "terminated", Blame::kSignal, false, 143},
    {kStopped, "stopped", Blame::kSignal, false, 130},
    {kSourceUnreachable, "source unreachable", Blame::kSource, true, 20},
    {kSourceConnectionLost, "connection to the source lost", Blame::kSource, true, 20},
    {kSourceTimeout, "source timed out", Blame::kSource, true, 20},
    {kSourceBusy, "source busy", Blame::kSource, true, 20},
    {kSnapshotLost, "snapshot lost", Blame::kSource, true, 20},
    {kTableNotFound, "table not found", Blame::kSource, false, 21},
    {kColumnNotFound, "column not found", Blame::kSource, false, 21},
    {kQueryFailed, "query failed", Blame::kSource, false, 21},
    {kSourceProtocol, "source broke its protocol", Blame::kSource, false, 21},
    {kDatabaseNotFound, "database not found", Blame::kSource, false, 21},
    {kSourceUnsupported, "source unsupported", Blame::kSource, false, 21},
    {kProgramFailed, "program failed", Blame::kSource, false, 21},
    {kSourceFileMalformed, "source file malformed", Blame::kSource, false, 21},
    {kSourceFileChanged, "source file changed", Blame::kSource, false, 21},
    {kSchemaDrift, "schema drift", Blame::kSchema, false, 30},
    {kNotMergeable, "schemas do not merge", Blame::kSchema, false, 30},
    {kCountMismatch, "row counts differ", Blame::kData, false, 31},
    {kReadbackMismatch, "files read back differ", Blame::kData, false, 31},
    {kValueRefused, "value refused", Blame::kData, false, 31},
    {kInvalidUtf8, "invalid utf-8", Blame::kData, false, 31},
    {kCastFailed, "cast failed", Blame::kData, false, 31},
    {kNullInWindow, "null in the window column", Blame::kData, false, 31},
    {kExpressionFailed, "expression failed", Blame::kData, false, 31},
    {kValidationFailed, "validation failed", Blame::kData, false, 31},
    {kRowCountRefused, "row count refused", Blame::kData, false, 31},
    {kTargetUnwritable, "target not writable", Blame::kTarget, false, 40},
    {kDiskFull, "disk full", Blame::kTarget, false, 40},
    {kForeignTarget, "target holds something else", Blame::kTarget, false, 40},
    {kManifestCorrupt, "manifest corrupt", Blame::kTarget, false, 40},
    {kFenced, "fenced by a newer run", Blame::kLease, false, 40},
    {kTargetFileMissing, "target file missing", Blame::kTarget, false, 40},
    {kTargetIo, "target i/o failed", Blame::kTarget, true, 40},
    {kStoreDamaged, "store damaged", Blame::kTarget, false, 40},
    {kTargetUnreachable, "target unreachable", Blame::kTarget, true, 40},
    {kTargetConnectionLost, "connection to the target lost", Blame::kTarget, true, 40},
    {kTargetBusy, "target busy", Blame::kTarget, true, 40},
    {kTargetUnsupported, "target unsupported", Blame::kTarget, false, 40},
    {kTargetRefused, "refused by the target", Blame::kTarget, false, 40},
    {kSomePartitionsFailed, "some partitions failed", Blame::kOurs, false, 50},
    {kInternal, "internal error", Blame::kOurs, false, 70},
    {kLedgerUnusable, "ledger unusable", Blame::kOurs, false, 70},
    {kFailpoint, "failpoint", Blame::kOurs, false, 70},
    {kLeaseHeld, "another run holds the lease", Blame::kLease, false, 75},
});

constexpr bool RowsAreConsistent() {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    const int number = static_cast<int>(kKinds[i].code);
    if (i > 0 && number <= static_cast<int>(kKinds[i - 1].code)) return false;
    if (number / 100 != 13 && kKinds[i].exit_status != number / 100) return false;
  }
  return true;
}
static_assert(RowsAreConsistent(), "rows ascend by code; the code's first digits are its exit");

const FaultKind* FindKind(int number) {
  const auto row = std::ranges::lower_bound(
      kKinds, number, {}, [](const FaultKind& kind) { return static_cast<int>(kind.code); });
  return row != kKinds.end() && static_cast<int>(row->code) == number ? &*row : nullptr;
}

constexpr char kDetailTypeId[] = "levada::Fault";

class FaultDetail final : public arrow::StatusDetail {
 public:
  explicit FaultDetail(Fault fault) : fault_(std::move(fault)) {}
  const char* type_id() const override { return kDetailTypeId; }
  std::string ToString() const override {
    std::string text(fault_.kind().title);
    for (const auto& [key, value] : fault_.details()) text += fmt::format(", {}={}", key, value);
    return text;
  }
  const Fault& fault() const { return fault_; }

 private:
  Fault fault_;
};

arrow::StatusCode StatusCodeOf(Blame blame) {
  switch (blame) {
    case Blame::kData:
    case Blame::kSchema:
    case Blame::kConfig:
      return arrow::StatusCode::Invalid;
    case Blame::kAuth:
    case Blame::kTarget:
    case Blame::kSource:
      return arrow::StatusCode::IOError;
    case Blame::kCapacity:
      return arrow::StatusCode::CapacityError;
    case Blame::kLease:
      return arrow::StatusCode::AlreadyExists;
    case Blame::kSignal:
      return arrow::StatusCode::Cancelled;
    case Blame::kOurs:
      return arrow::StatusCode::UnknownError;
  }
  return arrow::StatusCode::UnknownError;
}

/// What to do about a place of the target that the system refuses; empty where nothing is known.
std::string_view HelpFor(FaultCode code, int error_number) {
  if (code == kDiskFull) return "make room and run it again: it goes on where it stopped";
  if (code == kTargetFileMissing) {
    return "see whether something removes files there and whether its file system lets new ones be "
           "made, or choose another path";
  }
  if (code != kTargetUnwritable) return {};
  if (error_number == ENOTDIR) {
    return "a file stands where a directory is needed: move it away, or choose another path";
  }
  if (error_number == EROFS) return "the file system is read-only: choose another path";
  return "let this user write there, or choose another path";
}

std::string ErrnoName(int error_number) {
  const char* name = strerrorname_np(error_number);
  return name != nullptr ? name : std::to_string(error_number);
}

}  // namespace

std::span<const FaultKind> FaultKinds() { return kKinds; }

const FaultKind& KindOf(FaultCode code) {
  const FaultKind* kind = FindKind(static_cast<int>(code));
  if (kind == nullptr) {
    std::fprintf(stderr, "levada: fault code %d has no row in the table\n", static_cast<int>(code));
    std::abort();
  }
  return *kind;
}

std::string CodeName(FaultCode code) { return fmt::format("LV{:04}", static_cast<int>(code)); }

const FaultKind* FindFaultKind(std::string_view name) {
  if (name.starts_with("LV") || name.starts_with("lv")) name.remove_prefix(2);
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.size() != 4 || error != std::errc() || end != name.data() + name.size()) return nullptr;
  return FindKind(number);
}

Fault::Fault(FaultCode code, std::string message) : code_(code), message_(std::move(message)) {}

Fault& Fault::With(std::string key, std::string value) & {
  details_.emplace_back(std::move(key), std::move(value));
  return *this;
}
Fault&& Fault::With(std::string key, std::string value) && {
  return std::move(With(std::move(key), std::move(value)));
}

Fault& Fault::Help(std::string help) & {
  help_ = std::move(help);
  return *this;
}
Fault&& Fault::Help(std::string help) && { return std::move(Help(std::move(help))); }

Fault& Fault::Because(Status cause) & {
  cause_ = std::move(cause);
  return *this;
}
Fault&& Fault::Because(Status cause) && { return std::move(Because(std::move(cause))); }

Fault&& Fault::At(std::vector<Diagnostic> diagnostics) && {
  diagnostics_ = std::move(diagnostics);
  return std::move(*this);
}

std::string_view Fault::Detail(std::string_view key) const& {
  for (const auto& [name, value] : details_) {
    if (name == key) return value;
  }
  return {};
}

Status Fault::ToStatus() const {
  return Status(StatusCodeOf(kind().blame), CodeName(code_) + ": " + message_,
                std::make_shared<FaultDetail>(*this));
}

const Fault* AttachedFault(const Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  if (std::strcmp(status.detail()->type_id(), kDetailTypeId) != 0) return nullptr;
  return &static_cast<const FaultDetail&>(*status.detail()).fault();
}

Fault FaultOf(const Status& status) {
  if (const Fault* fault = AttachedFault(status)) return *fault;
  return Fault(CodeOf(status), status.message()).Because(status);
}

FaultCode CodeOf(const Status& status) {
  if (const Fault* fault = AttachedFault(status)) return fault->code();
  return status.IsCancelled() ? kStopped : kInternal;
}

bool IsRetryable(const Status& status) { return !status.ok() && KindOf(CodeOf(status)).retryable; }

int ExitStatusOf(const Status& status) {
  return status.ok() ? 0 : KindOf(CodeOf(status)).exit_status;
}

Status WithDetail(const Status& status, std::string key, std::string value) {
  if (status.ok()) return status;
  Fault fault = FaultOf(status);
  // Layers name what they know; two that know the same say it once.
  if (fault.Detail(key) != value) fault.With(std::move(key), std::move(value));
  return fault;
}

Fault ErrnoFault(FaultCode code, int error_number, std::string message) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  if (full && KindOf(code).blame == Blame::kTarget) code = kDiskFull;
  const char* description = strerrordesc_np(error_number);
  std::string cause = description != nullptr ? description : "unknown error";
  message += ": " + cause;
  Fault fault(code, std::move(message));
  fault.With("errno", ErrnoName(error_number))
      .Because(Status::IOError(cause, " (errno ", error_number, ")"));
  fault.Help(std::string(HelpFor(code, error_number)));
  return fault;
}

size_t MostImportant(std::span<const Status> failures) {
  const auto rank = [](const Status& status) {
    const int last = static_cast<int>(Blame::kOurs) + 1;
    if (status.ok()) return last + 1;
    const FaultCode code = CodeOf(status);
    return code == kStopped ? last : static_cast<int>(KindOf(code).blame);
  };
  const auto first = std::ranges::min_element(failures, {}, rank);
  return first == failures.end() ? 0 : static_cast<size_t>(first - failures.begin());
}

}  // namespace levada
