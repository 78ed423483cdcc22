#include "app/argument_text.h"

#include <utility>

namespace levada::app {

ArgumentText::ArgumentText(std::span<const std::string> arguments) {
  auto source = std::make_shared<SourceText>();
  source->name = "<command line>";
  source->text = "levada";
  for (const std::string& argument : arguments) {
    source->text += ' ';
    const bool quote =
        argument.empty() || argument.find_first_of(" \t\n'\"$&|;*?") != argument.npos;
    spans_.push_back({1, static_cast<uint32_t>(source->text.size() + 1),
                      static_cast<uint32_t>(argument.size() + (quote ? 2 : 0))});
    source->text += quote ? "\"" + argument + "\"" : argument;
  }
  end_ = {1, static_cast<uint32_t>(source->text.size() + 1), 1};
  source_ = std::move(source);
}

Diagnostic ArgumentText::At(size_t index, std::string message, std::string label,
                            std::string help) const {
  Diagnostic diagnostic;
  diagnostic.code = FaultCode::kBadCommandLine;
  diagnostic.message = std::move(message);
  diagnostic.source = source_;
  diagnostic.span = index < spans_.size() ? spans_[index] : end_;
  diagnostic.label = std::move(label);
  diagnostic.help = std::move(help);
  return diagnostic;
}

Diagnostic ArgumentText::AtEnd(std::string message, std::string help) const {
  return At(spans_.size(), std::move(message), "", std::move(help));
}

Fault Refused(std::vector<Diagnostic> diagnostics) {
  std::string message = diagnostics.front().message;
  return Fault(FaultCode::kBadCommandLine, std::move(message)).At(std::move(diagnostics));
}

Fault Refused(Diagnostic diagnostic) {
  return Refused(std::vector<Diagnostic>{std::move(diagnostic)});
}

}  // namespace levada::app
