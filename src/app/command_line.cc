#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <utility>

#include "app/argument_text.h"
#include "app/help.h"
#include "app/positionals.h"
#include "app/serve_options.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

constexpr const char* kOptions = "Options";
constexpr const char* kGeneral = "General options";
constexpr int64_t kRowsMax = 1000;  // of preview and diff: more is what run is for
constexpr int64_t kParallelMax = 64;
constexpr int64_t kAuditLimitMax = 1'000'000;
constexpr int64_t kBackupsMax = 1'000'000;

/// What the options are parsed into before their texts are understood.
struct Raw {
  CommandLine line;
  bool help = false;
  std::string error_format;
  std::string memory;
  std::string log_level;
  std::string log_format;
  std::string save;
  std::string rows;
  std::string parallel;
  std::string limit;
  std::string before;
  std::string keep;
  std::vector<std::string> positional;
};

CLI::Option* AddText(CLI::App& app, const char* name, const char* value, std::string& into,
                     const char* doc, const char* group) {
  return app.add_option(name, into, doc)->type_name(value)->group(group);
}

void DefineGeneral(CLI::App& app, Raw& raw) {
  app.add_flag("--json", raw.line.json,
               "print the answer as JSON, and errors too; of several files one object a line")
      ->group(kGeneral);
  AddText(app, "--error-format", "FORMAT", raw.error_format,
          "how errors are printed: text or json; default json with --json, else text", kGeneral);
  AddText(app, "--log-level", "LEVEL", raw.log_level,
          "trace, debug, info, warning, error or off; default warning on a terminal, else info",
          kGeneral);
  AddText(app, "--log-format", "FORMAT", raw.log_format,
          "text or json; default text on a terminal, else json", kGeneral);
  app.add_flag("-q,--quiet", raw.line.quiet, "no progress and no summary, only errors")
      ->group(kGeneral);
  app.add_flag("--no-color", raw.line.no_color,
               "no colours; so do NO_COLOR in the environment and output that is not a terminal")
      ->group(kGeneral);
  app.add_flag("-h,--help", raw.help, "print this page")->group(kGeneral);
}

void DefineState(CLI::App& app, Raw& raw) {
  AddText(app, "--state", "DIR", raw.line.state_directory,
          "where the ledger and the reports are; default .levada beside the pipeline file",
          kOptions);
}

void DefineWindows(CLI::App& app, Raw& raw) {
  // One value an occurrence: `--window 2026-01-31 orders.yaml` must not swallow the file.
  app.add_option("--window", raw.line.windows,
                 "only this window, closed or not, such as 2026-01-31; may be repeated")
      ->type_name("LABEL")
      ->allow_extra_args(false)
      ->group(kOptions);
}

/// Of the pipelines of a directory.
void DefineSelection(CLI::App& app, Raw& raw) {
  const auto add = [&](const char* name, const char* value, std::vector<std::string>& into,
                       const char* doc) {
    app.add_option(name, into, doc)->type_name(value)->allow_extra_args(false)->group(kOptions);
  };
  add("--name", "PATTERN", raw.line.names,
      "only pipelines with such a name: * and ? stand for others; may be repeated");
  add("--tag", "TAG", raw.line.tags, "only pipelines with this tag, or with one of them");
  add("--having", "STATE", raw.line.having,
      "only pipelines with a run that is pending, begun, interrupted, failed or published, as "
      "status says");
}

void DefineReplace(CLI::App& app, Raw& raw) {
  app.add_flag("--replace", raw.line.replace,
               "run published windows again and replace them, under a changed plan too")
      ->group(kOptions);
}

void DefineMemory(CLI::App& app, Raw& raw) {
  AddText(app, "--memory", "SIZE", raw.memory,
          "limit of this process's memory, such as 256MiB; plan names the minimum", kOptions);
}

/// Of run, or of plan, which says what run would do.
void DefineRun(CLI::App& app, Raw& raw, bool may_save) {
  DefineSelection(app, raw);
  DefineWindows(app, raw);
  DefineReplace(app, raw);
  DefineMemory(app, raw);
  if (may_save) {
    AddText(app, "--save", "FILE", raw.save, "with URL and PATH: write the pipeline to this file",
            kOptions);
  }
  DefineState(app, raw);
}

