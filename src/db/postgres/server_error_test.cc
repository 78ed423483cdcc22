#include "db/postgres/server_error.h"

#include <gtest/gtest.h>

namespace levada::pq {
namespace {

TEST(ServerErrorTest, MapsEverySqlstateThatHasACodeOfItsOwn) {
  const std::pair<const char*, FaultCode> cases[] = {
      {"28P01", FaultCode::kAuthFailed},           {"28000", FaultCode::kAuthFailed},
      {"42501", FaultCode::kPermissionDenied},     {"3D000", FaultCode::kDatabaseNotFound},
      {"42P01", FaultCode::kTableNotFound},        {"3F000", FaultCode::kTableNotFound},
      {"42703", FaultCode::kColumnNotFound},       {"53300", FaultCode::kSourceBusy},
      {"57P03", FaultCode::kSourceBusy},           {"55P03", FaultCode::kSourceBusy},
      {"40001", FaultCode::kSourceBusy},           {"57P01", FaultCode::kSourceConnectionLost},
      {"08006", FaultCode::kSourceConnectionLost}, {"08P01", FaultCode::kSourceProtocol},
      {"57014", FaultCode::kSourceTimeout},        {"22021", FaultCode::kInvalidUtf8},
      {"22P05", FaultCode::kInvalidUtf8},          {"72000", FaultCode::kSnapshotLost},
      {"0A000", FaultCode::kSourceUnsupported},    {"42601", FaultCode::kQueryFailed},
      {"22012", FaultCode::kQueryFailed},          {"", FaultCode::kSourceConnectionLost},
  };
  for (const auto& [state, code] : cases) EXPECT_EQ(CodeOfSqlstate(state), code) << state;
}

TEST(ServerErrorTest, TellsAPoolerFromABrokenProtocolByItsWords) {
  const std::pair<const char*, FaultCode> cases[] = {
      {"query_wait_timeout", FaultCode::kSourceBusy},
      {"no more connections allowed (max_client_conn)", FaultCode::kSourceBusy},
      {"server login has been failing, try again later (server_login_retry)",
       FaultCode::kSourceUnreachable},
      {"server conn crashed?", FaultCode::kSourceConnectionLost},
      {"query timeout", FaultCode::kSourceTimeout},
      {"no such database: shop", FaultCode::kDatabaseNotFound},
      {"SASL authentication failed", FaultCode::kAuthFailed},
      {"SSL required", FaultCode::kTlsFailed},
      {"unsupported startup parameter: options", FaultCode::kSourceUnsupported},
      {"transaction blocks not allowed in statement pooling mode", FaultCode::kSourceUnsupported},
      {"invalid message format", FaultCode::kSourceProtocol},
  };
  for (const auto& [message, code] : cases) {
    EXPECT_EQ(FaultOf({"FATAL", "08P01", message, "", "", ""}, "cannot connect").code(), code)
        << message;
  }
  // A server's own words.
  EXPECT_EQ(FaultOf({"ERROR", "42601", "no such database", "", "", ""}, "cannot read").code(),
            FaultCode::kQueryFailed);
}

TEST(ServerErrorTest, CarriesWhatTheServerSaid) {
  const Fault fault = FaultOf({"ERROR", "42P01", "relation \"t\" does not exist", "some detail",
                               "some hint", std::string(5000, 'x')},
                              "cannot describe \"t\"");
  EXPECT_EQ(fault.message(), "cannot describe \"t\": relation \"t\" does not exist");
  EXPECT_EQ(fault.Detail("sqlstate"), "42P01");
  EXPECT_EQ(fault.Detail("server_detail"), "some detail");
  EXPECT_EQ(fault.Detail("server_hint"), "some hint");
  EXPECT_EQ(fault.Detail("server_context").size(), 1024u);
}

TEST(ServerErrorTest, IsUtf8WhateverTheServerSends) {
  const Fault fault =
      FaultOf({"ERROR", "22012", "gr\xfc\xdf \xc3\xbc \xf0\x9f\x9c\x81 \xed\xa0\x80",
               std::string(1023, 'x') + "\xc3\xbc", "\xc3", ""},
              "cannot read");
  EXPECT_EQ(fault.message(), "cannot read: gr?? \xc3\xbc \xf0\x9f\x9c\x81 ???");
  EXPECT_EQ(fault.Detail("server_detail"), std::string(1023, 'x'));
  EXPECT_EQ(fault.Detail("server_hint"), "?");
}

TEST(ServerErrorTest, LeavesOutWhatTheServerDidNotSay) {
  const Fault fault = FaultOf({"ERROR", "XX000", "", "", "", ""}, "cannot read");
  EXPECT_EQ(fault.code(), FaultCode::kQueryFailed);
  EXPECT_EQ(fault.message(), "cannot read: the server gave no reason");
  EXPECT_EQ(fault.details().size(), 1u);
}

}  // namespace
}  // namespace levada::pq
