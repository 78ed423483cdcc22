#pragma once
// What this binary is.

#include <string>
#include <string_view>

namespace levada::app {

/// "0.1.0": what stands in the files we write, the same for every build of a release.
std::string_view Version();

/// "levada 0.1.0", then what it was built with, a line each.
std::string VersionText();
/// The same as one JSON object with a newline.
std::string VersionJson();

}  // namespace levada::app
