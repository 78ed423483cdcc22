#pragma once
// The log facade: events with fields, as text on a terminal and as JSON lines everywhere else. Log
// an error once, where it stops. No secrets and no row values at info level or above.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace levada {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };

/// One named value of an event.
struct LogField {
  std::string_view key;
  std::variant<int64_t, double, bool, std::string> value;
};

/// Thread-safe. Lines are written whole.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool Enabled(LogLevel level) const = 0;
  virtual void Write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (Enabled(LogLevel::kDebug)) Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (Enabled(LogLevel::kInfo)) Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (Enabled(LogLevel::kWarning)) Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (Enabled(LogLevel::kError)) Write(LogLevel::kError, message, fields);
  }
};

enum class LogFormat : uint8_t { kText, kJson };

/// To standard error. With kText a progress bar can be on the same terminal: `before_line` is
/// called before, and `after_line` after each line, under the logger's lock (either may be null).
struct LogHooks {
  void (*before_line)(void* state) = nullptr;
  void (*after_line)(void* state) = nullptr;
  void* state = nullptr;
};
std::unique_ptr<Logger> MakeLogger(LogFormat format, LogLevel level, bool color, LogHooks hooks);
/// Writes nothing.
std::unique_ptr<Logger> MakeNullLogger();

}  // namespace levada
