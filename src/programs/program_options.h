#pragma once
// ProgramOptions: the options that the stages of kind `exec` share, and how they become a command
// for one start.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "elt/catalog.h"
#include "elt/options.h"
#include "elt/run.h"
#include "os/child.h"

namespace levada::programs {

/// Whose part the program plays; names it in messages and in LEVADA_STAGE.
enum class Role : uint8_t { kConsumer, kTransformer, kLoader };
std::string_view NameOf(Role role);

/// The specs of `command`, `environment`, `secrets`, `batch_bytes` and `timeout`.
std::vector<elt::OptionSpec> ProgramSpecs();

/// Immutable; cheap enough to copy.
struct ProgramOptions {
  Role role = Role::kConsumer;
  std::vector<std::string> command;  ///< with templates
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, elt::Options>> secrets;   ///< revealed at each start
  std::vector<std::pair<std::string, std::string>> inherited;  ///< PATH, HOME, LANG, TMPDIR
  std::optional<elt::Options> written;  ///< for problems that point at the command
  int64_t batch_bytes = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  elt::RunInstance sample_run;  ///< what templates speak of while no run is known

  /// What a program in use takes of our memory besides batches: one being read, which may have to
  /// be decompressed, and two that slices further on still refer to.
  int64_t memory_bytes() const { return 4 * batch_bytes; }
  /// The command as it is written, cut to what fits into a message.
  std::string Name() const;
};

/// Checks what the specs cannot say; problems carry their places. `role` is also that of the stage.
Result<ProgramOptions> ReadProgramOptions(Role role, const elt::Options& options,
                                          const elt::StageInput& input);

/// What a program is asked for, and for whom.
struct Call {
  std::string ask;                        ///< "schema", "rows"; of a loader what it is to do
  const elt::RunInstance* run = nullptr;  ///< null when only the schema is asked
  int partition_index = 0;                ///< -1: it is about no partition
  int partition_count = 1;
  std::vector<std::pair<std::string, std::string>> more;  ///< further variables, without LEVADA_
  bool has_input = false;
  bool has_output = true;
};

/// The command of one start, and the secrets that are in its environment.
struct StartCommand {
  os::ChildCommand child;
  std::vector<Secret> secrets;
};
/// kUnresolvedReference for a secret that cannot be had, kBadLayout.
Result<StartCommand> MakeCommand(const ProgramOptions& options, const Call& call);

/// The arguments as one could type them into a shell, for people.
std::string ShownCommand(const std::vector<std::string>& arguments);
/// The arguments of `call` alone.
Result<std::vector<std::string>> ExpandArguments(const ProgramOptions& options, const Call& call);

}  // namespace levada::programs
