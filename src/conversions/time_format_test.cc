#include "conversions/time_format.h"

#include "base/testing.h"

namespace levada::conversions {
namespace {

using testing::HasSubstr;

/// "20484 18367000000000 +120", "!problem"
std::string Read(const std::string& pattern, std::string_view text) {
  const auto read = ValueOf(TimeFormat::Make(pattern)).Parse(text);
  if (!read.ok()) return std::string("!") + read.problem;
  const elt::DateTime& value = read.value;
  std::string shown = std::to_string(value.days) + " " + std::to_string(value.nanos_of_day);
  if (value.has_zone) shown += " " + std::to_string(value.offset_minutes);
  return shown;
}

TEST(TimeFormat, ReadsEachDirective) {
  EXPECT_EQ(Read("%d.%m.%Y", "31.01.2026"), "20484 0");
  EXPECT_EQ(Read("%Y%m%d", "20260131"), "20484 0");
  EXPECT_EQ(Read("%H:%M:%S.%f", "00:00:01.5"), "0 1500000000");
  EXPECT_EQ(Read("%H:%M:%S.%f", "00:00:00.123456789"), "0 123456789");
  EXPECT_EQ(Read("100%% %d/%m/%Y", "100% 31/01/2026"), "20484 0");
  EXPECT_EQ(Read("%Y-%m-%dT%H:%M%z", "1970-01-01T00:00Z"), "0 0 0");
  for (const char* offset : {"+05", "+0530", "+05:30", "-15:59"}) {
    const std::string shown = Read("%Y-%m-%d %H:%M%z", std::string("1970-01-01 00:00") + offset);
    EXPECT_EQ(shown, offset == std::string("+05")      ? "0 0 300"
                     : offset == std::string("-15:59") ? "0 0 -959"
                                                       : "0 0 330");
  }
}

TEST(TimeFormat, IsStrict) {
  for (const char* text : {"", "31.01.2026 ", " 31.01.2026", "31.1.2026", "31.01.26", "31-01-2026",
                           "31.01.2026x", "31.01.+026", "٣1.01.2026"}) {
    EXPECT_EQ(Read("%d.%m.%Y", text), "!not of the format given") << text;
  }
  EXPECT_EQ(Read("%d.%m.%Y", "30.02.2026"), "!no such day");
  EXPECT_EQ(Read("%H:%M", "24:00"), "!no such time of day");
  EXPECT_EQ(Read("%H:%M:%S", "23:59:60"), "!no such time of day");
  EXPECT_EQ(Read("%H:%M:%S.%f", "00:00:00."), "!not of the format given");
  EXPECT_EQ(Read("%H:%M:%S.%f", "00:00:00.1234567890"), "!not of the format given");
  for (const char* offset : {"", "5", "+5", "+16", "+05:", "+05:60", "+053", "z0"}) {
    EXPECT_EQ(Read("%Y-%m-%d %H:%M%z", std::string("1970-01-01 00:00") + offset),
              "!not of the format given")
        << offset;
  }
}

TEST(TimeFormat, RefusesPatternsThatCannotWork) {
  const std::pair<const char*, const char*> kBad[] = {
      {"", "neither a date nor a time"},
      {"x", "neither a date nor a time"},
      {"%Y-%m", "%d"},
      {"%d", "a date needs"},
      {"%H", "a time needs"},
      {"%M", "a time needs"},
      {"%H:%S", "a time needs"},
      {"%H:%M.%f", "%f needs %S"},
      {"%Y-%m-%d %z", "%z needs"},
      {"%H:%M%z", "%z needs"},
      {"%Y-%m-%d %Y", "%Y twice"},
      {"%y-%m-%d", "no directive %y"},
      {"%d.%m.%Y%", "ends in %"},
  };
  for (const auto& [pattern, problem] : kBad) {
    EXPECT_THAT(TimeFormat::Make(pattern), FailsWith(FaultCode::kBadValue, HasSubstr(problem)))
        << pattern;
  }
  EXPECT_THAT(TimeFormat::Make(std::string(101, 'x')),
              FailsWith(FaultCode::kBadValue, HasSubstr("longer")));
}

}  // namespace
}  // namespace levada::conversions
