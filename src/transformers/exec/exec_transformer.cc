#include "transformers/exec/exec_transformer.h"

#include <utility>

#include "programs/ask_schema.h"
#include "transformers/exec/program_transform.h"

namespace levada::exec_transformer {
namespace {

class BoundExec final : public elt::BoundTransformer {
 public:
  explicit BoundExec(BoundProgram bound) : bound_(std::move(bound)) {}

  const elt::SchemaPtr& schema() const override { return bound_.output; }
  int64_t pass_bytes() const override { return bound_.options.memory_bytes(); }
  std::unique_ptr<elt::BatchStream> Through(
      const Context& ctx, std::unique_ptr<elt::BatchStream> upstream) const override {
    return TransformByProgram(ctx, bound_, std::move(upstream));
  }

 private:
  const BoundProgram bound_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> ExecTransformer::Bind(
    const elt::SchemaPtr&, const elt::RunInstance&) const {
  return Fault(FaultCode::kInternal, "exec: a program says by itself what it writes, ask it");
}

Result<std::unique_ptr<elt::BoundTransformer>> ExecTransformer::BindAsking(
    Context& ctx, const elt::SchemaPtr& input, const elt::RunInstance& run) const {
  const std::string fingerprint = elt::SchemaFingerprint(*input);
  elt::SchemaPtr output;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = answers_.find(fingerprint); known != answers_.end()) {
      output = known->second;
    }
  }
  if (output == nullptr) {
    ARROW_ASSIGN_OR_RAISE(output, programs::AskSchema(ctx, options_, input));
    std::lock_guard lock(mutex_);
    answers_.emplace(fingerprint, output);
  }
  return std::make_unique<BoundExec>(BoundProgram{options_, drops_rows_, run, input, output});
}

}  // namespace levada::exec_transformer
