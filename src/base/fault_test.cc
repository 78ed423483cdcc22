#include "base/fault.h"

#include <cerrno>
#include <set>

#include "base/testing.h"

namespace levada {
namespace {

using testing::HasSubstr;

Fault Example() {
  return Fault(FaultCode::kTableNotFound, "table \"t\" does not exist")
      .With("sqlstate", "42P01")
      .Help("did you mean \"u\"?")
      .Because(Status::IOError("server said so"));
}

TEST(Fault, EveryCodeHasARowWithATitleAndItsExitStatus) {
  std::set<std::string_view> titles;
  for (const FaultKind& kind : FaultKinds()) {
    EXPECT_EQ(&KindOf(kind.code), &kind);
    EXPECT_FALSE(kind.title.empty());
    EXPECT_TRUE(titles.insert(kind.title).second) << "twice: " << kind.title;
    const int number = static_cast<int>(kind.code);
    if (number / 100 == 13) continue;
    EXPECT_EQ(kind.exit_status, number / 100) << kind.title;
  }
  EXPECT_EQ(KindOf(FaultCode::kInterrupted).exit_status, 130);
  EXPECT_EQ(KindOf(FaultCode::kTerminated).exit_status, 143);
}

TEST(Fault, OnlyWhatMayPassIsRetryable) {
  const std::set<FaultCode> of_targets = {FaultCode::kTargetIo, FaultCode::kTargetUnreachable,
                                          FaultCode::kTargetConnectionLost, FaultCode::kTargetBusy};
  for (const FaultKind& kind : FaultKinds()) {
    const bool transient = kind.exit_status == 20 || of_targets.contains(kind.code);
    EXPECT_EQ(kind.retryable, transient) << kind.title;
  }
}

TEST(Fault, NamesOfCodesAreFoundAgain) {
  for (const FaultKind& kind : FaultKinds()) {
    EXPECT_EQ(FindFaultKind(CodeName(kind.code)), &kind);
  }
  EXPECT_EQ(CodeName(FaultCode::kUnknownKey), "LV1002");
  EXPECT_EQ(FindFaultKind("lv1002"), &KindOf(FaultCode::kUnknownKey));
  EXPECT_EQ(FindFaultKind("1002"), &KindOf(FaultCode::kUnknownKey));
  for (const char* wrong : {"", "LV", "LV9999", "1002x", "01002", "LV-002", "+1002", "lV1002"}) {
    EXPECT_EQ(FindFaultKind(wrong), nullptr) << wrong;
  }
}

TEST(FaultDeathTest, ACodeWithoutARowAborts) {
  EXPECT_DEATH(KindOf(static_cast<FaultCode>(9999)), "9999");
}

TEST(Fault, TravelsThroughStatusWithEverythingItHolds) {
  const Status status = Example();
  const Fault back = FaultOf(status);
  EXPECT_EQ(back.code(), FaultCode::kTableNotFound);
  EXPECT_EQ(back.message(), "table \"t\" does not exist");
  EXPECT_EQ(back.Detail("sqlstate"), "42P01");
  EXPECT_EQ(back.Detail("absent"), "");
  EXPECT_EQ(back.help(), "did you mean \"u\"?");
  EXPECT_EQ(back.cause(), Status::IOError("server said so"));
  EXPECT_FALSE(IsRetryable(status));
  EXPECT_EQ(ExitStatusOf(status), 21);
}

TEST(Fault, TravelsThroughResult) {
  const Result<int> result = Example();
  EXPECT_EQ(CodeOf(result.status()), FaultCode::kTableNotFound);
}

TEST(Fault, AddsDetailsToANamedFaultToo) {
  Fault fault(FaultCode::kCastFailed, "x");
  fault.With("row", "41").Help("h").Because(Status::Invalid("y"));
  EXPECT_EQ(fault.Detail("row"), "41");
  EXPECT_EQ(fault.help(), "h");
  EXPECT_FALSE(fault.cause().ok());
}

TEST(Fault, ARawStatusStillSaysTheCodeAndTheDetails) {
  const Status status = Example();
  EXPECT_EQ(status.message(), "LV2101: table \"t\" does not exist");
  EXPECT_STREQ(status.detail()->type_id(), "levada::Fault");
  EXPECT_THAT(status.ToString(), HasSubstr("sqlstate=42P01"));
}

TEST(Fault, ThePassageThroughArrowKeepsIt) {
  const Status wrapped = Status(Example()).WithMessage("while reading: something");
  EXPECT_EQ(CodeOf(wrapped), FaultCode::kTableNotFound);
}

TEST(Fault, StatusCodesFollowTheBlame) {
  const auto code = [](FaultCode of) { return Fault(of, "x").ToStatus().code(); };
  EXPECT_EQ(code(FaultCode::kBadValue), arrow::StatusCode::Invalid);
  EXPECT_EQ(code(FaultCode::kSchemaDrift), arrow::StatusCode::Invalid);
  EXPECT_EQ(code(FaultCode::kCastFailed), arrow::StatusCode::Invalid);
  EXPECT_EQ(code(FaultCode::kAuthFailed), arrow::StatusCode::IOError);
  EXPECT_EQ(code(FaultCode::kSourceBusy), arrow::StatusCode::IOError);
  EXPECT_EQ(code(FaultCode::kDiskFull), arrow::StatusCode::IOError);
  EXPECT_EQ(code(FaultCode::kBudgetTooSmall), arrow::StatusCode::CapacityError);
  EXPECT_EQ(code(FaultCode::kLeaseHeld), arrow::StatusCode::AlreadyExists);
  EXPECT_EQ(code(FaultCode::kStopped), arrow::StatusCode::Cancelled);
  EXPECT_EQ(code(FaultCode::kInternal), arrow::StatusCode::UnknownError);
}

TEST(Fault, ArrowsOwnErrorsAreOursWithTheStatusAsCause) {
  const Status arrows = Status::OutOfMemory("malloc of size 64 failed");
  const Fault fault = FaultOf(arrows);
  EXPECT_EQ(fault.code(), FaultCode::kInternal);
  EXPECT_EQ(fault.message(), "malloc of size 64 failed");
  EXPECT_EQ(fault.cause(), arrows);
  EXPECT_EQ(ExitStatusOf(arrows), 70);
  EXPECT_FALSE(IsRetryable(arrows));
}

TEST(Fault, ArrowsCancellationIsAStop) {
  EXPECT_EQ(CodeOf(Status::Cancelled("x")), FaultCode::kStopped);
  EXPECT_EQ(FaultOf(Status::Cancelled("x")).code(), FaultCode::kStopped);
}

TEST(Fault, SuccessExitsWithZeroAndIsNotRetried) {
  EXPECT_EQ(ExitStatusOf(Status::OK()), 0);
  EXPECT_FALSE(IsRetryable(Status::OK()));
  EXPECT_TRUE(IsRetryable(Fault(FaultCode::kSourceBusy, "x")));
}

class ForeignDetail final : public arrow::StatusDetail {
 public:
  const char* type_id() const override { return "somebody::Else"; }
  std::string ToString() const override { return "else"; }
};

TEST(Fault, ADetailOfSomebodyElseIsNotTakenForAFault) {
  const Status status(arrow::StatusCode::IOError, "x", std::make_shared<ForeignDetail>());
  EXPECT_EQ(CodeOf(status), FaultCode::kInternal);
  EXPECT_EQ(FaultOf(status).cause(), status);
}

TEST(WithDetail, AddsToAFaultAndWrapsWhatIsNone) {
  const Status added = WithDetail(Example(), "partition", "p3");
  EXPECT_EQ(FaultOf(added).Detail("partition"), "p3");
  EXPECT_EQ(FaultOf(added).Detail("sqlstate"), "42P01");
  EXPECT_EQ(FaultOf(added).help(), "did you mean \"u\"?");

  const Status wrapped = WithDetail(Status::Invalid("bad page"), "path", "a.parquet");
  EXPECT_EQ(CodeOf(wrapped), FaultCode::kInternal);
  EXPECT_EQ(FaultOf(wrapped).Detail("path"), "a.parquet");
  EXPECT_EQ(FaultOf(wrapped).cause(), Status::Invalid("bad page"));

  EXPECT_TRUE(WithDetail(Status::OK(), "path", "x").ok());
}

TEST(ErrnoFault, NamesTheErrnoAndKeepsItsText) {
  const Fault fault = ErrnoFault(FaultCode::kTargetIo, EIO, "cannot write \"x\"");
  EXPECT_EQ(fault.code(), FaultCode::kTargetIo);
  EXPECT_EQ(fault.message(), "cannot write \"x\": Input/output error");
  EXPECT_EQ(fault.Detail("errno"), "EIO");
  EXPECT_THAT(fault.cause().message(), HasSubstr("errno 5"));
}

TEST(ErrnoFault, AFullDiskIsOneOnlyAtTheTarget) {
  EXPECT_EQ(ErrnoFault(FaultCode::kTargetIo, ENOSPC, "x").code(), FaultCode::kDiskFull);
  EXPECT_EQ(ErrnoFault(FaultCode::kTargetUnwritable, EDQUOT, "x").code(), FaultCode::kDiskFull);
  EXPECT_EQ(ErrnoFault(FaultCode::kLedgerUnusable, ENOSPC, "x").code(), FaultCode::kLedgerUnusable);
}

TEST(ErrnoFault, SaysWhatToDoAboutAPlaceThatCannotBeWritten) {
  const auto help = [](FaultCode code, int number) { return ErrnoFault(code, number, "x").help(); };
  EXPECT_THAT(help(FaultCode::kTargetUnwritable, EACCES), HasSubstr("let this user write"));
  EXPECT_THAT(help(FaultCode::kTargetUnwritable, EROFS), HasSubstr("read-only"));
  EXPECT_THAT(help(FaultCode::kTargetUnwritable, ENOTDIR), HasSubstr("a directory is needed"));
  EXPECT_THAT(help(FaultCode::kTargetFileMissing, ENOENT), HasSubstr("another path"));
  EXPECT_THAT(help(FaultCode::kTargetIo, ENOSPC), HasSubstr("make room"));
  EXPECT_EQ(help(FaultCode::kTargetIo, EIO), "");
}

TEST(ErrnoFault, AnUnknownNumberIsPrintedAsOne) {
  EXPECT_EQ(ErrnoFault(FaultCode::kInternal, 99999, "x").Detail("errno"), "99999");
}

TEST(MostImportant, DataComesBeforeConfigBeforeTargetBeforeSource) {
  const Status data = Fault(FaultCode::kCountMismatch, "");
  const Status schema = Fault(FaultCode::kSchemaDrift, "");
  const Status config = Fault(FaultCode::kBadValue, "");
  const Status target = Fault(FaultCode::kDiskFull, "");
  const Status source = Fault(FaultCode::kSourceBusy, "");
  EXPECT_EQ(MostImportant(std::vector{source, target, config, schema, data}), 4u);
  EXPECT_EQ(MostImportant(std::vector{source, target, config, schema}), 3u);
  EXPECT_EQ(MostImportant(std::vector{source, target, config}), 2u);
  EXPECT_EQ(MostImportant(std::vector{source, target}), 1u);
}

TEST(MostImportant, TheFirstOfEqualsWinsAndACancelledSiblingNever) {
  const Status stopped = Fault(FaultCode::kStopped, "");
  const Status ours = Status::Invalid("x");
  const Status busy = Fault(FaultCode::kSourceBusy, "");
  const Status lost = Fault(FaultCode::kSourceConnectionLost, "");
  EXPECT_EQ(MostImportant(std::vector{stopped, lost, busy}), 1u);
  EXPECT_EQ(MostImportant(std::vector{stopped, ours}), 1u);
  EXPECT_EQ(MostImportant(std::vector{Status::OK(), stopped}), 1u);
  EXPECT_EQ(MostImportant(std::vector<Status>{}), 0u);
}

}  // namespace
}  // namespace levada
