#pragma once
// What tests of every folder share: matchers for faults, and a Context that is ready to use. For
// *_test.cc only.
//
//     EXPECT_THAT(disk->Remove("x"), IsOk());
//     EXPECT_THAT(ParseBytes("-1"), FailsWith(FaultCode::kBadValue, HasSubstr("-1")));
//     const int64_t bytes = ValueOf(ParseBytes("64KiB"));

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/context.h"
#include "base/counters.h"
#include "base/diagnostic.h"
#include "base/failpoint.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"

namespace levada {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

/// A Status or Result that is OK.
MATCHER(IsOk, negation ? "fails" : "is OK") {
  const Status& status = StatusOf(arg);
  if (!status.ok()) *result_listener << status.ToString();
  return status.ok();
}

/// A Status or Result that failed with this code.
MATCHER_P(FailsWith, code, "fails with " + CodeName(code)) {
  const Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && CodeOf(status) == code;
}

/// ... and whose message satisfies a matcher.
MATCHER_P2(FailsWith, code, message, "fails with " + CodeName(code)) {
  const Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && CodeOf(status) == code &&
         testing::Matches(message)(FaultOf(status).message());
}

/// The value, or the end of the test with the error as its reason.
template <typename T>
T ValueOf(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).ValueUnsafe();
}

/// A Context with a clock that stands at 2026-01-01T00:00:00Z, a silent log, an unlimited pool and
/// no failpoints. Outlives every copy of context(); change any part through its member.
struct TestContext {
  std::stop_source stop;
  ManualClock clock{1'767'225'600'000'000};
  std::unique_ptr<Logger> log = MakeNullLogger();
  Counters counters;
  BudgetPool pool{0};
  std::unique_ptr<Failpoints> failpoints = std::make_unique<Failpoints>();

  Context context() {
    Context made;
    made.stop = stop.get_token();
    made.clock = &clock;
    made.log = log.get();
    made.counters = &counters;
    made.pool = &pool;
    made.failpoints = failpoints.get();
    return made;
  }
};

}  // namespace levada
