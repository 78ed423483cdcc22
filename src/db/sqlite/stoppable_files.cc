#include "db/sqlite/stoppable_files.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace levada::db::sqlite {
namespace {

// SQLite calls back without saying for whom, on the thread of the call it works for.
thread_local const Context* t_context = nullptr;

int Sleep(sqlite3_vfs* vfs, int micros) {
  const Context* ctx = t_context;
  if (ctx == nullptr || ctx->clock == nullptr) {
    auto* original = static_cast<sqlite3_vfs*>(sqlite3_vfs_find(nullptr));
    return original == vfs ? micros : original->xSleep(original, micros);
  }
  const SteadyTime until = ctx->clock->Steady() + std::chrono::microseconds(micros);
  ctx->clock->SleepUntil(std::min(until, ctx->deadline), ctx->stop);
  return micros;
}

/// A copy of SQLite's default, which lives as long as the process: SQLite keeps its address.
const char* Register() {
  const sqlite3_vfs* original = sqlite3_vfs_find(nullptr);
  if (original == nullptr) return nullptr;
  static sqlite3_vfs vfs = *original;
  vfs.pNext = nullptr;
  vfs.zName = "levada";
  vfs.xSleep = Sleep;
  return sqlite3_vfs_register(&vfs, /*makeDflt=*/0) == SQLITE_OK ? vfs.zName : nullptr;
}

}  // namespace

const char* StoppableFiles() {
  static const char* const kName = Register();
  return kName;
}

SleepScope::SleepScope(const Context& ctx) : outer_(std::exchange(t_context, &ctx)) {}

SleepScope::~SleepScope() { t_context = outer_; }

}  // namespace levada::db::sqlite
