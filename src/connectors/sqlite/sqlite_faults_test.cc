#include "connectors/sqlite/sqlite_faults.h"

#include <cerrno>

#include "base/testing.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Error;
using db::sqlite::ErrorKind;
using testing::HasSubstr;

Fault Of(ErrorKind kind, int system_errno = 0, const std::string& message = "said so") {
  Error error;
  error.kind = kind;
  error.system_errno = system_errno;
  error.message = message;
  error.path = "shop.db";
  return SourceFault(error);
}

TEST(SourceFault, NamesTheFileAndWhatToDo) {
  const std::pair<Fault, FaultCode> kExpected[] = {
      {Of(ErrorKind::kBusy), FaultCode::kSourceBusy},
      {Of(ErrorKind::kReplaced), FaultCode::kSnapshotLost},
      {Of(ErrorKind::kHasLog), FaultCode::kSourceUnsupported},
      {Of(ErrorKind::kEncoding), FaultCode::kSourceUnsupported},
      {Of(ErrorKind::kCannotOpen, ENOENT), FaultCode::kDatabaseNotFound},
      {Of(ErrorKind::kCannotOpen, EACCES), FaultCode::kPermissionDenied},
      {Of(ErrorKind::kCannotOpen), FaultCode::kSourceUnsupported},
      {Of(ErrorKind::kNotADatabase), FaultCode::kSourceUnsupported},
      {Of(ErrorKind::kCorrupt), FaultCode::kSourceProtocol},
      {Of(ErrorKind::kReadOnly), FaultCode::kSourceUnsupported},
  };
  for (const auto& [fault, code] : kExpected) {
    EXPECT_EQ(fault.code(), code) << fault.message();
    EXPECT_THAT(fault.message(), HasSubstr("\"shop.db\""));
    EXPECT_FALSE(fault.help().empty()) << fault.message();
  }
  EXPECT_THAT(Of(ErrorKind::kCannotOpen).help(), HasSubstr("immutable: true"));
}

TEST(SourceFault, TellsWhatMayPassFromWhatDoesNot) {
  for (const ErrorKind kind : {ErrorKind::kBusy, ErrorKind::kReplaced, ErrorKind::kIo}) {
    EXPECT_TRUE(Of(kind).kind().retryable);
  }
  for (const ErrorKind kind : {ErrorKind::kCorrupt, ErrorKind::kHasLog, ErrorKind::kSql,
                               ErrorKind::kFull, ErrorKind::kTooLarge}) {
    EXPECT_FALSE(Of(kind).kind().retryable);
  }
  EXPECT_EQ(Of(ErrorKind::kSql, 0, "no such table: x").code(), FaultCode::kTableNotFound);
  EXPECT_EQ(Of(ErrorKind::kSql, 0, "no such column: x").code(), FaultCode::kColumnNotFound);
  EXPECT_EQ(Of(ErrorKind::kSql).code(), FaultCode::kQueryFailed);
  EXPECT_EQ(Of(ErrorKind::kPermission).code(), FaultCode::kPermissionDenied);
  EXPECT_EQ(Of(ErrorKind::kMemory).code(), FaultCode::kInternal);
}

}  // namespace
}  // namespace levada::sqlite