void DefineBackfill(CLI::App& app, Raw& raw) {
  DefineSelection(app, raw);
  AddText(app, "--from", "LABEL", raw.line.from, "the first window, such as 2026-01-01", kOptions);
  AddText(app, "--to", "LABEL", raw.line.to, "the last window; default the last closed one",
          kOptions);
  AddText(app, "--parallel", "COUNT", raw.parallel,
          "windows at a time, 1 to 64; default as the file says", kOptions);
  DefineReplace(app, raw);
  DefineMemory(app, raw);
  DefineState(app, raw);
}

/// Of the daemon, of the commands that work on its directory, or of what looks at that alone.
void DefineServe(CLI::App& app, Raw& raw, Verb verb) {
  AddText(app, "--config", "FILE", raw.line.config,
          "a YAML file with these options; what stands on the command line wins", kOptions);
  for (const ServeOption& option : ServeOptions()) {
    if (verb != Verb::kServe && !option.is_admin) continue;
    std::string doc = option.spec.doc;
    if (!option.spec.default_text.empty()) doc += "; default " + option.spec.default_text;
    app.add_option("--" + FlagOf(option.spec.name), raw.line.*option.text, doc)
        ->type_name(option.value)
        ->group(kOptions);
  }
}

void DefineSchema(CLI::App& app, Raw& raw) {
  app.add_flag("--serve", raw.line.serve,
               "the JSON Schema of the configuration file of serve instead")
      ->group(kOptions);
  app.add_flag("--routes", raw.line.routes,
               "what the API and S3 of serve answer to, and what each call needs, as JSON instead")
      ->group(kOptions);
}

void DefineToken(CLI::App& app, Raw& raw) {
  AddText(app, "--account", "ACCOUNT", raw.line.account,
          "of the account with this name or id; needed when there are more", kOptions);
  AddText(app, "--name", "TEXT", raw.line.label, "create: what it is for", kOptions);
  app.add_option("--scope", raw.line.scopes,
                 "create: what it may do, such as kv:read, r2:write:photos, all:admin; may be "
                 "repeated")
      ->type_name("SCOPE")
      ->allow_extra_args(false)
      ->group(kOptions);
  AddText(app, "--expires", "DURATION", raw.line.expires,
          "create, rotate: how long it lives, such as 12h, 30d, or never; default 90d", kOptions);
  AddText(app, "--overlap", "DURATION", raw.line.overlap,
          "rotate: how long the old one stays valid; default 1h", kOptions);
}

void DefineAudit(CLI::App& app, Raw& raw) {
  AddText(app, "--limit", "COUNT", raw.limit, "so many entries, 1 to 1000000; default 100",
          kOptions);
  AddText(app, "--before", "ROW", raw.before, "those that are older than this one", kOptions);
  AddText(app, "--account", "ACCOUNT", raw.line.account,
          "of the account with this name or id; default all of them", kOptions);
}

void DefineD1(CLI::App& app, Raw& raw) {
  const auto add = [&](const char* name, const char* value, std::string& into, const char* doc) {
    AddText(app, name, value, into, doc, kOptions);
  };
  add("--account", "ACCOUNT", raw.line.account, "of the account with this name or id");
  add("--command", "SQL", raw.line.sql, "shell: run these statements and end");
  add("--file", "FILE", raw.line.sql_file, "shell: run the statements of this file and end");
  add("--from", "KEY", raw.line.from, "restore: the copy with this key, or latest: the newest");
  add("--bucket", "BUCKET", raw.line.bucket, "backup, restore: of R2; default as configured");
}

void DefineFsck(CLI::App& app, Raw& raw) {
  app.add_flag("--scrub", raw.line.scrub, "read the files of all objects to their end")
      ->group(kOptions);
  app.add_flag("--salvage", raw.line.salvage,
               "put what is readable of a damaged store in its place")
      ->group(kOptions);
}

void DefinePreview(CLI::App& app, Raw& raw) {
  app.add_option("--window", raw.line.windows, "rows of this window, such as 2026-01-31")
      ->type_name("LABEL")
      ->allow_extra_args(false)
      ->group(kOptions);
  AddText(app, "--rows", "COUNT", raw.rows, "how many rows, 1 to 1000; default 5", kOptions);
}

void DefineBackup(CLI::App& app, Raw& raw) {
  AddText(app, "--keep", "COUNT", raw.keep,
          "leave so many backups, the newest, and remove older ones; default all", kOptions);
  app.add_flag("--no-master-key", raw.line.no_master_key,
               "leave master.key out; whoever restores needs it")
      ->group(kOptions);
}

