// The only includer of the date library's time zones.

#include "elt/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>

#include "elt/option_problems.h"

namespace levada::elt {
namespace {

constexpr int64_t kMicros = 1'000'000;
// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'800;

date::sys_seconds ToSeconds(WallMicros instant) {
  int64_t seconds = instant / kMicros - (instant % kMicros < 0 ? 1 : 0);
  return date::sys_seconds(std::chrono::seconds(std::clamp(seconds, kFirstSecond, kLastSecond)));
}

WallMicros ToMicros(date::sys_seconds instant) {
  return std::clamp<int64_t>(instant.time_since_epoch().count(), kFirstSecond, kLastSecond) *
         kMicros;
}

/// Files of "slim" tzdata leave the transitions of today to a rule that the date library does not
/// read: clocks would silently stop changing. New York did change in 2012.
bool HasAllTransitions() {
  const date::sys_info summer =
      date::locate_zone("America/New_York")->get_info(date::sys_days(date::year(2012) / 7 / 1));
  return summer.offset == std::chrono::hours(-4);
}

}  // namespace

Result<TimeZone> TimeZone::Find(const std::string& name) {
  if (name == "UTC") return Utc();
  try {
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::ranges::find(zones, name, &date::time_zone::name);
    if (found == zones.end()) {
      std::vector<std::string> names;
      for (const date::time_zone& zone : zones) names.push_back(zone.name());
      const std::string nearest = NearestName(name, names);
      return Fault(FaultCode::kBadWindow, "no time zone is named \"" + name + "\"")
          .Help(nearest.empty() ? "write an IANA name such as Europe/Lisbon" : DidYouMean(nearest));
    }
    if (!HasAllTransitions()) {
      return Fault(FaultCode::kBadWindow,
                   "the time zones of this machine lack their transitions: its tzdata is \"slim\"")
          .Help("install a tzdata built with `zic -b fat`, or use timezone: UTC");
    }
    found->get_info(ToSeconds(0));  // loads the zone now, so that no later call throws
    return TimeZone(&*found);
  } catch (const std::exception& error) {  // tidy: allow how the date library says "no tzdata"
    return Fault(FaultCode::kBadWindow, "the time zone \"" + name + "\" cannot be read")
        .With("cause", error.what())
        .Help("install the package tzdata, or use timezone: UTC");
  }
}

TimeZone::Period TimeZone::At(WallMicros instant) const {
  if (zone_ == nullptr) return {kFirstSecond * kMicros, kLastSecond * kMicros, 0};
  const date::sys_info info = zone_->get_info(ToSeconds(instant));
  Period period{ToMicros(info.begin), ToMicros(info.end), info.offset.count() * kMicros};
  // A transition that changes only the zone's abbreviation moves no clock.
  while (period.begin > kFirstSecond * kMicros) {
    const date::sys_info before = zone_->get_info(ToSeconds(period.begin - 1));
    if (before.offset != info.offset || ToMicros(before.begin) >= period.begin) break;
    period.begin = ToMicros(before.begin);
  }
  while (period.end < kLastSecond * kMicros) {
    const date::sys_info after = zone_->get_info(ToSeconds(period.end));
    if (after.offset != info.offset || ToMicros(after.end) <= period.end) break;
    period.end = ToMicros(after.end);
  }
  return period;
}

WallMicros TimeZone::FirstInstant(LocalMicros local) const {
  if (zone_ == nullptr) return local;
  const int64_t part = ((local % kMicros) + kMicros) % kMicros;
  const date::local_seconds seconds(ToSeconds(local).time_since_epoch());
  const date::local_info info = zone_->get_info(seconds);
  if (info.result == date::local_info::nonexistent) return ToMicros(info.first.end);
  return (seconds.time_since_epoch() - info.first.offset).count() * kMicros + part;
}

}  // namespace levada::elt
