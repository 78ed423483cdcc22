#pragma once
// The exec transformer: the rows of a partition through a program of the user's, which reads them
// from standard input and writes its own to standard output, in its own time.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "elt/stages.h"
#include "programs/program_options.h"

namespace levada::exec_transformer {

class ExecTransformer final : public elt::Transformer {
 public:
  ExecTransformer(programs::ProgramOptions options, bool drops_rows)
      : options_(std::move(options)), drops_rows_(drops_rows) {}

  /// The program has to be asked: kInternal.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;
  /// Asks the program, once for each schema of its input.
  Result<std::unique_ptr<elt::BoundTransformer>> BindAsking(
      Context& ctx, const elt::SchemaPtr& input, const elt::RunInstance& run) const override;
  bool sees_whole_partition() const override { return true; }

 private:
  const programs::ProgramOptions options_;
  const bool drops_rows_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, elt::SchemaPtr> answers_;  ///< by fingerprint of the input
};

}  // namespace levada::exec_transformer