void DefineRestore(CLI::App& app, Raw& raw) {
  AddText(app, "--backup", "ID", raw.line.backup, "this one; default the newest", kOptions);
  app.add_flag("--list", raw.line.list, "name the backups there are")->group(kOptions);
  app.add_flag("--check", raw.line.check,
               "read all of it and compare it with what was written, and write nothing")
      ->group(kOptions);
}

/// Of the commands that have to do with a data directory.
void DefineServed(CLI::App& app, Verb verb, Raw& raw) {
  if (verb == Verb::kToken) DefineToken(app, raw);
  if (verb == Verb::kAudit) DefineAudit(app, raw);
  if (verb == Verb::kD1) DefineD1(app, raw);
  if (verb == Verb::kFsck) DefineFsck(app, raw);
  if (verb == Verb::kBackup) DefineBackup(app, raw);
  if (verb == Verb::kRestore) return DefineRestore(app, raw);  // it makes one
  DefineServe(app, raw, verb);
}

/// What the command has beside the general options.
void DefineOwn(CLI::App& app, Verb verb, Raw& raw) {
  switch (verb) {
    case Verb::kRun:
    case Verb::kPlan:
      DefineRun(app, raw, verb == Verb::kRun);
      break;
    case Verb::kBackfill:
      DefineBackfill(app, raw);
      break;
    case Verb::kRetry:
      DefineSelection(app, raw);
      DefineMemory(app, raw);
      DefineState(app, raw);
      break;
    case Verb::kCheck:
      DefineSelection(app, raw);
      app.add_flag("--online", raw.line.online, "connect to the sources and targets too")
          ->group(kOptions);
      AddText(app, "--against", "PATH", raw.line.against,
              "does what would be written merge with the Parquet files there?", kOptions);
      AddText(app, "--reader", "NAME", raw.line.reader,
              "for whom: spark-3, spark-4, hive, duckdb, iceberg-ready; default the loader's "
              "profile",
              kOptions);
      break;
    case Verb::kStatus:
      DefineSelection(app, raw);
      app.add_flag("--rebuild", raw.line.rebuild, "ask the targets and write the ledger anew")
          ->group(kOptions);
      DefineState(app, raw);
      break;
    case Verb::kInit:
      AddText(app, "--save", "FILE", raw.save, "write the pipeline to this file", kOptions);
      break;
    case Verb::kPreview:
      DefinePreview(app, raw);
      break;
    case Verb::kDiff:
      AddText(app, "--rows", "COUNT", raw.rows,
              "how many differing rows of each are shown, 1 to 1000; default 5", kOptions);
      break;
    case Verb::kServe:
    case Verb::kToken:
    case Verb::kAccount:
    case Verb::kAudit:
    case Verb::kD1:
    case Verb::kFsck:
    case Verb::kBackup:
    case Verb::kRestore:
      DefineServed(app, verb, raw);
      break;
    case Verb::kSchema:
      DefineSchema(app, raw);
      break;
    case Verb::kTest:
    case Verb::kVerify:
    case Verb::kExplain:
    case Verb::kCompletions:
    case Verb::kManual:
    case Verb::kSelfCheck:
    case Verb::kVersion:
    case Verb::kHelp:
      break;
  }
}

void DefineOptions(CLI::App& app, Verb verb, Raw& raw) {
  app.set_help_flag();
  DefineOwn(app, verb, raw);
  DefineGeneral(app, raw);
  const bool takes_words = verb != Verb::kVersion && verb != Verb::kHelp && verb != Verb::kManual &&
                           verb != Verb::kSelfCheck && verb != Verb::kServe &&
                           verb != Verb::kAudit && verb != Verb::kFsck;
  if (takes_words) {
    app.add_option("ARGUMENT", raw.positional)->group("");
  }
}

/// All values of an option that has a few, as UnderstandTexts knows them.
std::vector<std::string> ChoicesOf(const std::string& long_name);

std::vector<OptionText> TextsOf(const CLI::App& app) {
  std::vector<OptionText> texts;
  for (const char* group : {kOptions, kGeneral}) {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() != group) continue;
      OptionText text{.group = group, .doc = option->get_description()};
      if (!option->get_snames().empty()) text.short_name = option->get_snames().front();
      if (!option->get_lnames().empty()) text.long_name = option->get_lnames().front();
      if (option->get_items_expected_max() > 0) text.value = option->get_type_name();
      text.choices = ChoicesOf(text.long_name);
      texts.push_back(std::move(text));
    }
  }
  return texts;
}

