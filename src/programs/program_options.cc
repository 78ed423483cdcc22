#include "programs/program_options.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "elt/option_problems.h"
#include "elt/plan.h"
#include "elt/stage_problems.h"
#include "elt/yaml_text.h"

namespace levada::programs {
namespace {

constexpr int64_t kBatchBytesDefaultMin = 64 << 10;
constexpr int64_t kBatchBytesMax = int64_t{1} << 30;
// Linux takes no longer one.
constexpr size_t kArgumentBytesMax = 128 << 10;
constexpr size_t kArgumentsMax = 1000;
constexpr std::string_view kOwnPrefix = "LEVADA_";
constexpr std::string_view kPartition = "{partition}";

/// `{partition}` by its number; "{{partition}}" is none. A transformer is not told which partition
/// its rows are of.
std::string WithPartition(std::string_view text, Role role, int partition) {
  if (role == Role::kTransformer) return std::string(text);
  std::string done;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "{{") {
      done += "{{";
      i += 2;
    } else if (text.substr(i, kPartition.size()) == kPartition) {
      done += std::to_string(partition);
      i += kPartition.size();
    } else {
      done += text[i++];
    }
  }
  return done;
}

bool IsVariableName(std::string_view name) {
  const auto ok = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, ok);
}

void CheckVariable(const elt::Options& options, const std::string& name, const elt::Options& value,
                   std::vector<Diagnostic>& problems) {
  if (!IsVariableName(name)) {
    problems.push_back(value.ErrorAt("", FaultCode::kBadValue,
                                     elt::Quoted(name) + ": expected the name of a variable",
                                     "letters, digits and _ make a name"));
  } else if (name.starts_with(kOwnPrefix)) {
    problems.push_back(value.ErrorAt("", FaultCode::kBadValue,
                                     elt::Quoted(name) + ": LEVADA_... are set by levada",
                                     "give the variable another name"));
  } else if (options.Given("environment") && options.Given("secrets")) {
    const auto plain = options.Map("environment");
    const auto secret = options.Map("secrets");
    const auto has = [&](const auto& map) {
      return std::ranges::any_of(map, [&](const auto& entry) { return entry.first == name; });
    };
    if (has(plain) && has(secret)) {
      problems.push_back(value.ErrorAt(
          "", FaultCode::kDuplicateKey,
          elt::Quoted(name) + " is in environment: and in secrets:", "keep one of the two"));
    }
  }
}

void CheckCommand(Role role, const elt::Options& options, const elt::StageInput& input,
                  std::vector<Diagnostic>& problems) {
  const auto refuse = [&](FaultCode code, std::string message, std::string help) {
    problems.push_back(options.ErrorAt("command", code, std::move(message), std::move(help)));
  };
  const std::vector<std::string> command = options.Texts("command");
  if (command.empty() || command.front().empty()) {
    return refuse(FaultCode::kBadValue, "\"command\" names no program",
                  "for example: command: [python3, make_rows.py]");
  }
  if (command.size() > kArgumentsMax) {
    return refuse(FaultCode::kBadValue,
                  "\"command\": expected at most " + std::to_string(kArgumentsMax) +
                      " arguments, got " + std::to_string(command.size()),
                  "put them into a file");
  }
  if (command.size() == 1 && command.front().find(' ') != std::string::npos) {
    refuse(
        FaultCode::kBadValue,
        "\"command\": there is no shell that would take " + elt::Quoted(command.front()) + " apart",
        "write each argument by itself: command: [sh, -c, \"...\"] where a shell is wanted");
  }
  for (const std::string& argument : command) {
    if (argument.size() > kArgumentBytesMax || argument.find('\0') != std::string::npos) {
      refuse(FaultCode::kBadValue, "\"command\": an argument that no program can get",
             "at most 128 KiB, without NUL bytes");
      continue;
    }
    const auto expanded = elt::ExpandTemplate(WithPartition(argument, role, 0), input.sample_run);
    if (expanded.ok()) continue;
    const Fault fault = FaultOf(expanded.status());
    refuse(fault.code(), "\"command\": " + fault.message(), fault.help());
  }
}

}  // namespace

std::string_view NameOf(Role role) {
  switch (role) {
    case Role::kConsumer:
      return "consumer";
    case Role::kTransformer:
      return "transformer";
    case Role::kLoader:
      break;
  }
  return "loader";
}

std::vector<elt::OptionSpec> ProgramSpecs() {
  elt::OptionSpec command;
  command.name = "command";
  command.type = elt::OptionType::kList;
  command.doc =
      "the program and its arguments, without a shell; it is found in PATH, or from the directory "
      "levada is started in";
  command.required = true;
  command.example = "[python3, make_rows.py, \"--day\", \"{run.start:%Y-%m-%d}\"]";
  command.fields = {{.name = "argument"}};
  elt::OptionSpec environment;
  environment.name = "environment";
  environment.type = elt::OptionType::kMap;
  environment.doc = "variables of the program beside PATH, HOME, LANG, TMPDIR and LEVADA_...";
  environment.example = "{ MODE: full }";
  environment.fields = {{.name = "value"}};
  elt::OptionSpec secrets;
  secrets.name = "secrets";
  secrets.type = elt::OptionType::kMap;
  secrets.doc = "variables that hold secrets: looked up when the program is started, never shown";
  secrets.example = "{ API_TOKEN: \"${env:API_TOKEN}\" }";
  secrets.fields = {{.name = "value", .secret = true}};
  elt::OptionSpec batch_bytes;
  batch_bytes.name = "batch_bytes";
  batch_bytes.type = elt::OptionType::kBytes;
  batch_bytes.doc = "the largest record batch that the program may write";
  batch_bytes.default_text = "16MiB";
  batch_bytes.min = kBatchBytesDefaultMin;
  batch_bytes.max = kBatchBytesMax;
  batch_bytes.runtime = true;
  elt::OptionSpec timeout;
  timeout.name = "timeout";
  timeout.type = elt::OptionType::kDuration;
  timeout.doc = "how long the program may take for one partition; no limit when left out";
  timeout.example = "2h";
  timeout.runtime = true;
  return {command, environment, secrets, batch_bytes, timeout};
}

