#pragma once
// Library: ClickHouse as a shared library, and connections to the one engine that a process can
// have of it. Not for the daemon's own process: the engine has signal handlers, threads and memory
// of its own, and ends its process when it is out of memory.

#include <memory>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::db::chdb {

/// Of a Fault of code kQueryFailed: ClickHouse's number of the error, as "code".
inline constexpr std::string_view kCodeDetail = "code";

/// One statement at a time.
class Connection {
 public:
  virtual ~Connection() = default;
  /// The answer in the format that the statement names, else in tab-separated lines. The library
  /// takes `sql` for a script, so bytes of clients stand in it as quoted literals or not at all.
  /// kQueryFailed with the engine's words and, where it gave one, its number.
  virtual Result<std::string> Run(std::string_view sql) = 0;
};

class Library {
 public:
  virtual ~Library() = default;
  /// The first starts the engine with its data in `directory`; further ones are of the same.
  /// kSourceUnsupported when the engine does not start. The library outlives it. Any thread.
  virtual Result<std::unique_ptr<Connection>> Connect(const std::string& directory) = 0;
};

/// kFileUnreadable when there is no library at `path`, kSourceUnsupported when it is another one.
/// Once loaded it stays to the end of the process.
Result<std::unique_ptr<Library>> LoadLibrary(const std::string& path);

/// The message without the engine's decoration ("Code: 47. DB::Exception: ... (version 26.5)"), and
/// its number; 0 when it has none.
struct EngineError {
  int code = 0;
  std::string message;
};
EngineError ParseError(std::string_view text);

}  // namespace levada::db::chdb
