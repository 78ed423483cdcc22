#pragma once
// BlobUses: when the file of a blob may go. A blob that no record names any more is still read by
// whoever found it before; it goes when the last of them has ended. On the loop.
//
// A reader first begins a Lookup, reads the record, pins the record's blobs, and ends the Lookup:
// what was released meanwhile waits until no Lookup that began before is under way, so that none is
// removed between being found and being pinned.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "services/r2/object_record.h"

namespace levada::services::r2 {

class BlobUses final {
  struct State;

 public:
  /// Removes a file in the background.
  using Remove = std::function<void(const Stamp&)>;

  class [[nodiscard]] Lookup final {
   public:
    Lookup(Lookup&&) noexcept = default;
    Lookup& operator=(Lookup&&) = delete;
    ~Lookup();

   private:
    friend class BlobUses;
    Lookup(const std::shared_ptr<State>& state, uint64_t ticket) : state_(state), ticket_(ticket) {}
    std::weak_ptr<State> state_;
    uint64_t ticket_;
  };

  /// Keeps the files it names until it dies. A default one names none.
  class [[nodiscard]] Pins final {
   public:
    Pins() = default;
    Pins(Pins&&) noexcept = default;
    Pins& operator=(Pins&& other) noexcept {
      std::swap(state_, other.state_);
      std::swap(blobs_, other.blobs_);
      return *this;
    }
    ~Pins();

   private:
    friend class BlobUses;
    Pins(const std::shared_ptr<State>& state, std::vector<Stamp> blobs)
        : state_(state), blobs_(std::move(blobs)) {}
    std::weak_ptr<State> state_;
    std::vector<Stamp> blobs_;
  };

  explicit BlobUses(Remove remove);

  Lookup BeginLookup();
  /// Within a Lookup.
  Pins Pin(const std::vector<Segment>& segments);
  /// No record names them any more, durably.
  void Release(std::vector<Stamp> blobs);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace levada::services::r2
