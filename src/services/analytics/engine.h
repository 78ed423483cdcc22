#pragma once
// Engine: who holds the datasets' tables and answers statements of ours: EngineChild, ClickHouse in
// a child process, or ClickhouseServer, one that somebody runs; tests have one of their own.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::services::analytics {

enum class StatementKind : uint8_t {
  kQuery,   ///< reads, where nothing can be changed, within the limits of a query
  kChange,  ///< inserts; one at a time
  kCreate,  ///< makes what lasts: durable when it is answered, its directories too
};

/// In the `sql` of an insert: stands for the name of the file that its rows are in.
inline constexpr std::string_view kRowsFile = "{rows}";

struct Statement {
  StatementKind kind = StatementKind::kQuery;
  std::string sql;        ///< of ours alone: bytes of clients stand in it as literals or not at all
  std::string rows = {};  ///< of an insert, in the format that `sql` names
};

struct EngineCounts {
  uint64_t starts = 0;  ///< of the child, or how often a server was found to be of use
  uint64_t statements = 0;
  uint64_t failures = 0;  ///< of statements, whatever the reason
  bool is_running = false;
};

/// Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Where the tables are: the same all its life.
  virtual const std::string& database() const = 0;
  /// Waits for the answer, in the statement's format. kQueryFailed with ClickHouse's number in the
  /// detail "code" when the statement failed; kSourceTimeout when it took too long, and
  /// kSourceConnectionLost when the engine ended meanwhile: of a change nobody knows then whether
  /// it was made. kFileUnreadable and kSourceUnsupported when there is no engine here.
  virtual Result<std::string> Run(const Statement& statement) = 0;
  /// Whoever waits is told at once, and nothing is run any more.
  virtual void Stop() = 0;
  virtual EngineCounts counts() const = 0;
};

}  // namespace levada::services::analytics
