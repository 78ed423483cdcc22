#include "app/shell_input.h"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "os/process.h"

namespace levada::app {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr int kWaitMs = 60'000;
constexpr char kControlC = '\x03';

/// Pieces of any kind as lines.
class Lines final : public ShellInput {
 public:
  /// The next bytes; empty at the end.
  using More = std::function<Result<std::string>()>;
  Lines(More more, bool has_cancel) : more_(std::move(more)), has_cancel_(has_cancel) {}

  Result<std::optional<ShellLine>> Next() override {
    while (true) {
      const size_t end =
          has_cancel_ ? waiting_.find_first_of("\n\x03", looked_) : waiting_.find('\n', looked_);
      if (end != std::string::npos) return Take(end, 1);
      looked_ = waiting_.size();
      if (has_ended_) {
        if (waiting_.empty()) return std::nullopt;
        return Take(waiting_.size(), 0);
      }
      ARROW_ASSIGN_OR_RAISE(const std::string piece, more_());
      has_ended_ = piece.empty();
      waiting_ += piece;
    }
  }

 private:
  std::optional<ShellLine> Take(size_t size, size_t mark) {
    ShellLine line{waiting_.substr(0, size), mark > 0 && waiting_[size] == kControlC};
    if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
    waiting_.erase(0, size + mark);
    looked_ = 0;
    return line;
  }

  const More more_;
  const bool has_cancel_;
  std::string waiting_;
  size_t looked_ = 0;  ///< of waiting_, without an end
  bool has_ended_ = false;
};

/// Ctrl-C ends a line, and is the last byte of it.
class ControlCAsByte final {
 public:
  ControlCAsByte() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios changed = before_;
    changed.c_cc[VINTR] = _POSIX_VDISABLE;
    changed.c_cc[VEOL] = kControlC;
    is_changed_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &changed) == 0;
  }
  ~ControlCAsByte() {
    if (is_changed_) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  ControlCAsByte(const ControlCAsByte&) = delete;
  ControlCAsByte& operator=(const ControlCAsByte&) = delete;
  bool is_changed() const { return is_changed_; }

 private:
  termios before_{};
  bool is_changed_ = false;
};

class Standard final : public ShellInput {
 public:
  explicit Standard(const Context& ctx)
      : ctx_(ctx), stop_(ctx.stop), lines_([this] { return More(); }, terminal_.is_changed()) {}
  Result<std::optional<ShellLine>> Next() override { return lines_.Next(); }

 private:
  Result<std::string> More() {
    while (true) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      ARROW_ASSIGN_OR_RAISE(const bool is_ready,
                            os::WaitReady(STDIN_FILENO, POLLIN, stop_, kWaitMs));
      if (!is_ready) continue;
      std::string piece(kPieceBytes, '\0');
      const ssize_t got = read(STDIN_FILENO, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno != EIO) {  // a terminal that is gone has ended
        return Fault(FaultCode::kTargetIo,
                     fmt::format("standard input cannot be read: {}", std::strerror(errno)));
      }
      piece.resize(got < 0 ? 0 : static_cast<size_t>(got));
      return piece;
    }
  }

  const Context& ctx_;
  const os::StopEvent stop_;
  const ControlCAsByte terminal_;
  Lines lines_;
};

}  // namespace

bool IsInputTerminal() { return isatty(STDIN_FILENO) != 0; }

std::unique_ptr<ShellInput> StandardInput(const Context& ctx) {
  return std::make_unique<Standard>(ctx);
}

Result<std::unique_ptr<ShellInput>> FileInput(os::Disk& disk, const std::string& path) {
  auto opened = disk.Open(path);
  if (!opened.ok()) {
    return Fault(FaultCode::kFileUnreadable, fmt::format("\"{}\" cannot be read", path))
        .Because(opened.status());
  }
  const std::shared_ptr<os::ReadableFile> file = *std::move(opened);
  return std::make_unique<Lines>(
      [file, offset = int64_t{0}]() mutable -> Result<std::string> {
        std::string piece(kPieceBytes, '\0');
        ARROW_ASSIGN_OR_RAISE(
            const int64_t got,
            file->ReadAt(offset, {reinterpret_cast<uint8_t*>(piece.data()), piece.size()}));
        offset += got;
        piece.resize(static_cast<size_t>(got));
        return piece;
      },
      false);
}

std::unique_ptr<ShellInput> TextInput(std::string text) {
  return std::make_unique<Lines>(
      [text = std::move(text)]() mutable -> Result<std::string> { return std::exchange(text, {}); },
      false);
}

}  // namespace levada::app