std::vector<std::string> LongNamesOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string DidYouMean(const std::string& nearest) {
  return nearest.empty() ? std::string() : fmt::format("did you mean \"{}\"?", nearest);
}

/// "-1d" behind "--expires": a value that was meant, whose option says what is wrong with it.
bool IsNumberOf(const CLI::App& app, std::span<const std::string> arguments, size_t index) {
  const std::string& argument = arguments[index];
  if (argument.size() < 2 || std::isdigit(static_cast<unsigned char>(argument[1])) == 0) {
    return false;
  }
  const CLI::Option* before = index == 0 ? nullptr : app.get_option_no_throw(arguments[index - 1]);
  return before != nullptr && before->get_items_expected_max() > 0;
}

/// Every option that the command does not have, before CLI11 sees them: it would name only one, and
/// not where it stands.
std::vector<Diagnostic> UnknownOptions(const CLI::App& app, std::span<const std::string> arguments,
                                       size_t first, const std::string& command,
                                       const ArgumentText& text) {
  std::vector<Diagnostic> unknown;
  for (size_t i = first; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") break;
    if (argument.size() < 2 || argument[0] != '-') continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (app.get_option_no_throw(name) != nullptr) continue;
    if (IsNumberOf(app, arguments, i)) continue;
    std::string help = DidYouMean(NearestName(name, LongNamesOf(app)));
    if (help.empty()) help = fmt::format("`{} --help` lists the options", command);
    unknown.push_back(text.At(i, fmt::format("unknown option \"{}\"", name),
                              fmt::format("not an option of `{}`", command), std::move(help)));
  }
  return unknown;
}

Diagnostic NeedsValue(const ArgumentText& text, size_t index, const std::string& name,
                      const CLI::Option& option) {
  return text.At(index, fmt::format("option \"{}\" needs a value", name), "",
                 fmt::format("write {} {}", name, option.get_type_name()));
}

/// Options before which the value is missing: CLI11 would take the next option for it, and look for
/// a window called "--json".
std::vector<Diagnostic> MissingValues(const CLI::App& app, std::span<const std::string> arguments,
                                      size_t first, const ArgumentText& text) {
  std::vector<Diagnostic> missing;
  for (size_t i = first; i + 1 < arguments.size() && arguments[i] != "--"; ++i) {
    if (!arguments[i].starts_with("-") || arguments[i].find('=') != std::string::npos) continue;
    const CLI::Option* option = app.get_option_no_throw(arguments[i]);
    if (option == nullptr || option->get_items_expected_max() == 0) continue;
    const std::string& value = arguments[i + 1];
    const std::string name = value.substr(0, value.find('='));
    if (name.starts_with("-") && app.get_option_no_throw(name) != nullptr) {
      missing.push_back(NeedsValue(text, i, arguments[i], *option));
    } else {
      ++i;  // a value may look like anything else
    }
  }
  return missing;
}

/// Where the option stands once more behind `first`; else the arguments' count.
size_t Again(const CLI::App& app, std::span<const std::string> arguments, size_t first,
             const CLI::Option& option) {
  size_t at = first + 1;
  for (; at < arguments.size(); ++at) {
    const std::string name = arguments[at].substr(0, arguments[at].find('='));
    if (name.size() > 1 && name[0] == '-' && app.get_option_no_throw(name) == &option) break;
  }
  return at;
}

/// What CLI11 refused, in our words.
Diagnostic Complaint(const CLI::ParseError& error, const CLI::App& app,
                     std::span<const std::string> arguments, size_t first,
                     const ArgumentText& text) {
  const std::string said = error.what();
  for (size_t i = first; i < arguments.size(); ++i) {
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    const CLI::Option* option =
        name.size() > 1 && name[0] == '-' ? app.get_option_no_throw(name) : nullptr;
    if (option == nullptr || said.find(option->get_name()) == std::string::npos) continue;
    if (option->get_items_expected_max() == 0) {
      return text.At(i, fmt::format("option \"{}\" takes no value", name), "a switch", "");
    }
    if (const size_t again = Again(app, arguments, i, *option); again < arguments.size()) {
      return text.At(again, fmt::format("option \"{}\" is given twice", name), "the second",
                     "leave one of the two out");
    }
    return NeedsValue(text, i, name, *option);
  }
  return text.At(arguments.size(), "arguments that make no sense together: " + said, "", "");
}

