#pragma once
// Two directories trade their names.

#include <string>

#include "base/fault.h"

namespace levada::os {

/// Each of `a` and `b` then means what the other meant, and at no moment is one of them not there.
/// Both in one directory; durable when OK. Errors: kTargetFileMissing, kTargetIo (also for a
/// file system that cannot).
Status Exchange(const std::string& a, const std::string& b);

}  // namespace levada::os
