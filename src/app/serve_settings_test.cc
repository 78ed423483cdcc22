#include "app/serve_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/serve_options.h"
#include "base/testing.h"

namespace levada::app {
namespace {

class ServeSettingsTest : public testing::Test {
 protected:
  Result<ServeSettings> Read() {
    return ReadServeSettings(line_, *disk_,
                             std::make_shared<elt::Environment>(elt::ProcessEnvironment()));
  }
  CommandLine line_;
  const std::unique_ptr<os::Disk> disk_ = os::MakeSystemDisk();
};

TEST_F(ServeSettingsTest, DefaultsAreThoseOfTheParts) {
  const ServeSettings settings = ValueOf(Read());
  const DaemonOptions parts;
  const DaemonOptions& read = settings.daemon;
  EXPECT_EQ(read.host, parts.host);
  EXPECT_EQ(read.port, parts.port);
  EXPECT_EQ(read.metrics, parts.metrics);
  EXPECT_EQ(read.grace, parts.grace);
  EXPECT_EQ(read.requests.all, parts.requests.all);
  EXPECT_EQ(read.requests.slow, parts.requests.slow);
  EXPECT_EQ(read.limits.connections_max, parts.limits.connections_max);
  EXPECT_EQ(read.limits.header_bytes_max, parts.limits.header_bytes_max);
  EXPECT_EQ(read.limits.header_timeout, parts.limits.header_timeout);
  EXPECT_EQ(read.limits.idle_timeout, parts.limits.idle_timeout);
  EXPECT_EQ(read.limits.stall_timeout, parts.limits.stall_timeout);
  EXPECT_FALSE(read.tls || settings.log_level || settings.log_format);
}

TEST_F(ServeSettingsTest, AnAddressMayBeOfTheNewKind) {
  line_.listen = "[::1]:80";
  const ServeSettings settings = ValueOf(Read());
  EXPECT_EQ(settings.daemon.host, "::1");
  EXPECT_EQ(settings.daemon.port, 80);
}

TEST_F(ServeSettingsTest, RequestsThatAreAskedForAreSeen) {
  line_.log_requests = "all";
  EXPECT_EQ(ValueOf(Read()).log_level, LogLevel::kInfo);
  line_.quiet = true;
  EXPECT_EQ(ValueOf(Read()).log_level, std::nullopt);
  line_.log_level = LogLevel::kError;
  EXPECT_EQ(ValueOf(Read()).log_level, LogLevel::kError);
}

TEST_F(ServeSettingsTest, EveryOptionHasAFlagAndWords) {
  for (const ServeOption& option : ServeOptions()) {
    EXPECT_NE(option.text, nullptr);
    EXPECT_FALSE(option.value.empty() || option.spec.doc.empty()) << option.spec.name;
  }
  EXPECT_EQ(FlagOf("tls_key"), "tls-key");
}

}  // namespace
}  // namespace levada::app
