#pragma once
// ReadyWindow: the messages of one queue that wait, in the order they are given out: the first of
// them in memory, the others on the disk alone, so that a long queue costs no more than a short
// one. All that stand before `horizon` are here; what is put behind it is counted by nobody here,
// and found again when the window has run empty and is extended from the disk.
//
// The disk is behind: what was submitted may not be written yet when it is read. So whatever is put
// behind the horizon is remembered until its write is done, and so is what was removed: the horizon
// may come to stand before it, when others are put there. Pure; one thread's.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "services/queues/queue_records.h"

namespace levada::services::queues {

struct Waiting {
  Entry entry;
  uint64_t write = 0;  ///< the number of the write that put it there; 0: an old one
};

class ReadyWindow final {
 public:
  /// It holds up to twice `size_max`.
  explicit ReadyWindow(size_t size_max) : size_max_(size_max) {}

  /// As it stands in a store from `head` on. Messages before `first_seq` are purged, even if the
  /// disk has them still.
  void Reset(Place head, uint64_t first_seq = 0);
  void Insert(Place place, Waiting waiting);
  /// Of one that is in the window; `write`: the number of the write that deletes it.
  void Remove(Place place, uint64_t write);
  /// All writes up to this one are done.
  void Wrote(uint64_t write);

  /// Where to read on if there are to be `count` in the window; nullopt: there is no need.
  std::optional<Place> NeedsMore(size_t count) const;
  /// How many to read then.
  size_t read_count() const { return size_max_; }
  /// What was read from there; fewer than read_count() is the end of the queue.
  void Extend(const std::vector<PlacedEntry>& read);

  const std::map<Place, Waiting>& entries() const { return window_; }
  /// No place before it is taken.
  Place head() const { return window_.empty() ? horizon_ : window_.begin()->first; }

 private:
  struct Unwritten {
    Place place;
    Waiting waiting;
  };
  struct Removed {
    Place place;
    uint64_t write = 0;
  };
  void Trim();

  const size_t size_max_;
  uint64_t first_seq_ = 0;
  std::map<Place, Waiting> window_;
  Place horizon_ = kNowhere;         // kNowhere: nothing is behind it
  std::deque<Unwritten> unwritten_;  // behind the horizon
  std::deque<Removed> removed_;      // by writes that may not be done
};

}  // namespace levada::services::queues
