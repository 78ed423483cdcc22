#pragma once
// EngineChild: the engine in a process of its own, started when it is first needed and again when
// it has ended. What takes too long ends the process, and so does whatever goes wrong in it: the
// daemon goes on, and whoever waited is told.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "os/child.h"
#include "services/analytics/engine.h"

namespace levada::services::analytics {

struct EngineChildOptions {
  std::vector<std::string> arguments = {};  ///< argv of the child; see engine_process.h
  std::vector<std::string> environment = {};
  std::chrono::milliseconds start_max{30'000};
  /// Of a statement; more than the engine itself allows a query, which ends in order then.
  std::chrono::milliseconds query_max{35'000};
  std::chrono::milliseconds change_max{120'000};
  size_t answer_bytes_max = size_t{128} << 20;
  /// Between two starts.
  std::chrono::milliseconds pause{1000};
};

/// The child makes it when it starts.
inline constexpr const char* kChildDatabase = "analytics";

class EngineChild final : public Engine {
 public:
  /// All outlive it. Starts nothing yet.
  EngineChild(EngineChildOptions options, const Clock& clock, Logger& log);
  /// Ends the child. Nobody is in Run any more.
  ~EngineChild() override;

  const std::string& database() const override { return database_; }
  Result<std::string> Run(const Statement& statement) override;
  void Stop() override;
  EngineCounts counts() const override;

 private:
  class Process;
  Result<std::shared_ptr<Process>> Running();
  /// Holding start_mutex_.
  Result<std::shared_ptr<Process>> Start();
  Result<std::string> Ask(const Statement& statement);

  const std::string database_ = kChildDatabase;
  const EngineChildOptions options_;
  const Clock& clock_;
  Logger& log_;
  std::mutex start_mutex_;    // one start at a time
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<Process> process_;
  std::shared_ptr<Process> starting_;  ///< not there yet
  std::optional<SteadyTime> started_;  ///< when the last start had come to its end
  Status start_failure_;               ///< of the last start
  bool is_stopped_ = false;
  EngineCounts counts_;
};

}  // namespace levada::services::analytics
