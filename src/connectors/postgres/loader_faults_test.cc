#include "connectors/postgres/loader_faults.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "db/postgres/server_error.h"

namespace levada::postgres {
namespace {

const TableName kTable{"public", "orders"};

Status Said(const std::string& state) {
  pq::ServerError error;
  error.sqlstate = state;
  error.message = "no";
  error.detail = "Key (id)=(5) already exists.";
  error.column = "id";
  error.constraint = "orders_pkey";
  return OfTarget(pq::FaultOf(error, "cannot write to public.orders"), kTable);
}

TEST(LoaderFaults, HaveTheCodesOfTargets) {
  using enum FaultCode;
  const std::vector<std::pair<std::string, FaultCode>> table = {
      {"08006", kTargetConnectionLost}, {"0A000", kTargetUnsupported},
      {"21000", kTargetRefused},        {"22P02", kValueRefused},
      {"22003", kValueRefused},         {"23502", kTargetRefused},
      {"23505", kTargetRefused},        {"23514", kTargetRefused},
      {"25006", kTargetUnwritable},     {"28P01", kAuthFailed},
      {"3D000", kTargetRefused},        {"40001", kTargetBusy},
      {"40P01", kTargetBusy},           {"42501", kPermissionDenied},
      {"42703", kTargetRefused},        {"53100", kDiskFull},
      {"53300", kTargetBusy},           {"55P03", kTargetBusy},
      {"57014", kTargetBusy},           {"57P01", kTargetConnectionLost},
      {"57P03", kTargetBusy},           {"XX000", kTargetRefused},
  };
  for (const auto& [state, code] : table) {
    EXPECT_EQ(CodeOf(Said(state)), code) << state;
    EXPECT_EQ(FaultOf(Said(state)).Detail("table"), "public.orders") << state;
  }
}

TEST(LoaderFaults, NameAConstraintAndShowNoRow) {
  const Fault fault = FaultOf(Said("23505"));
  EXPECT_EQ(fault.Detail("constraint"), "orders_pkey");
  EXPECT_EQ(fault.Detail("column"), "id");
  EXPECT_EQ(fault.Detail("server_detail"), "");
  EXPECT_FALSE(fault.help().empty());
}

TEST(LoaderFaults, LeaveWhatIsNoAnswerOfAServer) {
  const Status stopped = Fault(FaultCode::kStopped, "stopped");
  EXPECT_THAT(OfTarget(stopped, kTable), FailsWith(FaultCode::kStopped));
  EXPECT_THAT(OfTarget(Fault(FaultCode::kFenced, "late"), kTable), FailsWith(FaultCode::kFenced));
  EXPECT_THAT(OfTarget(Status::OK(), kTable), IsOk());
  EXPECT_THAT(OfTarget(Fault(FaultCode::kSourceConnectionLost, "gone"), kTable),
              FailsWith(FaultCode::kTargetConnectionLost));
  EXPECT_THAT(OfTarget(Fault(FaultCode::kSourceUnreachable, "nobody"), kTable),
              FailsWith(FaultCode::kTargetUnreachable));
}

}  // namespace
}  // namespace levada::postgres
