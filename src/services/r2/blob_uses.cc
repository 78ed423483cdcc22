#include "services/r2/blob_uses.h"

namespace levada::services::r2 {

struct BlobUses::State {
  struct Released {
    uint64_t ticket;  // lookups from this one on did not find it
    std::vector<Stamp> blobs;
  };

  explicit State(Remove remove_file) : remove(std::move(remove_file)) {}

  /// What no lookup can find any more goes, or waits for its readers.
  void Settle() {
    const uint64_t oldest = lookups.empty() ? next_ticket : *lookups.begin();
    while (!released.empty() && released.front().ticket <= oldest) {
      const std::vector<Stamp> blobs = std::move(released.front().blobs);
      released.pop_front();
      for (const Stamp& blob : blobs) {
        if (pins.contains(blob)) {
          condemned.insert(blob);
        } else {
          remove(blob);
        }
      }
    }
  }

  void Unpin(const Stamp& blob) {
    const auto at = pins.find(blob);
    if (--at->second > 0) return;
    pins.erase(at);
    if (condemned.erase(blob) > 0) remove(blob);
  }

  const Remove remove;
  uint64_t next_ticket = 1;
  std::set<uint64_t> lookups;  // under way
  std::deque<Released> released;
  std::map<Stamp, int> pins;
  std::set<Stamp> condemned;  // pinned, and in no record
};

BlobUses::BlobUses(Remove remove) : state_(std::make_shared<State>(std::move(remove))) {}

BlobUses::Lookup::~Lookup() {
  const std::shared_ptr<State> state = state_.lock();
  if (state == nullptr) return;
  state->lookups.erase(ticket_);
  state->Settle();
}

BlobUses::Pins::~Pins() {
  const std::shared_ptr<State> state = state_.lock();
  if (state == nullptr) return;
  for (const Stamp& blob : blobs_) state->Unpin(blob);
}

BlobUses::Lookup BlobUses::BeginLookup() {
  const uint64_t ticket = state_->next_ticket++;
  state_->lookups.insert(ticket);
  return {state_, ticket};
}

BlobUses::Pins BlobUses::Pin(const std::vector<Segment>& segments) {
  std::vector<Stamp> blobs;
  blobs.reserve(segments.size());
  for (const Segment& segment : segments) {
    ++state_->pins[segment.blob];
    blobs.push_back(segment.blob);
  }
  return {state_, std::move(blobs)};
}

void BlobUses::Release(std::vector<Stamp> blobs) {
  if (blobs.empty()) return;
  state_->released.push_back({state_->next_ticket, std::move(blobs)});
  state_->Settle();
}

}  // namespace levada::services::r2
