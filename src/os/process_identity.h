#pragma once
// A text that names one process of one machine for as long as that machine runs, and whether the
// process that a text names still lives. For locks that outlive whoever held them.

#include <optional>
#include <string>
#include <string_view>

namespace levada::os {

/// "boot id/pid namespace/pid/start time", from /proc. Empty where /proc does not say.
std::string ProcessIdentity();

/// Whether the process of `identity` lives; nullopt when it is none of this boot and namespace, and
/// nobody here can tell.
std::optional<bool> IsAlive(std::string_view identity);

}  // namespace levada::os
