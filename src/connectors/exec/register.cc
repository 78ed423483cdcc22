#include <memory>
#include <utility>
#include <vector>

#include "connectors/exec/exec_consumer.h"
#include "connectors/exec/exec_loader.h"
#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "programs/program_options.h"

namespace levada::exec {
namespace {

constexpr int64_t kPartitionsMax = 10'000;

elt::OptionSpec ConsumerSpec() {
  elt::OptionSpec partitions;
  partitions.name = "partitions";
  partitions.type = elt::OptionType::kInteger;
  partitions.doc =
      "parts of a run, each written by a start of its own that is told LEVADA_PARTITION_INDEX and "
      "LEVADA_PARTITION_COUNT; {partition} in the command";
  partitions.default_text = "1";
  partitions.example = "4";
  partitions.min = 1;
  partitions.max = kPartitionsMax;
  elt::OptionSpec spec;
  spec.name = "exec";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "reads what a program of yours writes, as Arrow IPC on its standard output";
  spec.fields = programs::ProgramSpecs();
  spec.fields.push_back(partitions);
  return spec;
}

Result<std::unique_ptr<elt::Consumer>> MakeConsumer(const elt::Options& options,
                                                    const elt::StageInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto read,
                        programs::ReadProgramOptions(programs::Role::kConsumer, options, input));
  return std::make_unique<ExecConsumer>(std::move(read),
                                        static_cast<int>(options.Integer("partitions")));
}

elt::OptionSpec LoaderSpec() {
  elt::OptionSpec state;
  state.name = "state";
  state.doc = "a directory where levada records what the program was asked for and has done";
  state.required = true;
  state.example = "./state";
  elt::OptionSpec at_least_once;
  at_least_once.name = "at_least_once";
  at_least_once.type = elt::OptionType::kBool;
  at_least_once.doc =
      "has to be true: after a crash the program may be asked for the same step again, and only it "
      "can see to it that no row is there twice";
  at_least_once.required = true;
  at_least_once.example = "true";
  elt::OptionSpec spec;
  spec.name = "exec";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "gives rows to a program of yours, as Arrow IPC on its standard input";
  for (elt::OptionSpec& field : programs::ProgramSpecs()) {
    // A loader writes no batches.
    if (field.name != "batch_bytes") spec.fields.push_back(std::move(field));
  }
  spec.fields.push_back(state);
  spec.fields.push_back(at_least_once);
  return spec;
}

Result<std::unique_ptr<elt::Loader>> MakeLoader(const elt::Options& options,
                                                const elt::StageInput& input) {
  ARROW_ASSIGN_OR_RAISE(auto read,
                        programs::ReadProgramOptions(programs::Role::kLoader, options, input));
  std::vector<Diagnostic> problems;
  if (options.Text("state").empty()) {
    problems.push_back(
        options.ErrorAt("state", FaultCode::kBadValue, "\"state\" is empty", "name a directory"));
  }
  if (!options.Bool("at_least_once")) {
    problems.push_back(options.ErrorAt(
        "at_least_once", FaultCode::kImpossiblePlan,
        "exactly once cannot be promised for what a program does",
        "write at_least_once: true, and let the program know an attempt that it has seen by "
        "LEVADA_ATTEMPT"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("exec", std::move(problems)));
  return MakeExecLoader({std::move(read), options.Text("state"), input.disk});
}

}  // namespace

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> consumer;
  consumer.spec = ConsumerSpec();
  consumer.kind = consumer.spec.name;
  consumer.doc = consumer.spec.doc;
  consumer.make = MakeConsumer;
  catalog.Add(std::move(consumer));
  elt::CatalogEntry<elt::Loader> loader;
  loader.spec = LoaderSpec();
  loader.kind = loader.spec.name;
  loader.doc = loader.spec.doc;
  loader.make = MakeLoader;
  catalog.Add(std::move(loader));
}

}  // namespace levada::exec
