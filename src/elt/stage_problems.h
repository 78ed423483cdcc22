#pragma once
// What is wrong with a transformer's options, once it is known which columns reach it.

#include <arrow/type.h>

#include <string>
#include <string_view>
#include <vector>

#include "elt/options.h"

namespace levada::elt {

/// The index of column `name`; or -1, and a problem at option `option` of `options` (its key where
/// `option` is empty and `options` is a map with that key).
int FindColumn(const arrow::Schema& input, const std::string& name, const Options& options,
               std::string_view option, std::vector<Diagnostic>& problems);

/// The index of the field whose name is `name` but for its case; -1: there is none.
int FindIgnoringCase(const arrow::FieldVector& fields, const std::string& name);

/// `fault` shown where `option` of `options` was written; "" is the group itself.
Fault Placed(const Fault& fault, const Options& options, std::string_view option);

/// All of them as one Fault with the first one's code and, behind the stage's name, its message. OK
/// when there are none.
Status Refused(std::string_view stage, std::vector<Diagnostic> problems);

}  // namespace levada::elt
