#pragma once
// The options of `levada serve`: one table that is its command line, the keys of its configuration
// file, their JSON Schema and their page in the guide.

#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "elt/options.h"

namespace levada::app {

/// One that the command line and the file both have: `--tls-key FILE` and `tls_key: FILE`.
struct ServeOption {
  elt::OptionSpec spec;  ///< its doc is the help of the command line too
  std::string value;     ///< "FILE", for the help
  std::string CommandLine::* text;
  bool is_admin = false;  ///< `levada token`, `account`, `audit`, `d1` and `fsck` have it as well
};

/// In the order of the help page.
std::vector<ServeOption> ServeOptions();
/// "tls-key" of "tls_key".
std::string FlagOf(std::string_view key);

/// The whole file: ServeOptions, and what only the file has.
elt::OptionSpec ServeFileSpec();

}  // namespace levada::app
