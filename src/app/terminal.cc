#include "app/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace levada::app {
namespace {

constexpr int kWidthMin = 20;
constexpr int kWidthMax = 1000;

std::optional<int> WidthOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return std::clamp<int>(size.ws_col, kWidthMin, kWidthMax);
}

std::optional<int> WidthOf(const std::optional<std::string>& columns) {
  if (!columns) return std::nullopt;
  int width = 0;
  const char* end = columns->data() + columns->size();
  const auto [rest, error] = std::from_chars(columns->data(), end, width);
  if (error != std::errc() || rest != end) return std::nullopt;
  return std::clamp(width, kWidthMin, kWidthMax);
}

bool SaysUtf8(const VariableReader& variable) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::optional<std::string> value = variable(name);
    if (!value || value->empty()) continue;
    std::transform(value->begin(), value->end(), value->begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return value->find("utf-8") != std::string::npos || value->find("utf8") != std::string::npos;
  }
  return false;
}

/// 0, or the errno of the write that failed.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

std::optional<std::string> ProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Terminal DetectTerminal(const VariableReader& variable, bool no_color) {
  Terminal terminal;
  terminal.output_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.error_is_terminal = isatty(STDERR_FILENO) == 1;
  const bool plain =
      no_color || !variable("NO_COLOR").value_or("").empty() || variable("TERM") == "dumb";
  terminal.output_color = terminal.output_is_terminal && !plain;
  terminal.error_color = terminal.error_is_terminal && !plain;
  terminal.utf8 = SaysUtf8(variable);
  std::optional<int> width = WidthOf(STDERR_FILENO);
  if (!width) width = WidthOf(STDOUT_FILENO);
  if (!width) width = WidthOf(variable("COLUMNS"));
  terminal.width = width.value_or(80);
  return terminal;
}

int ErrorWidthNow(int otherwise) { return WidthOf(STDERR_FILENO).value_or(otherwise); }

Status WriteOutput(std::string_view text) {
  const int error = WriteAll(STDOUT_FILENO, text);
  if (error == 0 || error == EPIPE) return Status::OK();
  return ErrnoFault(FaultCode::kTargetIo, error, "cannot write to standard output");
}

void WriteError(std::string_view text) { WriteAll(STDERR_FILENO, text); }

Paint::Paint(bool color) {
  if (!color) return;
  bold = "\x1b[1m";
  dim = "\x1b[2m";
  red = "\x1b[31m";
  green = "\x1b[32m";
  yellow = "\x1b[33m";
  cyan = "\x1b[36m";
  reset = "\x1b[0m";
}

}  // namespace levada::app
