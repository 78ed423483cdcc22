#pragma once
// The manual page, made of the words of the help pages.

#include <string>

namespace levada::app {

/// In roff, with the man macros, for `man levada`.
std::string ManualPage();

}  // namespace levada::app
