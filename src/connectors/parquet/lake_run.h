#pragma once
// LakeRun: this loader's TargetRun, one process's hold on one run of one dataset. docs/wire/
// manifest.md describes the records and the order in which they change.

#include <memory>
#include <string>

#include "base/clock.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_options.h"
#include "connectors/parquet/lake_records.h"
#include "elt/stages.h"
#include "places/place.h"

namespace levada::parquet {

/// The lock of one run, and the generation it was taken with.
class Fence final {
 public:
  /// kLeaseHeld, naming the holder, when somebody else has it.
  static Result<Fence> Acquire(Context& ctx, places::Place& place, const LakeNames& names);

  /// Writes `previous` + 1, durably, and who we are.
  Status Raise(Context& ctx, int64_t previous, Random& random);
  /// kFenced when the lock's text is no longer the one that Raise wrote.
  Status Check(Context& ctx) const;
  int64_t generation() const { return mine_.number; }

 private:
  explicit Fence(std::unique_ptr<places::PlaceLock> lock) : lock_(std::move(lock)) {}
  std::unique_ptr<places::PlaceLock> lock_;
  Generation mine_;
};

struct LakeRunInput {
  std::shared_ptr<places::Place> place;
  LakeNames names;
  elt::RunInstance run;
  elt::BoundTarget bound;
  int threads = 1;  ///< that encode, per slice
};

/// Loader::Begin: takes the fence, raises the generation, recovers.
Result<std::unique_ptr<elt::TargetRun>> BeginLakeRun(Context& ctx, LakeRunInput input,
                                                     Random& random);

}  // namespace levada::parquet
