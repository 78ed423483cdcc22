#include "formats/otlp/sdk_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace levada::otlp {
namespace {

using std::chrono::milliseconds;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

SdkEnvironment Read(const std::map<std::string, std::string>& variables) {
  return ReadSdkEnvironment([&](const std::string& name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  });
}

/// With an endpoint, and these.
SdkEnvironment ReadWith(std::map<std::string, std::string> variables) {
  variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
  return Read(variables);
}

TEST(SdkEnvironment, WithoutAnEndpointNothingIsExportedAndNothingIsSaid) {
  for (const auto& variables : std::vector<std::map<std::string, std::string>>{
           {},
           {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}},
           {{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}, {"OTEL_METRIC_EXPORT_INTERVAL", "soon"}}}) {
    const SdkEnvironment environment = Read(variables);
    EXPECT_FALSE(environment.metrics);
    EXPECT_THAT(environment.warnings, IsEmpty());
  }
}

TEST(SdkEnvironment, ThePathOfTheSignalIsAddedToAnEndpointOfAll) {
  for (const auto& [written, read] : std::map<std::string, std::string>{
           {"http://collector:4318", "http://collector:4318/v1/metrics"},
           {"http://collector:4318/", "http://collector:4318/v1/metrics"},
           {"https://example.com/otlp//", "https://example.com/otlp/v1/metrics"},
           {"https://example.com/otlp?key=1", "https://example.com/otlp/v1/metrics?key=1"}}) {
    EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", written}}).metrics->endpoint, read);
  }
}

