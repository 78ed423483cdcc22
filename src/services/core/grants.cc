#include "services/core/grants.h"

#include <utility>

#include "base/binary_text.h"

namespace levada::services {

std::string Grants::Issue(Grant grant) {
  std::string value = HexOf(RandomBytes(random_, 32));
  const std::lock_guard lock(mutex_);
  by_value_[value] = std::move(grant);
  return value;
}

std::optional<Grant> Grants::Find(std::string_view value) const {
  const std::lock_guard lock(mutex_);
  const auto at = by_value_.find(std::string(value));
  if (at == by_value_.end()) return std::nullopt;
  return at->second;
}

void Grants::End(std::string_view generation) {
  const std::lock_guard lock(mutex_);
  std::erase_if(by_value_,
                [generation](const auto& each) { return each.second.generation == generation; });
}

namespace {

// The largest that a Worker may send in one call, and something.
constexpr uint64_t kDrainedBytesMax = uint64_t{6} << 30;

/// Whatever is left of it.
net::Task<void> Drain(net::RequestBody& body) {
  uint64_t left = kDrainedBytesMax;
  while (true) {
    const Result<std::string_view> piece = co_await body.Read();
    if (!piece.ok() || piece->empty() || piece->size() > left) co_return;
    left -= piece->size();
  }
}

}  // namespace

net::Task<net::Response> BindingDoor::Handle(net::Request& request) {
  const std::optional<std::string_view> value = request.headers.Find(kBindingHeader);
  const std::optional<Grant> grant = value ? grants_.Find(*value) : std::nullopt;
  const auto serve = grant ? by_kind_.find(grant->kind) : by_kind_.end();
  if (serve == by_kind_.end()) {
    net::Response refused;
    refused.status = 403;
    refused.reason = "No such binding";
    co_return refused;
  }
  net::Response response = co_await serve->second(request, *grant);
  if (response.status >= 400) co_await Drain(*request.body);
  co_return response;
}

}  // namespace levada::services
