#pragma once
// SQLite's own way to files (its VFS), but for its sleeps: SQLite sleeps outside of the busy
// handler too, up to ten seconds in all while the index of a write-ahead log cannot be read. Here
// these sleeps end at the stop of the call that they are part of.

#include "base/context.h"

namespace levada::db::sqlite {

/// The name to open databases by. Registers itself with SQLite at the first call; null, which means
/// SQLite's default, where that is impossible. Thread-safe.
const char* StoppableFiles();

/// While it lives, SQLite's sleeps on this thread are those of `ctx`.
class SleepScope final {
 public:
  explicit SleepScope(const Context& ctx);
  ~SleepScope();
  SleepScope(const SleepScope&) = delete;
  SleepScope& operator=(const SleepScope&) = delete;

 private:
  const Context* const outer_;
};

}  // namespace levada::db::sqlite
