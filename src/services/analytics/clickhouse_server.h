#pragma once
// ClickhouseServer: a ClickHouse server that somebody runs as the engine, by its HTTP interface.
// Statements are the child's, so is what they are answered; limits go along as settings. It is
// looked at before it is used, and again when it did not answer: an old one is refused, and one
// whose database is another data directory's.
//
// Protocol: ClickHouse's documentation, "HTTP interface". A connection each: statements are few.

#include <chrono>
#include <compare>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "net/client.h"
#include "net/loop.h"
#include "services/analytics/clickhouse_address.h"
#include "services/analytics/engine.h"

namespace levada::services::analytics {

struct ClickhouseOptions {
  ClickhouseAddress address;
  Secret password;    ///< may be empty
  std::string owner;  ///< of the database: the data directory, in letters and digits
  std::shared_ptr<const net::ClientTls> tls;  ///< for https
  std::chrono::milliseconds check_max{5'000};
  std::chrono::milliseconds query_max{35'000};
  std::chrono::milliseconds change_max{120'000};
  int64_t query_seconds_max = 30;
  int64_t query_bytes_max = int64_t{1} << 30;  ///< memory
  int64_t answer_bytes_max = int64_t{64} << 20;
  /// Between two looks at a server that was of no use.
  std::chrono::milliseconds pause{1'000};
};

/// "26.5.1.882"
struct ClickhouseVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const ClickhouseVersion&) const = default;
};
std::optional<ClickhouseVersion> ParseClickhouseVersion(std::string_view text);

/// Of the settings that statements name, session_timezone is the youngest: it came with 23.6. This
/// is the first release behind it that was supported for a year.
inline constexpr ClickhouseVersion kOldestServer{23, 8};

class ClickhouseServer final : public Engine {
 public:
  /// All outlive it. Asks nothing yet.
  ClickhouseServer(ClickhouseOptions options, const Clock& clock, Logger& log);
  /// Nobody is in Run any more.
  ~ClickhouseServer() override;

  /// What Run does before the first statement. kSourceUnsupported when the server is there and of
  /// no use: too old, another directory's, or it lets us not in. kSourceConnectionLost when it does
  /// not answer.
  Status Check();

  const std::string& database() const override { return options_.address.database; }
  Result<std::string> Run(const Statement& statement) override;
  void Stop() override;
  EngineCounts counts() const override;

 private:
  struct Pending;
  struct Call {
    std::string target;
    std::string body;
    std::chrono::milliseconds timeout;
  };
  /// Holding check_mutex_.
  Status Look();
  Status Own();
  Result<std::string> Simple(const std::string& sql);
  Result<std::string> Ask(Call call);
  Result<std::string> AnswerOf(Result<net::ClientAnswer> answered) const;
  Call CallOf(const Statement& statement) const;
  net::Task<void> Send(net::ClientRequest request, std::shared_ptr<Pending> pending);

  const ClickhouseOptions options_;
  const Clock& clock_;
  Logger& log_;
  std::mutex check_mutex_;  // one look at a time; guards the next two
  std::optional<SteadyTime> looked_;
  Status last_look_;
  mutable std::mutex mutex_;  // guards what follows, and each Pending's answer
  std::condition_variable answered_;
  bool is_ready_ = false;
  bool is_stopped_ = false;
  EngineCounts counts_;
  net::Loop loop_;
  // Last: it runs all of the above. tidy: allow a thread, whoever asks has one already and waits
  std::thread thread_;
};

}  // namespace levada::services::analytics
