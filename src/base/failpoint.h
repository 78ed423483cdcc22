#pragma once
// Failpoints: named places where a test can kill the process or make a step fail, so that every
// crash point of stage, publish and finish is tested and not only the ones a random kill happens to
// hit.
//
// They are compiled into release too (one pointer comparison each), because the binary that users
// run is the one to test. Configured by LEVADA_FAILPOINTS="name=action[@n][,...]": action is kill |
// error | pause, n the hit that fires (1 by default); `pause` waits 60 s or until a stop.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada {

struct Context;

/// In the order in which a run passes them.
inline constexpr auto kFailpointNames = std::to_array<std::string_view>({
    "fence.acquired",            // the lock is held, the generation not yet written
    "fence.generation_written",  // the new generation is durable
    "split.before_record",       // split computed, nothing recorded
    "split.recorded",            // split durable in the target
    "ledger.before_commit",      // before each ledger transaction commits
    "read.opened",               // source connection open, nothing read
    "load.file_created",         // a staged file exists, empty
    "load.row_group_written",    // after each row group
    "load.before_sync",          // file complete, not yet fsynced
    "load.file_staged",          // staged file durable
    "load.done",                 // receipt complete
    "publish.before_intent",     // slices loaded and verified, nothing visible
    "publish.intent_written",    // intent durable, no rename done
    "publish.file_renamed",      // after each rename
    "publish.before_directory_sync",
    "publish.before_record",  // files visible and durable, record not yet
    "publish.recorded",       // partition record durable
    "finish.before_intent",   // all partitions loaded, replacing run: nothing visible
    "finish.intent_written",  // the switch is decided
    "finish.success_removed",
    "finish.file_renamed",
    "finish.before_manifest",
    "finish.manifest_written",  // the commit point is behind us
    "finish.file_deleted",      // after each replaced file is deleted
    "finish.before_success",
    "finish.success_written",
    "finish.cleaned",  // intents and staged leftovers removed
    "discard.before_remove",
    "run.before_report",  // all published, run.json not yet written
});

class Failpoints {
 public:
  enum class Action : uint8_t { kKill, kError, kPause };

  /// None armed.
  Failpoints() = default;
  /// Parses the text of LEVADA_FAILPOINTS; unknown names and actions are kBadCommandLine.
  static Result<std::unique_ptr<Failpoints>> Parse(std::string_view text);

  /// OK unless armed for this hit: then kills the process, or returns kFailpoint, or pauses.
  /// Thread-safe.
  Status Hit(std::string_view name, const Context& ctx) const;
  bool armed() const { return !armed_.empty(); }

 private:
  struct Armed {
    std::string name;
    Action action;
    int fires_at;
    mutable std::atomic<int> hits{0};
  };
  std::vector<std::unique_ptr<Armed>> armed_;
};

/// `return`s the failpoint's error from a function that returns Status or Result.
#define LEVADA_FAILPOINT(ctx, name)                                 \
  do {                                                              \
    if ((ctx).failpoints != nullptr && (ctx).failpoints->armed()) { \
      ARROW_RETURN_NOT_OK((ctx).failpoints->Hit(name, ctx));        \
    }                                                               \
  } while (false)

}  // namespace levada
