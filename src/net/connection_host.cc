#include "net/connection_host.h"

#include <algorithm>
#include <utility>

#include "net/connection.h"

namespace levada::net {

ConnectionHost::ConnectionHost(Handler& handler, const ListenOptions& options,
                               std::function<void()> ended)
    : handler_(handler),
      limits_(options.limits),
      log_(options.log != nullptr ? options.log : own_log_.get()),
      observer_(options.observer),
      clock_(options.clock != nullptr ? options.clock : own_clock_.get()),
      ended_(std::move(ended)),
      tick_length_(TickLengthFor(options.limits)) {}

// An eighth of the shortest limit is near enough, and a second long enough between two looks at ten
// thousand connections.
std::chrono::milliseconds ConnectionHost::TickLengthFor(const ServerLimits& limits) {
  const auto shortest =
      std::min({limits.header_timeout, limits.idle_timeout, limits.stall_timeout});
  return std::clamp(shortest / 8, kShortestTick, kLongestTick);
}

void ConnectionHost::Advance() {
  ++tick_;
  for (Connection* connection : connections_) connection->CheckDeadline(tick_);
}

void ConnectionHost::Add(Connection& connection) {
  connection.set_index(connections_.size());
  connections_.push_back(&connection);
  ++counts_.connections;
  ++counts_.open;
}

void ConnectionHost::Remove(Connection& connection) {
  Connection* last = connections_.back();
  connections_[connection.index()] = last;
  last->set_index(connection.index());
  connections_.pop_back();
  --counts_.open;
  ended_();
}

}  // namespace levada::net
