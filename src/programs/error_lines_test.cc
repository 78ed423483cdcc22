#include "programs/error_lines.h"

#include "base/testing.h"

namespace levada::programs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// Keeps what is logged, fields behind the message.
class KeepingLogger final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kInfo; }
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) {
      line += " " + std::string(field.key) + "=";
      if (const auto* text = std::get_if<std::string>(&field.value)) line += *text;
      if (const auto* number = std::get_if<int64_t>(&field.value)) line += std::to_string(*number);
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

class ErrorLinesTest : public testing::Test {
 protected:
  ErrorLinesTest() : ctx_(surroundings_.context()) { ctx_.log = &log_; }

  TestContext surroundings_;
  KeepingLogger log_;
  Context ctx_;
};

TEST_F(ErrorLinesTest, AreLoggedAndTheLastAreKept) {
  ErrorLines lines(ctx_, "score.py", {});
  for (const char* line : {"1", "2", "3", "", "4", "5", "6"}) lines.Add(line);
  EXPECT_EQ(lines.Tail(), "2 | 3 | 4 | 5 | 6");
  EXPECT_THAT(log_.lines, SizeIs(6));
  EXPECT_EQ(log_.lines[0], "a program says program=score.py line=1");
}

TEST_F(ErrorLinesTest, AreMadeHarmlessAndShort) {
  ErrorLines lines(ctx_, "p", {});
  lines.Add("a\x1b[2Jb\x07\xff");
  EXPECT_THAT(lines.Tail(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(lines.Tail(), HasSubstr("[2Jb"));
  lines.Add(std::string(10'000, 'x'));
  EXPECT_LT(lines.Tail().size(), 2 * ErrorLines::kLineBytesMax);
}

TEST_F(ErrorLinesTest, HideSecrets) {
  std::vector<Secret> secrets;
  secrets.emplace_back("hunter22");
  secrets.emplace_back("a");  // no secret worth the name, and in every text
  ErrorLines lines(ctx_, "p", std::move(secrets));
  lines.Add("hunter22: cannot use hunter22hunter22");
  EXPECT_EQ(lines.Tail(), "***: cannot use ******");
  EXPECT_THAT(log_.lines, ElementsAre("a program says program=p line=***: cannot use ******"));
}

TEST_F(ErrorLinesTest, AFloodIsCountedInsteadOfLogged) {
  ErrorLines lines(ctx_, "p", {});
  for (int i = 0; i < 1000; ++i) lines.Add("x");
  EXPECT_THAT(log_.lines, SizeIs(ErrorLines::kBurst));
  surroundings_.clock.Advance(1'000'000);
  lines.Add("y");
  EXPECT_THAT(log_.lines, SizeIs(ErrorLines::kBurst + 2));
  EXPECT_THAT(log_.lines[ErrorLines::kBurst], HasSubstr("lines=900"));
  EXPECT_THAT(log_.lines.back(), HasSubstr("line=y"));
  for (int i = 0; i < ErrorLines::kPerSecond; ++i) lines.Add("z");
  lines.End();
  EXPECT_THAT(log_.lines.back(), HasSubstr("lines=1"));
  lines.End();
  EXPECT_THAT(log_.lines, SizeIs(ErrorLines::kBurst + 2 + ErrorLines::kPerSecond));
}

TEST_F(ErrorLinesTest, SayNothingOfNothing) {
  ErrorLines lines(ctx_, "p", {});
  lines.End();
  EXPECT_EQ(lines.Tail(), "");
  EXPECT_THAT(log_.lines, IsEmpty());
}

}  // namespace
}  // namespace levada::programs
