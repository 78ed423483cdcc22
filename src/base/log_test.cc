#include "base/log.h"

#include <limits>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "base/testing.h"

namespace levada {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

// What `write` makes the process print on standard error.
template <typename Write>
std::string Printed(Write write) {
  testing::internal::CaptureStderr();
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(TextLog, WritesTimeLevelMessageAndFields) {
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kInfo, false, {});
  const std::string line = Printed([&] {
    log->Info("partition published",
              {{"rows", int64_t{41}}, {"share", 0.5}, {"replay", true}, {"path", "a/b"}});
  });
  EXPECT_THAT(line, MatchesRegex("[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\.[0-9][0-9][0-9] info    "
                                 "partition published rows=41 share=0.5 replay=true path=a/b\n"));
}

TEST(TextLog, QuotesValuesThatAreNotOneWord) {
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kInfo, false, {});
  const auto line = Printed([&] {
    log->Warning("m", {{"a", ""}, {"b", "two words"}, {"c", "say \"x\" \\"}, {"d", "k=v"}});
  });
  EXPECT_THAT(line, EndsWith(" m a=\"\" b=\"two words\" c=\"say \\\"x\\\" \\\\\" d=\"k=v\"\n"));
}

TEST(TextLog, IsOneHarmlessLineWhateverTheBytes) {
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kInfo, false, {});
  const auto line = Printed(
      [&] { log->Error("a\nb\x1b[31m\xff", {{"k\n", "v\r\nw\xe2\x80\xae"}, {"bad", "\xc3("}}); });
  EXPECT_THAT(line, EndsWith("error   a b [31m\xef\xbf\xbd k =\"v  w \" bad=\xef\xbf\xbd(\n"));
}

TEST(TextLog, ColoursTheLevelOnlyWhenAsked) {
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kDebug, true, {});
  EXPECT_THAT(Printed([&] { log->Error("m"); }), HasSubstr("\x1b[31merror  \x1b[0m m"));
  EXPECT_THAT(Printed([&] { log->Debug("m"); }), HasSubstr("\x1b[2mdebug  \x1b[0m m"));
}

TEST(JsonLog, WritesOneObjectALine) {
  const auto log = MakeLogger(LogFormat::kJson, LogLevel::kInfo, true, {});
  const std::string line = Printed([&] {
    log->Warning("slow \"source\"\n", {{"rows", std::numeric_limits<int64_t>::max()},
                                       {"share", 0.5},
                                       {"again", false},
                                       {"host", "db\xff"}});
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, testing::StartsWith("{\"time\":\""));
  const auto json = ParseJson(line);
  EXPECT_EQ(json["level"], "warning");
  EXPECT_EQ(json["message"], "slow \"source\"\n");
  EXPECT_EQ(json["rows"], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(json["share"], 0.5);
  EXPECT_EQ(json["again"], false);
  EXPECT_EQ(json["host"], "db\xef\xbf\xbd");
}

TEST(JsonLog, AFieldNeverHidesTheEventsOwnValues) {
  const auto log = MakeLogger(LogFormat::kJson, LogLevel::kInfo, false, {});
  const auto json = ParseJson(
      Printed([&] { log->Info("m", {{"level", "x"}, {"level", "y"}, {"message", "z"}}); }));
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["level_"], "x");
  EXPECT_EQ(json["level__"], "y");
  EXPECT_EQ(json["message"], "m");
  EXPECT_EQ(json["message_"], "z");
}

TEST(Log, WritesNothingBelowItsLevel) {
  const auto log = MakeLogger(LogFormat::kJson, LogLevel::kWarning, false, {});
  EXPECT_FALSE(log->Enabled(LogLevel::kInfo));
  EXPECT_TRUE(log->Enabled(LogLevel::kWarning));
  EXPECT_EQ(Printed([&] {
              log->Debug("m");
              log->Info("m");
              log->Write(LogLevel::kInfo, "m", {});
            }),
            "");
  EXPECT_NE(Printed([&] { log->Error("m"); }), "");
}

TEST(Log, OffIsSilent) {
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kOff, false, {});
  EXPECT_FALSE(log->Enabled(LogLevel::kError));
  EXPECT_FALSE(log->Enabled(LogLevel::kOff));
  EXPECT_EQ(Printed([&] { log->Error("m"); }), "");
}

TEST(Log, HooksAreCalledAroundEachLine) {
  std::string calls;
  LogHooks hooks;
  hooks.state = &calls;
  hooks.before_line = [](void* state) { *static_cast<std::string*>(state) += '<'; };
  hooks.after_line = [](void* state) { *static_cast<std::string*>(state) += '>'; };
  const auto log = MakeLogger(LogFormat::kText, LogLevel::kInfo, false, hooks);
  Printed([&] {
    log->Info("a");
    log->Debug("not written");
    log->Info("b");
  });
  EXPECT_EQ(calls, "<><>");
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  const auto log = MakeLogger(LogFormat::kJson, LogLevel::kInfo, false, {});
  std::istringstream lines(Printed([&] {
    std::vector<std::jthread> threads;
    for (int64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int64_t n = 0; n < 50; ++n) log->Info("m", {{"i", i}, {"n", n}});
      });
    }
  }));
  int64_t sum = 0, count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    sum += ParseJson(line)["n"].get<int64_t>();
  }
  EXPECT_EQ(count, 200);
  EXPECT_EQ(sum, 4 * 49 * 50 / 2);
}

TEST(NullLog, WritesNothing) {
  const auto log = MakeNullLogger();
  EXPECT_FALSE(log->Enabled(LogLevel::kError));
  EXPECT_EQ(Printed([&] {
              log->Error("m");
              log->Write(LogLevel::kError, "m", {});
            }),
            "");
}

}  // namespace
}  // namespace levada
