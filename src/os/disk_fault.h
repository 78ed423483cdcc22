#pragma once
// The one place that turns an errno of a disk operation into a Fault, so that the real disk and the
// pretended ones fail alike.

#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::os {

/// `cannot <verb> "<path>": <errno's text>`, of the code that disk.h promises for `error_number`,
/// with the details "path" and "errno" (by name: "ENOSPC").
Fault DiskFault(int error_number, std::string_view verb, const std::string& path);

}  // namespace levada::os
