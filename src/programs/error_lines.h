#pragma once
// ErrorLines: what a program says on standard error, on its way to the log and into the error of a
// program that failed. Bounded in rate and length, without control characters, and with known
// secrets hidden.

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/secret.h"

namespace levada::programs {

/// Thread-safe.
class ErrorLines final {
 public:
  static constexpr size_t kLineBytesMax = 500;  ///< a longer line is cut
  static constexpr int kBurst = 100;            ///< lines logged at once; what is more is counted
  static constexpr int kPerSecond = 20;         ///< lines logged in the long run
  static constexpr size_t kKept = 5;            ///< last lines, for the error

  /// `program` names it in the log.
  ErrorLines(const Context& ctx, std::string program, std::vector<Secret> secrets);

  void Add(std::string_view line);
  /// Logs how many lines were left out since the last one that was not.
  void End();
  /// The last lines, "a | b"; empty when it said nothing.
  std::string Tail() const;

 private:
  std::string Harmless(std::string_view line) const;
  void Log(const std::string& line);

  const Context ctx_;
  const std::string program_;
  const std::vector<Secret> secrets_;
  mutable std::mutex mutex_;
  std::deque<std::string> last_;
  double allowance_ = kBurst;
  SteadyTime counted_at_;
  int64_t left_out_ = 0;
};

}  // namespace levada::programs
