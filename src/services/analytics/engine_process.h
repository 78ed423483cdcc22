#pragma once
// What the child of EngineChild does: loads the library, opens connections, and answers the
// requests on its standard input until that ends. Queries have connections of their own, which can
// change nothing and reach no file and no network, whatever the statement; changes have one.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace levada::services::analytics {

/// The word behind "levada" that makes a process the engine's. It is no command for people.
inline constexpr const char* kEngineCommand = "analytics-engine";

struct EngineProcessOptions {
  std::string library;    ///< path of libchdb
  std::string directory;  ///< of the engine's data, its own
  int readers = 4;        ///< queries at once
  int64_t query_seconds_max = 30;
  int64_t query_bytes_max = int64_t{1} << 30;  ///< memory
  int64_t answer_bytes_max = int64_t{64} << 20;
  int64_t process_bytes_max = int64_t{8} << 30;  ///< address space
};

/// Behind the name of the program; what RunEngineProcess takes.
std::vector<std::string> ArgumentsOf(const EngineProcessOptions& options);
/// `arguments` are those behind kEngineCommand. Returns the exit status.
int RunEngineProcess(std::span<const std::string> arguments);

}  // namespace levada::services::analytics