template <typename Enum>
struct Choice {
  std::string_view text;
  Enum value;
};

/// One word of a few.
template <typename Enum, size_t N>
Result<Enum> Choose(const std::string& option, const std::string& word,
                    const Choice<Enum> (&choices)[N]) {
  std::vector<std::string> names;
  for (const Choice<Enum>& choice : choices) {
    if (choice.text == word) return choice.value;
    names.emplace_back(choice.text);
  }
  Fault fault(FaultCode::kBadCommandLine,
              fmt::format("option \"{}\": expected one of {}, got \"{}\"", option,
                          fmt::join(names, ", "), word));
  const std::string help = DidYouMean(NearestName(word, names));
  if (!help.empty()) fault.Help(help);
  return fault;
}

constexpr Choice<ErrorFormat> kErrorFormats[] = {{"text", ErrorFormat::kText},
                                                 {"json", ErrorFormat::kJson}};
enum class RunState : uint8_t { kAny };
constexpr Choice<RunState> kRunStates[] = {{"pending", RunState::kAny},
                                           {"begun", RunState::kAny},
                                           {"interrupted", RunState::kAny},
                                           {"failed", RunState::kAny},
                                           {"published", RunState::kAny}};
constexpr Choice<LogFormat> kLogFormats[] = {{"text", LogFormat::kText},
                                             {"json", LogFormat::kJson}};
constexpr Choice<LogLevel> kLogLevels[] = {
    {"trace", LogLevel::kTrace},  {"debug", LogLevel::kDebug},     {"info", LogLevel::kInfo},
    {"warn", LogLevel::kWarning}, {"warning", LogLevel::kWarning}, {"error", LogLevel::kError},
    {"off", LogLevel::kOff}};

template <typename Enum, size_t N>
std::vector<std::string> WordsOf(const Choice<Enum> (&choices)[N]) {
  std::vector<std::string> words;
  for (const Choice<Enum>& choice : choices) words.emplace_back(choice.text);
  return words;
}

std::vector<std::string> ChoicesOf(const std::string& long_name) {
  if (long_name == "error-format") return WordsOf(kErrorFormats);
  if (long_name == "log-format") return WordsOf(kLogFormats);
  if (long_name == "log-level") return WordsOf(kLogLevels);
  if (long_name == "having") return WordsOf(kRunStates);
  for (ServeOption& option : ServeOptions()) {
    if (FlagOf(option.spec.name) == long_name) return std::move(option.spec.choices);
  }
  return {};
}

/// `most` INT64_MAX is no limit worth a word.
Result<int64_t> ParseCount(std::string_view option, const std::string& text, int64_t most) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, count);
  if (parsed.ec == std::errc() && parsed.ptr == end && count >= 1 && count <= most) return count;
  const std::string range = most == INT64_MAX ? " from 1" : fmt::format(" from 1 to {}", most);
  return Fault(FaultCode::kBadCommandLine,
               fmt::format("option \"{}\": expected a number{}, got \"{}\"", option, range, text));
}

Status UnderstandTexts(Raw& raw) {
  CommandLine& line = raw.line;
  line.error_format = line.json ? ErrorFormat::kJson : ErrorFormat::kText;
  if (!raw.error_format.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.error_format,
                          Choose("--error-format", raw.error_format, kErrorFormats));
  }
  if (!raw.log_level.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.log_level, Choose("--log-level", raw.log_level, kLogLevels));
  }
  if (!raw.log_format.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.log_format, Choose("--log-format", raw.log_format, kLogFormats));
  }
  for (const std::string& state : line.having) {
    ARROW_RETURN_NOT_OK(Choose("--having", state, kRunStates).status());
  }
  if (!raw.memory.empty()) {
    Result<int64_t> bytes = ParseBytes(raw.memory);
    if (!bytes.ok() || *bytes == 0) {
      return Fault(FaultCode::kBadCommandLine,
                   fmt::format("option \"--memory\": expected a size such as 256MiB, got \"{}\"",
                               raw.memory));
    }
    line.memory_bytes = *bytes;
  }
  if (!raw.rows.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.rows, ParseCount("--rows", raw.rows, kRowsMax));
  }
  if (!raw.parallel.empty()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count,
                          ParseCount("--parallel", raw.parallel, kParallelMax));
    line.parallel = static_cast<int>(count);
  }
  if (!raw.limit.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.limit, ParseCount("--limit", raw.limit, kAuditLimitMax));
  }
  if (!raw.keep.empty()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, ParseCount("--keep", raw.keep, kBackupsMax));
    line.keep = static_cast<int>(count);
  }
  if (!raw.before.empty()) {
    ARROW_ASSIGN_OR_RAISE(line.before, ParseCount("--before", raw.before, INT64_MAX));
  }
  return Status::OK();
}

