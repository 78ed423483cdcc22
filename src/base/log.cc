#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "base/clock.h"
#include "base/json.h"
#include "base/text_columns.h"

namespace levada {
namespace {

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "off";
}

std::string_view ColorOf(LogLevel level) {
  switch (level) {
    case LogLevel::kWarning:
      return "\x1b[33m";
    case LogLevel::kError:
      return "\x1b[31m";
    case LogLevel::kInfo:
      return "\x1b[32m";
    default:
      return "\x1b[2m";
  }
}

std::string TextOf(const LogField& field) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          const bool bare = !value.empty() && value.find_first_of(" \t\n\"=") == std::string::npos;
          if (bare) return ShownText(value);
          std::string quoted = "\"";
          for (const char c : ShownText(value)) {
            if (c == '"' || c == '\\') quoted += '\\';
            quoted += c;
          }
          return quoted + '"';
        } else {
          return fmt::format("{}", value);
        }
      },
      field.value);
}

// "16:04:52.123 warning  slow source  host=db1 wait=\"4.8 s\""
std::string TextLine(LogLevel level, WallMicros now, std::string_view message,
                     std::initializer_list<LogField> fields, bool color) {
  const std::string time = FormatTimestamp(now);
  const size_t clock = time.find('T') + 1;
  std::string line = fmt::format("{} {}{:<7}{} {}", time.substr(clock, sizeof "00:00:00.000" - 1),
                                 color ? ColorOf(level) : "", NameOf(level), color ? "\x1b[0m" : "",
                                 ShownText(message));
  for (const LogField& field : fields) {
    line += fmt::format(" {}={}", ShownText(field.key), TextOf(field));
  }
  return line + '\n';
}

std::string JsonLine(LogLevel level, WallMicros now, std::string_view message,
                     std::initializer_list<LogField> fields) {
  Json json;
  json["time"] = FormatTimestamp(now);
  json["level"] = NameOf(level);
  json["message"] = message;
  for (const LogField& field : fields) {
    std::string key(field.key);
    while (json.contains(key)) key += '_';  // a field named "level" must not hide the event's own
    std::visit([&](const auto& value) { json[key] = value; }, field.value);
  }
  return Dump(json) + '\n';
}

// One write(2) for a line, so that lines of several processes do not mix. What cannot be logged is
// lost.
void WriteToStandardError(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<size_t>(written));
  }
}

class StandardErrorLogger final : public Logger {
 public:
  StandardErrorLogger(LogFormat format, LogLevel level, bool color, LogHooks hooks)
      : format_(format), level_(level), color_(color), hooks_(hooks), clock_(MakeSystemClock()) {}

  bool Enabled(LogLevel level) const override { return level >= level_ && level != LogLevel::kOff; }

  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (!Enabled(level)) return;
    const std::string line = format_ == LogFormat::kJson
                                 ? JsonLine(level, clock_->Now(), message, fields)
                                 : TextLine(level, clock_->Now(), message, fields, color_);
    std::lock_guard lock(mutex_);
    if (hooks_.before_line != nullptr) hooks_.before_line(hooks_.state);
    WriteToStandardError(line);
    if (hooks_.after_line != nullptr) hooks_.after_line(hooks_.state);
  }

 private:
  const LogFormat format_;
  const LogLevel level_;
  const bool color_;
  const LogHooks hooks_;
  const std::unique_ptr<Clock> clock_;
  std::mutex mutex_;
};

class NullLogger final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace

std::unique_ptr<Logger> MakeLogger(LogFormat format, LogLevel level, bool color, LogHooks hooks) {
  return std::make_unique<StandardErrorLogger>(format, level, color, hooks);
}

std::unique_ptr<Logger> MakeNullLogger() { return std::make_unique<NullLogger>(); }

}  // namespace levada
