#pragma once
// CommandLine: what the user asked for, as a plain value. The only place that knows CLI11; nothing
// is read or opened here, and every complaint is a Fault that points into the command line.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/log.h"

namespace levada::app {

enum class Verb : uint8_t {
  kHelp,
  kRun,
  kPlan,
  kCheck,
  kSchema,
  kStatus,
  kRetry,
  kBackfill,
  kInit,
  kPreview,
  kTest,
  kVerify,
  kDiff,
  kServe,
  kToken,
  kAccount,
  kAudit,
  kD1,
  kFsck,
  kBackup,
  kRestore,
  kExplain,
  kCompletions,
  kManual,
  kSelfCheck,
  kVersion
};

enum class ErrorFormat : uint8_t { kText, kJson };

/// `levada run URL PATH [--save FILE]`: a pipeline that has no file, or, of `init`, not yet.
struct AdHocPipeline {
  std::string url;
  std::string path;
  std::string save;  ///< the file to write the pipeline to; empty: none
};

struct CommandLine {
  Verb verb = Verb::kHelp;
  std::string help;  ///< kHelp: the page to print

  bool json = false;
  ErrorFormat error_format = ErrorFormat::kText;
  std::string state_directory;  ///< empty: .levada beside the pipeline file
  int64_t memory_bytes = 0;     ///< 0: the plan's, or none
  std::optional<LogLevel> log_level;
  std::optional<LogFormat> log_format;
  bool quiet = false;
  bool no_color = false;

  std::vector<std::string> files;       ///< pipeline files and directories, in the order written
  std::vector<std::string> names;       ///< --name: patterns
  std::vector<std::string> tags;        ///< --tag
  std::vector<std::string> having;      ///< --having: states of runs
  std::optional<AdHocPipeline> ad_hoc;  ///< kRun, kPlan: instead of files
  std::vector<std::string> windows;     ///< --window, in the order written
  bool replace = false;
  bool online = false;              ///< kCheck
  std::string against;              ///< kCheck: a Parquet file or dataset; empty: none
  std::string reader;               ///< kCheck: whose rules --against goes by; empty: the loader's
  int64_t rows = 5;                 ///< kPreview, kDiff
  std::string from;                 ///< kBackfill: label of the first window; kD1: of a copy
  std::string to;                   ///< kBackfill: of the last one; empty: the last closed one
  int parallel = 0;                 ///< kBackfill: windows at a time; 0: as the plan says
  bool serve = false;               ///< kSchema: of the configuration of serve
  bool routes = false;              ///< kSchema: what the doors of serve answer to
  bool rebuild = false;             ///< kStatus
  std::string config;               ///< kServe and the admin's: a file; empty: none
  std::string data;                 ///< kServe, and the admin's; empty: the default, as below
  std::string listen;               ///< kServe: "ADDRESS:PORT"; empty: the default
  std::string s3_listen;            ///< kServe: as listen
  std::string s3_domain;            ///< kServe
  std::string analytics_library;    ///< kServe
  std::string analytics_engine;     ///< kServe: a URL
  std::string analytics_password;   ///< kServe: a file
  std::string log_requests;         ///< kServe: all, notable
  std::string slow_request;         ///< kServe: a duration
  std::string stop_grace;           ///< kServe: a duration
  std::string metrics;              ///< kServe: token, open, off
  std::string tls_certificate;      ///< kServe
  std::string tls_key;              ///< kServe
  std::string master_key;           ///< kServe, and the admin's; empty: in the data directory
  std::string action;               ///< kToken, kAccount, kD1: create, list, shell ...
  std::string subject;              ///< a token's id, an account's name, a database
  std::string account;              ///< kToken, kAudit, kD1: whose
  std::string sql;                  ///< kD1 shell: statements
  std::string sql_file;             ///< kD1 shell: a file of them; empty: none
  std::string bucket;               ///< kD1 backup, restore; empty: the configuration's
  std::string label;                ///< kToken create: its name
  std::vector<std::string> scopes;  ///< kToken create
  std::string expires;              ///< kToken: how long it lives; empty: 90 days
  std::string overlap;              ///< kToken rotate
  int64_t limit = 100;              ///< kAudit: entries
  int64_t before = 0;               ///< kAudit: those of lower rows; 0: the newest
  bool scrub = false;               ///< kFsck
  bool salvage = false;             ///< kFsck
  std::string place;                ///< kBackup, kRestore: a directory, or s3://BUCKET/PREFIX
  std::string backup;               ///< kRestore: its id; empty: the newest
  bool check = false;               ///< kRestore: write nothing
  bool list = false;                ///< kRestore: name the backups
  int keep = 0;                     ///< kBackup: so many stay; 0: all
  bool no_master_key = false;       ///< kBackup
  std::string error_code;           ///< kExplain; empty: list all
  std::string shell;                ///< kCompletions
};

/// `arguments` without the program's name. kBadCommandLine with a diagnostic for anything that is
/// not understood. `width` is that of the help pages.
Result<CommandLine> ParseCommandLine(std::span<const std::string> arguments, int width);

/// One option of a command, for help pages, the manual and completions.
struct OptionText {
  std::string group = {};                 ///< "Options", "General options"
  std::string short_name = {};            ///< "q", or empty
  std::string long_name = {};             ///< "quiet"
  std::string value = {};                 ///< "DIR"; empty: a switch
  std::string doc = {};                   ///< one line
  std::vector<std::string> choices = {};  ///< all values there are; empty: others too
};
/// Of one command, in the order of its help page.
std::vector<OptionText> OptionTextsOf(Verb verb);

/// Shells that completions are made for.
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

/// The two wishes that must be honoured even when the rest cannot be parsed.
struct ErrorWishes {
  ErrorFormat format = ErrorFormat::kText;
  bool no_color = false;
};
ErrorWishes FindErrorWishes(std::span<const std::string> arguments);

}  // namespace levada::app
