#pragma once
// EventCourier: brings the event notifications that writes left in the store to their queues, and
// forgets them when the queue has them: so each arrives once or, after a daemon was killed between
// the two, once more. A queue that takes none holds up nobody but itself. On the loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "services/r2/object_store.h"

namespace levada::services::r2 {

enum class EventSent : uint8_t {
  kStored,
  kNoQueue,  ///< it was deleted: nobody will ever ask for them
  kNotNow,   ///< full, or busy
};

/// Lives until Run of the loop has returned.
class EventCourier final {
 public:
  /// Stores the messages, JSON each, in a queue: all of them durably, or none.
  using Send = std::function<net::Task<Result<EventSent>>(uint64_t queue,
                                                          std::vector<std::string> messages)>;

  /// All outlive it. `again`: how long it waits behind a failure.
  EventCourier(ObjectStore& store, net::Loop& loop, Logger& log, Send send,
               std::chrono::milliseconds again = std::chrono::seconds(2))
      : store_(store), loop_(loop), log_(log), send_(std::move(send)), again_(again) {}

  /// There may be some.
  void Poke();
  /// Begins no further send, and waits for the one under way.
  net::Task<void> Stop();

 private:
  net::Task<void> Carry();
  /// All there are for now; false: some are left for later.
  net::Task<bool> CarryAll();
  net::Task<bool> CarrySome(WaitingEvents waiting);
  net::Task<void> PokeLater();

  ObjectStore& store_;
  net::Loop& loop_;
  Logger& log_;
  const Send send_;
  const std::chrono::milliseconds again_;
  bool is_carrying_ = false;
  bool is_stale_ = false;  // more may have come since it looked
  bool is_waiting_ = false;
  bool is_stopped_ = false;
};

}  // namespace levada::services::r2
