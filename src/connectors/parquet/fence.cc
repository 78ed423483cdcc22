#include <fmt/format.h>

#include "base/clock.h"
#include "connectors/parquet/lake_run.h"
#include "connectors/parquet/lake_state.h"
#include "os/process.h"

namespace levada::parquet {
namespace {

Status Held(const places::Place& place, const LakeNames& names,
            const Result<std::optional<places::Record>>& record) {
  Fault fault(FaultCode::kLeaseHeld,
              fmt::format("run \"{}\" of this dataset is held by another process", names.label()));
  fault.With("path", place.Location(names.Lock()));
  if (record.ok() && *record) {
    const auto holder = Generation::FromJson((*record)->content);
    if (holder.ok()) fault.With("process", holder->process).With("since", holder->since);
  }
  return std::move(fault).Help("wait until it ends, or stop it");
}

}  // namespace

Result<Fence> Fence::Acquire(Context& ctx, places::Place& place, const LakeNames& names) {
  ARROW_ASSIGN_OR_RAISE(auto lock, place.TryLock(ctx, names.Lock()));
  if (lock == nullptr) {
    return Held(place, names, place.ReadRecord(ctx, names.Lock(), kRecordBytesMax));
  }
  return Fence(std::move(lock));
}

Status Fence::Raise(Context& ctx, int64_t previous, Random& random) {
  mine_.number = previous + 1;
  mine_.holder = NewId(random);
  mine_.process = fmt::format("{} {}", os::HostName(), os::ProcessId());
  mine_.since = FormatTimestamp(ctx.clock->Now());
  return lock_->Write(ctx, mine_.ToJson());
}

Status Fence::Check(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(const std::string text, lock_->Read(ctx));
  const auto found = Generation::FromJson(text);
  if (found.ok() && found->number == mine_.number && found->holder == mine_.holder) {
    return Status::OK();
  }
  Fault fault(
      FaultCode::kFenced,
      fmt::format("generation {} of this run is no longer the one that may write", mine_.number));
  if (found.ok()) {
    fault.With("generation", std::to_string(found->number)).With("process", found->process);
  }
  return std::move(fault).Help("another process has taken the run over; let it finish");
}

}  // namespace levada::parquet
