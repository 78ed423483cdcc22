#pragma once
// The words of the help pages: what each command is for, how it is called, examples. The options
// themselves are listed from their definitions in command_line.cc.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"

namespace levada::app {

struct VerbText {
  Verb verb;
  std::string_view name;     ///< "run"
  std::string_view summary;  ///< one line, lower case, no full stop
  std::string_view usage;    ///< one line per form, without "levada "
  std::string_view about;    ///< paragraphs, wrapped when printed
  std::string_view examples;
};

/// Every command but help, in the order in which a person meets them.
std::span<const VerbText> VerbTexts();

/// An exit status and what it means; in the order of the numbers.
struct ExitText {
  std::string_view status;  ///< "0", "130, 143"
  std::string_view meaning;
};
std::span<const ExitText> ExitTexts();

/// "levada plan FILE|DIR... [options]", a line for each form, behind `indent` spaces.
std::string UsageOf(const VerbText& verb, int indent);

/// The page of `levada --help`.
std::string MainHelp(const std::vector<OptionText>& options, int width);
/// The page of `levada <verb> --help`.
std::string VerbHelp(const VerbText& verb, const std::vector<OptionText>& options, int width);

/// `text` in lines of at most `width` bytes, each indented by `indent` spaces but the first;
/// paragraphs (empty lines) are kept.
std::string Wrapped(std::string_view text, int width, int indent);

}  // namespace levada::app
