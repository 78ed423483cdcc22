#include "elt/stage_problems.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "elt/option_problems.h"

namespace levada::elt {

Fault Placed(const Fault& fault, const Options& options, std::string_view option) {
  return Fault(fault).At({options.ErrorAt(option, fault.code(), fault.message(), fault.help())});
}

int FindColumn(const arrow::Schema& input, const std::string& name, const Options& options,
               std::string_view option, std::vector<Diagnostic>& problems) {
  const int index = input.GetFieldIndex(name);
  if (index >= 0) return index;
  Diagnostic problem = options.ErrorAt(option, FaultCode::kUnknownColumn,
                                       "no column \"" + name + "\" reaches this stage",
                                       SuggestName(name, input.field_names()));
  const Span key = option.empty() ? options.KeySpanOf(name) : Span{};
  if (key.known()) problem.span = key;
  problems.push_back(std::move(problem));
  return -1;
}

int FindIgnoringCase(const arrow::FieldVector& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, LowerAscii(name),
                                       [](const auto& field) { return LowerAscii(field->name()); });
  return found == fields.end() ? -1 : static_cast<int>(found - fields.begin());
}

Status Refused(std::string_view stage, std::vector<Diagnostic> problems) {
  if (problems.empty()) return Status::OK();
  const FaultCode code = problems.front().code;
  const std::string message = std::string(stage) + ": " + problems.front().message;
  return Fault(code, message).At(std::move(problems));
}

}  // namespace levada::elt
