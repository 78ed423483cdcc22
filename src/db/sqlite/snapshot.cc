#include "db/sqlite/snapshot.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "db/sqlite/file_probe.h"

namespace levada::db::sqlite {
namespace {

// Between two tries; a stop ends the wait within it.
constexpr std::chrono::milliseconds kPause{10};
// How long one try waits for a lock. Connections that hold locks while another one waits could wait
// for a writer that waits for them. Each further try may take twice as long, for a schema of very
// many tables has to be read too.
constexpr std::chrono::milliseconds kTry{50};
constexpr int kDoublingsMax = 10;
// Tries that follow each other at once, where somebody commits meanwhile. After them a state
// between two names will do: they are only for people.
constexpr int kQuickTries = 8;

// Offsets in the header of a database.
constexpr size_t kWriteVersion = 18;
constexpr size_t kChangeCounter = 24;
constexpr uint8_t kVersionOfWal = 2;

uint32_t BigEndian(const FileProbe::Header& header, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) value = value << 8 | header[at + i];
  return value;
}

SteadyTime Now(const Context& ctx) {
  // tidy: allow the machine's clock for a context that was made without one
  return ctx.clock != nullptr ? ctx.clock->Steady() : std::chrono::steady_clock::now();
}

void Pause(const Context& ctx) {
  if (ctx.clock != nullptr) {
    ctx.clock->SleepUntil(ctx.clock->Steady() + kPause, ctx.stop);
  } else {
    std::this_thread::sleep_for(kPause);  // tidy: allow a context without a clock
  }
}

/// What the watcher has seen of commits, for each file.
Result<std::vector<int64_t>> VersionsOf(const Context& ctx, Database& watcher) {
  std::vector<int64_t> versions;
  for (const std::string& schema : watcher.schemas()) {
    ARROW_ASSIGN_OR_RAISE(Statement version,
                          watcher.Prepare(ctx, "PRAGMA " + QuoteName(schema) + ".data_version"));
    ARROW_ASSIGN_OR_RAISE(const bool row, version.Step(ctx));
    versions.push_back(row ? version.Int64(0) : -1);
    version.Reset();
  }
  return versions;
}

/// The moments of all files; empty when one of them has none.
Result<std::string> MomentOf(Database& database) {
  std::string moments;
  for (const std::string& schema : database.schemas()) {
    ARROW_ASSIGN_OR_RAISE(const FileState state, ReadFileState(database, schema));
    if (state.moment.empty()) return std::string();
    moments +=
        (moments.empty() ? "" : ", ") + (schema == "main" ? "" : schema + " ") + state.moment;
  }
  return moments;
}

Status CheckNotMoved(std::span<Database* const> connections) {
  // Twice around, so that two files that took turns under one name are noticed.
  for (int round = 0; round < 2; ++round) {
    for (Database* database : connections) {
      for (const std::string& schema : database->schemas()) {
        const FileProbe probe(*database, schema);
        ARROW_ASSIGN_OR_RAISE(const bool moved, probe.IsMoved());
        if (!moved) continue;
        return probe.Failure(0, ErrorKind::kReplaced,
                             "another file took its place while it was opened");
      }
    }
  }
  return Status::OK();
}

/// One try: a snapshot, or nullopt when somebody committed meanwhile.
Result<std::optional<Snapshot>> Try(const Context& ctx, std::span<Database* const> connections,
                                    Database* watcher) {
  std::vector<int64_t> before;
  if (watcher != nullptr) {
    ARROW_ASSIGN_OR_RAISE(before, VersionsOf(ctx, *watcher));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string moment, MomentOf(*connections.front()));
  Snapshot snapshot;
  for (Database* database : connections) {
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          Transaction::Begin(ctx, *database, Transaction::Kind::kRead));
    snapshot.transactions.push_back(std::move(transaction));
  }
  if (watcher != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<int64_t> after, VersionsOf(ctx, *watcher));
    if (after != before) return std::nullopt;
  }
  // Whatever lies between two equal marks is the state of that mark.
  ARROW_ASSIGN_OR_RAISE(const std::string again, MomentOf(*connections.front()));
  snapshot.is_exact = again == moment;
  snapshot.moment =
      snapshot.is_exact || moment.empty() || again.empty() ? moment : moment + " to " + again;
  ARROW_RETURN_NOT_OK(CheckNotMoved(connections));
  return std::optional<Snapshot>(std::move(snapshot));
}

Status TooBusy(Database& database, const char* message) {
  return FileProbe(database, "main").Failure(0, ErrorKind::kBusy, message);
}

std::chrono::nanoseconds TimeOfTry(int tries, std::chrono::nanoseconds left) {
  const std::chrono::nanoseconds time = kTry * (1 << std::min(tries - 1, kDoublingsMax));
  return std::min(time, std::max<std::chrono::nanoseconds>(left, kTry));
}

/// Of a try that failed: whether a lock was in its way. The deadline of a try is not that of `ctx`.
bool WasBusy(const Status& failure, const Context& ctx) {
  if (!ctx.Check().ok()) return false;
  return CodeOf(failure) == FaultCode::kSourceTimeout || IsFromBusy(failure);
}

}  // namespace

Result<FileState> ReadFileState(Database& database, const std::string& schema) {
  const FileProbe probe(database, schema);
  ARROW_ASSIGN_OR_RAISE(const FileProbe::Header header, probe.ReadHeader());
  ARROW_ASSIGN_OR_RAISE(const int64_t size, probe.Size());
  FileState state;
  ARROW_ASSIGN_OR_RAISE(state.is_moved, probe.IsMoved());
  state.is_wal = header[kWriteVersion] == kVersionOfWal && !probe.IsImmutable();
  state.header.assign(header.begin(), header.end());
  state.header += std::to_string(size);
  state.moment = state.is_wal ? probe.LogMark().value_or("")
                              : "change " + std::to_string(BigEndian(header, kChangeCounter));
  return state;
}

Result<Snapshot> TakeSnapshot(const Context& ctx, std::span<Database* const> connections,
                              Database* watcher, std::chrono::milliseconds patience) {
  const SteadyTime until = Now(ctx) + patience;
  const bool alone = connections.size() == 1 && connections.front()->schemas().size() == 1;
  for (int tries = 1;; ++tries) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    // One lock may be waited for in SQLite's own way.
    const bool is_bounded = !alone && ctx.clock != nullptr;
    const Context bounded = is_bounded ? ctx.Within(TimeOfTry(tries, until - Now(ctx))) : ctx;
    Result<std::optional<Snapshot>> taken = Try(bounded, connections, watcher);
    const bool late = Now(ctx) >= until;
    if (!taken.ok()) {
      if (alone || !WasBusy(taken.status(), ctx)) return taken.status();
      if (late) return TooBusy(*connections.front(), "another connection holds a lock");
      Pause(ctx);  // no lock of ours is held
      continue;
    }
    if (!taken->has_value()) {
      if (late && tries >= kQuickTries) {
        return TooBusy(*connections.front(),
                       "others commit so often that no two connections see the same state");
      }
      if (tries >= kQuickTries) Pause(ctx);
      continue;
    }
    if ((*taken)->is_exact || tries >= kQuickTries) return **std::move(taken);
  }
}

}  // namespace levada::db::sqlite
