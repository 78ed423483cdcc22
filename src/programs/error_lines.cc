#include "programs/error_lines.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/text_columns.h"

namespace levada::programs {
namespace {

// A shorter one would blank half of a text and is no secret.
constexpr size_t kSecretBytesMin = 4;

}  // namespace

ErrorLines::ErrorLines(const Context& ctx, std::string program, std::vector<Secret> secrets)
    : ctx_(ctx),
      program_(std::move(program)),
      secrets_(std::move(secrets)),
      counted_at_(ctx.clock->Steady()) {}

void ErrorLines::Add(std::string_view line) {
  const std::string shown = Harmless(line);
  std::lock_guard lock(mutex_);
  if (!shown.empty()) {
    last_.push_back(shown);
    if (last_.size() > kKept) last_.pop_front();
  }
  const SteadyTime now = ctx_.clock->Steady();
  const std::chrono::duration<double> passed = now - std::exchange(counted_at_, now);
  allowance_ = std::min<double>(kBurst, allowance_ + passed.count() * kPerSecond);
  if (allowance_ < 1) {
    ++left_out_;
    return;
  }
  allowance_ -= 1;
  Log(shown);
}

void ErrorLines::End() {
  std::lock_guard lock(mutex_);
  if (left_out_ > 0) Log("");
}

std::string ErrorLines::Tail() const {
  std::lock_guard lock(mutex_);
  std::string tail;
  for (const std::string& line : last_) tail += (tail.empty() ? "" : " | ") + line;
  return tail;
}

std::string ErrorLines::Harmless(std::string_view line) const {
  std::string text(line);
  for (const Secret& secret : secrets_) {
    const std::string& value = secret.Reveal();
    if (value.size() < kSecretBytesMin) continue;
    for (size_t at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
      text.replace(at, value.size(), "***");
      at += 3;
    }
  }
  if (text.size() > kLineBytesMax) {
    text.resize(kLineBytesMax);
    text += "...";
  }
  return ShownText(text);
}

void ErrorLines::Log(const std::string& line) {
  const int64_t left_out = std::exchange(left_out_, 0);
  if (left_out > 0) {
    ctx_.log->Info("lines of a program were left out",
                   {{"program", program_}, {"lines", left_out}});
  }
  if (!line.empty()) ctx_.log->Info("a program says", {{"program", program_}, {"line", line}});
}

}  // namespace levada::programs
