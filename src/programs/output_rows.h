#pragma once
// OutputRows: the record batches that a program writes, cut to size. Its end is the end of the
// stream and the success of the program, both.

#include <cstdint>
#include <memory>

#include "elt/stages.h"
#include "formats/arrow_ipc/stream_reader.h"
#include "programs/running_program.h"

namespace levada::programs {

/// One thread at a time. Refers to the program, which outlives it.
class OutputRows final {
 public:
  /// Reads the schema. With `expected`, kSchemaDrift when it is another. Faults are explained by
  /// the end of the program where it has ended.
  static Result<std::unique_ptr<OutputRows>> Open(const Context& ctx, RunningProgram& program,
                                                  const ProgramOptions& options,
                                                  const elt::SchemaPtr& expected,
                                                  const elt::BatchLimits& limits);

  const elt::SchemaPtr& schema() const { return reader_->schema(); }
  /// Null once the program has ended well.
  Result<elt::BatchPtr> Next();

 private:
  OutputRows(RunningProgram& program, const elt::BatchLimits& limits)
      : program_(program), limits_(limits) {}
  Result<elt::BatchPtr> NextWhole();
  elt::BatchPtr Cut();

  RunningProgram& program_;
  const elt::BatchLimits limits_;
  std::unique_ptr<arrow_ipc::StreamReader> reader_;
  elt::BatchPtr whole_;   ///< of which there is more
  int64_t cut_rows_ = 0;  ///< of each piece of it
  int64_t next_row_ = 0;
};

}  // namespace levada::programs
