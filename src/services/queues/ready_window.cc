#include "services/queues/ready_window.h"

#include <iterator>
#include <set>
#include <utility>

namespace levada::services::queues {

void ReadyWindow::Reset(Place head, uint64_t first_seq) {
  first_seq_ = first_seq;
  window_.clear();
  unwritten_.clear();
  removed_.clear();
  horizon_ = head;
}

void ReadyWindow::Insert(Place place, Waiting waiting) {
  if (place >= horizon_) {
    unwritten_.push_back({place, waiting});
    return;
  }
  window_.emplace(place, waiting);
  if (window_.size() > 2 * size_max_) Trim();
}

void ReadyWindow::Remove(Place place, uint64_t write) {
  window_.erase(place);
  removed_.push_back({place, write});
}

void ReadyWindow::Trim() {
  const auto first = std::next(window_.begin(), static_cast<std::ptrdiff_t>(size_max_));
  horizon_ = first->first;
  for (auto at = first; at != window_.end(); ++at) {
    if (at->second.write != 0) unwritten_.push_back({at->first, at->second});
  }
  window_.erase(first, window_.end());
}

/// One that is not in the order of writes goes with those before it, which is soon enough.
void ReadyWindow::Wrote(uint64_t write) {
  while (!unwritten_.empty() && unwritten_.front().waiting.write <= write) unwritten_.pop_front();
  while (!removed_.empty() && removed_.front().write <= write) removed_.pop_front();
}

std::optional<Place> ReadyWindow::NeedsMore(size_t count) const {
  if (window_.size() >= count || horizon_ == kNowhere) return std::nullopt;
  return horizon_;
}

void ReadyWindow::Extend(const std::vector<PlacedEntry>& read) {
  std::set<Place> removed;
  for (const Removed& each : removed_) removed.insert(each.place);
  for (const PlacedEntry& each : read) {
    const bool is_there = each.place.seq >= first_seq_ && !removed.contains(each.place);
    if (is_there) window_.emplace(each.place, Waiting{each.entry, 0});
  }
  // The next one may stand right behind the last.
  const bool is_end = read.size() < size_max_;
  horizon_ = is_end ? kNowhere : Place{read.back().place.ms, read.back().place.seq + 1};
  std::deque<Unwritten> still;
  for (Unwritten& each : unwritten_) {
    if (each.place < horizon_) {
      window_.emplace(each.place, each.waiting);
    } else {
      still.push_back(std::move(each));
    }
  }
  unwritten_ = std::move(still);
}

}  // namespace levada::services::queues
