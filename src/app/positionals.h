#pragma once
// Which of a command's words are what: its files, a URL and a directory, an action and its subject.

#include <string>
#include <vector>

#include "app/argument_text.h"
#include "app/command_line.h"
#include "app/help.h"
#include "base/fault.h"

namespace levada::app {

struct Positionals {
  std::vector<std::string> words;
  std::string save;  ///< of --save
};

/// Fills `line`, of which the options are there. kBadCommandLine for words too few or too many.
Status UnderstandPositionals(Positionals given, const VerbText& verb, const ArgumentText& text,
                             CommandLine& line);

}  // namespace levada::app