std::string ProgramOptions::Name() const {
  constexpr size_t kBytesMax = 60;
  std::string name;
  for (const std::string& argument : command) name += (name.empty() ? "" : " ") + argument;
  if (name.size() <= kBytesMax) return name;
  name.resize(elt::ValidUtf8Prefix(name.substr(0, kBytesMax)));
  return name + "...";
}

Result<ProgramOptions> ReadProgramOptions(Role role, const elt::Options& options,
                                          const elt::StageInput& input) {
  std::vector<Diagnostic> problems;
  CheckCommand(role, options, input, problems);
  ProgramOptions read;
  read.role = role;
  read.sample_run = input.sample_run;
  read.command = options.Texts("command");
  read.written = options;
  if (options.Has("environment")) {
    for (const auto& [name, value] : options.Map("environment")) {
      CheckVariable(options, name, value, problems);
      read.environment.emplace_back(name, value.Scalar());
    }
  }
  if (options.Has("secrets")) {
    for (const auto& [name, value] : options.Map("secrets")) {
      CheckVariable(options, name, value, problems);
      read.secrets.emplace_back(name, value);
    }
  }
  if (role != Role::kLoader) read.batch_bytes = options.Integer("batch_bytes");
  if (options.Given("timeout")) {
    read.timeout = options.Duration("timeout");
    if (read.timeout->count() <= 0) {
      problems.push_back(options.ErrorAt("timeout", FaultCode::kBadValue,
                                         "\"timeout\": expected more than nothing",
                                         "leave it out for no limit"));
    }
  }
  ARROW_RETURN_NOT_OK(elt::Refused("exec", std::move(problems)));
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    if (input.environment == nullptr) break;
    if (auto value = input.environment->variable(name)) read.inherited.emplace_back(name, *value);
  }
  return read;
}

Result<std::vector<std::string>> ExpandArguments(const ProgramOptions& options, const Call& call) {
  const elt::RunInstance& run = call.run != nullptr ? *call.run : options.sample_run;
  std::vector<std::string> arguments;
  for (const std::string& argument : options.command) {
    ARROW_ASSIGN_OR_RAISE(
        std::string expanded,
        elt::ExpandTemplate(WithPartition(argument, options.role, call.partition_index), run));
    arguments.push_back(std::move(expanded));
  }
  return arguments;
}

Result<StartCommand> MakeCommand(const ProgramOptions& options, const Call& call) {
  StartCommand made;
  ARROW_ASSIGN_OR_RAISE(made.child.arguments, ExpandArguments(options, call));
  made.child.has_input = call.has_input;
  made.child.has_output = call.has_output;
  std::vector<std::pair<std::string, std::string>> variables = options.inherited;
  const auto set = [&](const std::string& name, const std::string& value) {
    std::erase_if(variables, [&](const auto& variable) { return variable.first == name; });
    variables.emplace_back(name, value);
  };
  for (const auto& [name, value] : options.environment) set(name, value);
  for (const auto& [name, value] : options.secrets) {
    ARROW_ASSIGN_OR_RAISE(Secret secret, value.Reveal(""));
    set(name, secret.Reveal());
    made.secrets.push_back(std::move(secret));
  }
  const auto tell = [&](const std::string& name, const std::string& value) {
    set(std::string(kOwnPrefix) + name, value);
  };
  tell("STAGE", std::string(NameOf(options.role)));
  tell("ASK", call.ask);
  if (call.run != nullptr) {
    tell("PIPELINE", call.run->pipeline);
    tell("RUN", call.run->Label());
    if (call.run->window) {
      tell("WINDOW_START", FormatTimestamp(call.run->window->start));
      tell("WINDOW_END", FormatTimestamp(call.run->window->end));
      tell("WINDOW_TIMEZONE", call.run->window->timezone);
      tell("WINDOW_COLUMN", call.run->window_column);
    }
    if (options.role != Role::kTransformer && call.partition_index >= 0) {
      tell("PARTITION_INDEX", std::to_string(call.partition_index));
      tell("PARTITION_COUNT", std::to_string(call.partition_count));
    }
  }
  for (const auto& [name, value] : call.more) tell(name, value);
  for (const auto& [name, value] : variables) {
    if (name == "PATH") made.child.search_path = value;
    if (value.find('\0') != std::string::npos) {
      return Fault(FaultCode::kUnresolvedReference,
                   "variable \"" + name + "\": a text with a NUL byte, which no program can get");
    }
    made.child.environment.push_back(name + "=" + value);
  }
  return made;
}

std::string ShownCommand(const std::vector<std::string>& arguments) {
  constexpr std::string_view kPlain = "_-./:=,+@%";
  std::string shown;
  for (const std::string& argument : arguments) {
    const bool plain = !argument.empty() && std::ranges::all_of(argument, [&](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             kPlain.find(static_cast<char>(c)) != kPlain.npos;
    });
    if (!shown.empty()) shown += ' ';
    if (plain) {
      shown += argument;
      continue;
    }
    shown += '\'';
    for (const char c : argument) shown += c == '\'' ? std::string("'\\''") : std::string(1, c);
    shown += '\'';
  }
  return shown;
}

}  // namespace levada::programs
