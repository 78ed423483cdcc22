#include "conversions/zone_clock.h"

#include <random>

#include "base/testing.h"

namespace levada::conversions {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kYear = int64_t{366} * 86'400 * kSecond;

TEST(ZoneClock, AnswersTheSameWhateverItWasAskedBefore) {
  std::mt19937_64 random(7);
  for (const char* name : {"UTC", "Europe/Lisbon", "Australia/Lord_Howe", "Antarctica/Troll",
                           "America/St_Johns", "Pacific/Apia"}) {
    const auto zone = ValueOf(elt::TimeZone::Find(name));
    ZoneClock kept(zone);
    int64_t at = 0;
    for (int i = 0; i < 3000; ++i) {
      // Mostly close to the one before, as in a column; sometimes in another year.
      at = random() % 8 == 0 ? static_cast<int64_t>(random() % (70 * kYear))
                             : at + static_cast<int64_t>(random() % 20'000) * 600 * kSecond -
                                   10'000 * 600 * kSecond;
      const auto instant = kept.ToInstant(at);
      const auto fresh = ZoneClock(zone).ToInstant(at);
      ASSERT_EQ(instant.ok(), fresh.ok()) << name << " " << elt::DateTimeText(at);
      ASSERT_EQ(instant.value, fresh.value) << name << " " << elt::DateTimeText(at);
      const auto local = kept.ToLocal(at);
      ASSERT_EQ(local.value, zone.ToLocal(at)) << name;
      // There and back: a reading that is shown once is that of its instant.
      if (instant.ok()) {
        ASSERT_EQ(kept.ToLocal(instant.value).value, at) << name;
      }
      const auto back = kept.ToInstant(local.value);
      if (back.ok()) {
        ASSERT_EQ(back.value, at) << name << " " << elt::DateTimeText(at);
      }
    }
  }
}

TEST(ZoneClock, RefusesWhatItsClockShowsNeverOrTwice) {
  ZoneClock clock(ValueOf(elt::TimeZone::Find("Europe/Lisbon")));
  const auto at = [](const char* text) {
    const auto read = elt::ParseDateTimeLiteral(text);
    return read.value.days * int64_t{86'400} * kSecond + read.value.nanos_of_day / 1000;
  };
  for (const char* twice : {"2026-10-25 01:00", "2026-10-25 01:59:59"}) {
    EXPECT_FALSE(clock.ToInstant(at(twice)).ok()) << twice;
  }
  for (const char* never : {"2026-03-29 01:00", "2026-03-29 01:59:59"}) {
    EXPECT_FALSE(clock.ToInstant(at(never)).ok()) << never;
  }
  EXPECT_EQ(clock.ToInstant(at("2026-10-25 00:59:59")).value, at("2026-10-24 23:59:59"));
  EXPECT_EQ(clock.ToInstant(at("2026-10-25 02:00")).value, at("2026-10-25 02:00"));
  EXPECT_EQ(clock.ToInstant(at("2026-03-29 00:59:59")).value, at("2026-03-29 00:59:59"));
  EXPECT_EQ(clock.ToInstant(at("2026-03-29 02:00")).value, at("2026-03-29 01:00"));
}

TEST(ZoneClock, RefusesWhatLeaves64Bits) {
  ZoneClock clock(ValueOf(elt::TimeZone::Find("Asia/Tokyo")));
  EXPECT_FALSE(clock.ToLocal(INT64_MAX).ok());
  EXPECT_FALSE(clock.ToInstant(INT64_MIN).ok());
}

}  // namespace
}  // namespace levada::conversions
