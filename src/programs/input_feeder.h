#pragma once
// InputFeeder: rows to a program's standard input, on a thread of its own: a program may write as
// much as it likes before it reads on.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "elt/stages.h"
#include "programs/running_program.h"

namespace levada::programs {

/// Refers to the program and the rows, which outlive it.
class InputFeeder final {
 public:
  /// Gives the next batch, null at the end; called on the feeder's thread alone.
  using Rows = std::function<Result<elt::BatchPtr>()>;

  InputFeeder(const Context& ctx, RunningProgram& program, elt::SchemaPtr schema, Rows rows);
  /// Waits for the thread; stop the program first.
  ~InputFeeder();

  /// Rows given to the program so far, each counted before it is written.
  int64_t rows_given() const;
  /// The failure of `rows`, which also stopped the program; OK when there is none.
  Status failure() const;
  /// Waits for the thread: OK when all rows were given to the program and read by it or still are
  /// in its pipe.
  Status Finish();

 private:
  void Feed();
  Status FeedAll();

  const Context ctx_;
  RunningProgram& program_;
  const elt::SchemaPtr schema_;
  const Rows rows_;
  mutable std::mutex mutex_;
  int64_t rows_given_ = 0;
  Status failure_;
  Status outcome_;
  std::jthread thread_;  // last: it uses all of the above. tidy: allow a pipe has two ends
};

}  // namespace levada::programs
