#include "base/clock.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace levada {
namespace {

class SystemClock final : public Clock {
 public:
  WallMicros Now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::floor<std::chrono::microseconds>(since_epoch).count();
  }
  SteadyTime Steady() const override { return std::chrono::steady_clock::now(); }
  bool SleepUntil(SteadyTime until, const std::stop_token& stop) const override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, until, [] { return false; });
    return !stop.stop_requested();
  }
};

class SystemRandom final : public Random {
 public:
  uint64_t Next() override {
    uint64_t number = 0;
    ssize_t got = 0;
    do {  // eight bytes never come in parts: getrandom(2) is atomic up to 256
      got = getrandom(&number, sizeof number, 0);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof number) {
      std::perror("levada: getrandom");
      std::abort();
    }
    return number;
  }
};

// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014), the finalizer of
// variant 13.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() override {
    constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
    uint64_t z = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::atomic<uint64_t> state_;
};

struct Date {
  int64_t year;
  int month;
  int day;
};

// std::chrono::year ends at 32767, our microseconds do not. The year starts in March here, so that
// the leap day is its last; 719468 days lie between 0000-03-01 and 1970-01-01.
Date DateOfDay(int64_t days_since_epoch) {
  constexpr int64_t kDaysPerEra = 146097;  // 400 years
  const int64_t days = days_since_epoch + 719468;
  const int64_t era = (days >= 0 ? days : days - (kDaysPerEra - 1)) / kDaysPerEra;
  const int64_t day_of_era = days - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }
// Not value - FloorDivide(value, by) * by: that product overflows at the least value.
int64_t FloorRemainder(int64_t value, int64_t by) { return (value % by + by) % by; }

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

bool ManualClock::SleepUntil(SteadyTime until, const std::stop_token& stop) const {
  if (stop.stop_requested()) return false;
  const auto left = until - Steady();
  if (left > left.zero()) {
    using std::chrono::microseconds;
    const int64_t whole = std::chrono::floor<microseconds>(left).count();
    const bool exact = microseconds(whole) == left || until == SteadyTime::max();
    Advance(exact ? whole : whole + 1);
  }
  return true;
}

std::string FormatTimestamp(WallMicros micros) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  constexpr int64_t kSecondsPerDay = 86'400;
  const int64_t seconds = FloorDivide(micros, kMicrosPerSecond);
  const int64_t days = FloorDivide(seconds, kSecondsPerDay);
  const int64_t fraction = FloorRemainder(micros, kMicrosPerSecond);
  const int64_t of_day = seconds - days * kSecondsPerDay;
  const Date date = DateOfDay(days);
  const char* sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : "";
  return fmt::format("{}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", sign, std::abs(date.year),
                     date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
}

std::unique_ptr<Random> MakeSystemRandom() { return std::make_unique<SystemRandom>(); }
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed) {
  return std::make_unique<SeededRandom>(seed);
}

std::string NewId(Random& random) { return fmt::format("{:016x}", random.Next()); }

}  // namespace levada
