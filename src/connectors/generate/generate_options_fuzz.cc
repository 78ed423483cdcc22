// Any bytes as the options of a generate stage: a table or a refusal with places inside the text.
// Of a table the first and the last rows are made, and are valid.

#include <arrow/record_batch.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/memory.h"
#include "connectors/generate/generate_options.h"
#include "elt/value.h"

namespace levada::generate {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void MakeSome(const GeneratedTable& table) {
  if (table.rows() == 0) return;
  BudgetPool pool(0);
  Context ctx;
  ctx.pool = &pool;
  const int64_t rows = std::min<int64_t>(table.rows(), 9);
  for (const int64_t first : {int64_t{0}, table.rows() - rows}) {
    const auto batch = table.Make(ctx, first, rows);
    Require(batch.ok() && (*batch)->ValidateFull().ok());
  }
}

/// References stand for nothing here.
std::shared_ptr<const elt::Environment> NoEnvironment() {
  auto environment = std::make_shared<elt::Environment>();
  environment->variable = [](const std::string&) { return std::optional<std::string>(); };
  environment->file = [](const std::string&) -> Result<std::string> {
    return Status::IOError("no files");
  };
  return environment;
}

void Try(const std::string& text) {
  static const elt::OptionSpec spec = ConsumerSpec();
  const auto source = std::make_shared<const SourceText>(SourceText{"fuzz.yaml", text});
  const Result<elt::Value> value = elt::ParseYaml(source);
  if (!value.ok()) return;
  std::vector<Diagnostic> problems;
  const elt::Options options = elt::ValidateOptions(spec, *value, "consumer \"generate\"", source,
                                                    NoEnvironment(), problems);
  if (!problems.empty()) return;
  const Result<ConsumerOptions> read = ReadConsumerOptions(options, false);
  if (read.ok()) return MakeSome(*read->table);
  const Fault fault = FaultOf(read.status());
  Require(fault.kind().exit_status == 10 && !fault.diagnostics().empty());
  for (const Diagnostic& problem : fault.diagnostics()) Require(problem.span.known());
  Require(!Render(fault, {}).empty());
}

}  // namespace
}  // namespace levada::generate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::generate::Try(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
