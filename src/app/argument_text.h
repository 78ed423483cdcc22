#pragma once
// The command line as a source text, so that a diagnostic can put its caret under an argument.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/fault.h"

namespace levada::app {

class ArgumentText final {
 public:
  /// Without the program's name.
  explicit ArgumentText(std::span<const std::string> arguments);

  /// `index` past the last argument points behind the line.
  Diagnostic At(size_t index, std::string message, std::string label, std::string help) const;
  /// Behind the line, where something is missing.
  Diagnostic AtEnd(std::string message, std::string help) const;

 private:
  std::shared_ptr<const SourceText> source_;
  std::vector<Span> spans_;
  Span end_;
};

/// kBadCommandLine.
Fault Refused(std::vector<Diagnostic> diagnostics);
Fault Refused(Diagnostic diagnostic);

}  // namespace levada::app
