#include "programs/ask_schema.h"

#include <chrono>
#include <optional>

#include "programs/input_feeder.h"
#include "programs/output_rows.h"

namespace levada::programs {
namespace {

// Some load a model first.
constexpr std::chrono::minutes kAnswerLimit{5};

}  // namespace

Result<elt::SchemaPtr> AskSchema(const Context& ctx, const ProgramOptions& options,
                                 const elt::SchemaPtr& input) {
  const Context limited = ctx.Within(kAnswerLimit);
  Call call;
  call.ask = "schema";
  call.has_input = input != nullptr;
  ARROW_ASSIGN_OR_RAISE(auto program, RunningProgram::Start(limited, options, call));
  std::optional<InputFeeder> feeder;
  if (input != nullptr) {
    feeder.emplace(limited, *program, input, [] { return Result<elt::BatchPtr>(nullptr); });
  }
  const auto ask = [&]() -> Result<elt::SchemaPtr> {
    ARROW_ASSIGN_OR_RAISE(auto rows, OutputRows::Open(limited, *program, options, nullptr, {}));
    ARROW_RETURN_NOT_OK(rows->Next().status());
    return rows->schema();
  };
  Result<elt::SchemaPtr> answer = ask();
  program->Stop();
  return answer;
}

}  // namespace levada::programs
