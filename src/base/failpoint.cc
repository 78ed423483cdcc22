#include "base/failpoint.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/context.h"
#include "base/diagnostic.h"

namespace levada {
namespace {

constexpr std::chrono::seconds kPause{60};

std::vector<std::string> Names() { return {kFailpointNames.begin(), kFailpointNames.end()}; }

bool IsName(std::string_view name) {
  return std::ranges::find(kFailpointNames, name) != kFailpointNames.end();
}

std::optional<Failpoints::Action> ActionNamed(std::string_view name) {
  if (name == "kill") return Failpoints::Action::kKill;
  if (name == "error") return Failpoints::Action::kError;
  if (name == "pause") return Failpoints::Action::kPause;
  return std::nullopt;
}

std::optional<int> HitNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

Fault Refusal(std::string_view item, std::string_view why) {
  return Fault(FaultCode::kBadCommandLine,
               fmt::format("LEVADA_FAILPOINTS: {}, got \"{}\"", why, item))
      .Help("write name=action[@n][,...], where action is kill, error or pause");
}

}  // namespace

Result<std::unique_ptr<Failpoints>> Failpoints::Parse(std::string_view text) {
  auto failpoints = std::make_unique<Failpoints>();
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));

    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return Refusal(item, "expected name=action");
    const std::string_view name = item.substr(0, equals);
    if (!IsName(name)) {
      Fault fault = Refusal(name, "expected the name of a failpoint");
      const std::string nearest = NearestName(std::string(name), Names());
      if (!nearest.empty()) fault.Help(fmt::format("did you mean \"{}\"?", nearest));
      return fault;
    }
    const size_t at = std::min(item.find('@', equals), item.size());
    const auto action = ActionNamed(item.substr(equals + 1, at - equals - 1));
    if (!action) return Refusal(item, "expected kill, error or pause");
    const auto fires_at = at == item.size() ? std::optional(1) : HitNumber(item.substr(at + 1));
    if (!fires_at) return Refusal(item, "expected a hit number of 1 or more after \"@\"");

    auto armed = std::make_unique<Armed>();
    armed->name = name;
    armed->action = *action;
    armed->fires_at = *fires_at;
    failpoints->armed_.push_back(std::move(armed));
  }
  return failpoints;
}

Status Failpoints::Hit(std::string_view name, const Context& ctx) const {
  if (!armed()) return Status::OK();
  if (!IsName(name)) {
    return Fault(FaultCode::kInternal, fmt::format("failpoint \"{}\" is not in the list", name));
  }
  const Armed* fires = nullptr;
  for (const auto& armed : armed_) {  // each counts this hit, whichever fires
    if (armed->name == name && armed->hits.fetch_add(1) + 1 == armed->fires_at) fires = armed.get();
  }
  if (fires == nullptr) return Status::OK();
  switch (fires->action) {
    case Action::kKill:
      kill(getpid(), SIGKILL);
      break;
    case Action::kError:
      return Fault(FaultCode::kFailpoint, fmt::format("failpoint \"{}\" fired", name))
          .With("failpoint", std::string(name));
    case Action::kPause:
      ctx.clock->SleepUntil(ctx.clock->Steady() + kPause, ctx.stop);
      break;
  }
  return Status::OK();
}

}  // namespace levada