TEST(SdkEnvironment, AnEndpointOfMetricsIsTakenAsItIs) {
  EXPECT_EQ(ReadWith({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://other/"}}).metrics->endpoint,
            "http://other/");
}

TEST(SdkEnvironment, DefaultsAreThoseOfTheSpecification) {
  const SdkEnvironment environment = ReadWith({});
  EXPECT_EQ(environment.metrics->timeout, milliseconds(10'000));
  EXPECT_EQ(environment.metrics->interval, milliseconds(60'000));
  EXPECT_THAT(environment.metrics->headers, IsEmpty());
  EXPECT_THAT(environment.metrics->resource, IsEmpty());
  EXPECT_THAT(environment.warnings, IsEmpty());
}

TEST(SdkEnvironment, WhatIsSaidOfMetricsComesBeforeWhatIsSaidOfAll) {
  const SdkEnvironment environment =
      ReadWith({{"OTEL_EXPORTER_OTLP_TIMEOUT", "1"},
                {"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2000"},
                {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                {"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "b=2"},
                {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem"},
                {"OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/m.pem"},
                {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"}});
  ASSERT_TRUE(environment.metrics);
  EXPECT_EQ(environment.metrics->timeout, milliseconds(2000));
  EXPECT_EQ(environment.metrics->certificate_path, "/m.pem");
  ASSERT_THAT(environment.metrics->headers, SizeIs(1));
  EXPECT_EQ(environment.metrics->headers[0].name, "b");
  EXPECT_EQ(environment.metrics->headers[0].value.Reveal(), "2");
  EXPECT_THAT(environment.warnings, IsEmpty());
}

TEST(SdkEnvironment, AnotherProtocolIsSaidInWords) {
  for (const char* protocol : {"grpc", "http/protobuf", "carrier pigeon"}) {
    const SdkEnvironment environment = ReadWith({{"OTEL_EXPORTER_OTLP_PROTOCOL", protocol}});
    EXPECT_FALSE(environment.metrics);
    ASSERT_THAT(environment.warnings, SizeIs(1));
    EXPECT_THAT(environment.warnings[0], HasSubstr(protocol));
    EXPECT_THAT(environment.warnings[0], HasSubstr("http/json"));
  }
}

TEST(SdkEnvironment, ItCanBeSwitchedOff) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"OTEL_SDK_DISABLED", "TRUE"}, {"OTEL_METRICS_EXPORTER", "none"}}) {
    const SdkEnvironment environment = ReadWith({{name, value}});
    EXPECT_FALSE(environment.metrics) << name;
    EXPECT_THAT(environment.warnings, IsEmpty());
  }
  EXPECT_TRUE(ReadWith({{"OTEL_SDK_DISABLED", "false"}}).metrics);
  const SdkEnvironment odd = ReadWith({{"OTEL_SDK_DISABLED", "1"}});
  EXPECT_TRUE(odd.metrics);
  EXPECT_THAT(odd.warnings, ElementsAre(HasSubstr("OTEL_SDK_DISABLED")));
  const SdkEnvironment other = ReadWith({{"OTEL_METRICS_EXPORTER", "console"}});
  EXPECT_FALSE(other.metrics);
  EXPECT_THAT(other.warnings, ElementsAre(HasSubstr("console")));
}

TEST(SdkEnvironment, TimesThatAreNoneAreLeftOutAndSaid) {
  for (const char* text : {"-1", "10s", "1.5", "", " 7", "99999999999999999999"}) {
    const SdkEnvironment environment =
        ReadWith({{"OTEL_EXPORTER_OTLP_TIMEOUT", text}, {"OTEL_METRIC_EXPORT_INTERVAL", text}});
    EXPECT_EQ(environment.metrics->timeout, milliseconds(10'000)) << text;
    EXPECT_EQ(environment.metrics->interval, milliseconds(60'000)) << text;
    EXPECT_THAT(environment.warnings, SizeIs(*text == '\0' ? 0 : 2)) << text;
  }
  const SdkEnvironment environment =
      ReadWith({{"OTEL_EXPORTER_OTLP_TIMEOUT", "0"}, {"OTEL_METRIC_EXPORT_INTERVAL", "0"}});
  EXPECT_EQ(environment.metrics->timeout, std::chrono::hours(24)) << "0 is for ever";
  EXPECT_EQ(environment.metrics->interval, milliseconds(60'000)) << "0 is no interval";
}

TEST(SdkEnvironment, TheNameOfTheServiceComesBeforeTheAttribute) {
  const SdkEnvironment environment =
      ReadWith({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=test%20x"},
                {"OTEL_SERVICE_NAME", "b"}});
  EXPECT_THAT(
      environment.metrics->resource,
      ElementsAre(Pair("service.name", "b"), Pair("deployment.environment.name", "test x")));
}

TEST(SdkEnvironment, ListsThatAreNoneAreLeftOutAndSaidWithoutTheirValues) {
  const SdkEnvironment environment =
      ReadWith({{"OTEL_RESOURCE_ATTRIBUTES", "a=1,hunter2"},
                {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2%"}});
  EXPECT_THAT(environment.metrics->resource, IsEmpty());
  EXPECT_THAT(environment.metrics->headers, IsEmpty());
  ASSERT_THAT(environment.warnings, SizeIs(2));
  for (const std::string& warning : environment.warnings) {
    EXPECT_THAT(warning, testing::Not(HasSubstr("hunter2")));
  }
}

TEST(SdkEnvironment, CompressionIsSaidToBeNone) {
  const SdkEnvironment environment = ReadWith({{"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}});
  EXPECT_TRUE(environment.metrics);
  EXPECT_THAT(environment.warnings, ElementsAre(HasSubstr("gzip")));
}

TEST(Pairs, AreTrimmedAndDecoded) {
  EXPECT_THAT(*ParsePairs("a=1, b = x%2Cy ,,c==="),
              ElementsAre(Pair("a", "1"), Pair("b", "x,y"), Pair("c", "==")));
  EXPECT_THAT(*ParsePairs("a=1,a=2"), ElementsAre(Pair("a", "2")));
  EXPECT_THAT(*ParsePairs(""), IsEmpty());
  EXPECT_THAT(*ParsePairs("authorization=Basic%20dTpw"), ElementsAre(Pair(_, "Basic dTpw")));
}

TEST(Pairs, OthersAreNone) {
  for (const char* text : {"a", "=1", "a=%4", "a=1,b", "a=%zz"}) {
    EXPECT_EQ(ParsePairs(text), std::nullopt) << text;
  }
}

TEST(Pairs, HaveALimit) {
  std::string text;
  for (int i = 0; i < 128; ++i) text += "k" + std::to_string(i) + "=v,";
  EXPECT_THAT(*ParsePairs(text), SizeIs(128));
  EXPECT_EQ(ParsePairs(text + "one=more"), std::nullopt);
  EXPECT_EQ(ParsePairs("k=" + std::string(64 * 1024, 'x')), std::nullopt);
}

}  // namespace
}  // namespace levada::otlp
