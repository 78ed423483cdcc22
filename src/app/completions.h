#pragma once
// Scripts by which shells complete levada's command line, made of the same definitions that parse
// it.

#include <string>

namespace levada::app {

/// For one of kShells: commands with what they do, the options of each, the values of those that
/// have a few, else files.
std::string Completions(const std::string& shell);

}  // namespace levada::app