/// Index of the argument that names the command, with `help` before it ("levada help run").
const VerbText* FindVerb(const std::string& name) {
  for (const VerbText& verb : VerbTexts()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

Result<CommandLine> HelpOf(const VerbText* verb, int width) {
  Raw raw;
  CLI::App app;
  DefineOptions(app, verb == nullptr ? Verb::kHelp : verb->verb, raw);
  raw.line.verb = Verb::kHelp;
  const std::vector<OptionText> options = TextsOf(app);
  raw.line.help = verb == nullptr ? MainHelp(options, width) : VerbHelp(*verb, options, width);
  return raw.line;
}

Fault UnknownVerb(const std::string& word, size_t index, const ArgumentText& text) {
  std::vector<std::string> names = {"help"};
  for (const VerbText& verb : VerbTexts()) names.emplace_back(verb.name);
  std::string help = DidYouMean(NearestName(word, names));
  if (help.empty() && word.starts_with("-")) help = "options come after the command";
  if (help.empty() && word.find(".y") != std::string::npos) help = "write levada run " + word;
  if (help.empty()) help = "`levada --help` lists the commands";
  return Refused(text.At(index, fmt::format("unknown command \"{}\"", word), "", help));
}

}  // namespace

Result<CommandLine> ParseCommandLine(std::span<const std::string> arguments, int width) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    return HelpOf(nullptr, width);
  }
  const ArgumentText text(arguments);
  if (arguments[0] == "help") {
    if (arguments.size() == 1) return HelpOf(nullptr, width);
    const VerbText* verb = FindVerb(arguments[1]);
    if (verb == nullptr) return UnknownVerb(arguments[1], 1, text);
    return HelpOf(verb, width);
  }
  const bool wants_version = arguments[0] == "--version" || arguments[0] == "-V";
  const VerbText* verb = FindVerb(wants_version ? "version" : arguments[0]);
  if (verb == nullptr) return UnknownVerb(arguments[0], 0, text);

  Raw raw;
  raw.line.verb = verb->verb;
  CLI::App app;
  DefineOptions(app, verb->verb, raw);
  const std::string command = fmt::format("levada {}", verb->name);
  std::vector<Diagnostic> unknown = UnknownOptions(app, arguments, 1, command, text);
  if (!unknown.empty()) return Refused(std::move(unknown));
  std::vector<Diagnostic> missing = MissingValues(app, arguments, 1, text);
  if (!missing.empty()) return Refused(std::move(missing));
  try {
    // CLI11 wants the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend() - 1));
  } catch (const CLI::ExtrasError&) {
    const bool is_served = verb->verb == Verb::kServe || verb->verb == Verb::kFsck;
    return Refused(text.At(1, fmt::format("{} takes no arguments", verb->name), "",
                           is_served ? "the data directory is named with --data" : ""));
  } catch (const CLI::ParseError& error) {
    return Refused(Complaint(error, app, arguments, 1, text));
  }
  if (raw.help) return HelpOf(verb, width);
  ARROW_RETURN_NOT_OK(UnderstandTexts(raw));
  ARROW_RETURN_NOT_OK(
      UnderstandPositionals({std::move(raw.positional), raw.save}, *verb, text, raw.line));
  return std::move(raw.line);
}

std::vector<OptionText> OptionTextsOf(Verb verb) {
  Raw raw;
  CLI::App app;
  DefineOptions(app, verb, raw);
  return TextsOf(app);
}

ErrorWishes FindErrorWishes(std::span<const std::string> arguments) {
  ErrorWishes wishes;
  std::string format;
  bool json = false;
  constexpr std::string_view kFormatIs = "--error-format=";
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--no-color") wishes.no_color = true;
    if (arguments[i] == "--json") json = true;
    if (arguments[i].starts_with(kFormatIs)) format = arguments[i].substr(kFormatIs.size());
    if (arguments[i] == "--error-format" && i + 1 < arguments.size()) format = arguments[i + 1];
  }
  if (format == "json" || (json && format != "text")) wishes.format = ErrorFormat::kJson;
  return wishes;
}

}  // namespace levada::app
