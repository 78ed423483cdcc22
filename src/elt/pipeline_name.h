#pragma once
// What a pipeline can be called: its name is a part of paths, of files and of the ledger's keys.

#include <cstddef>
#include <string>

namespace levada::elt {

inline constexpr size_t kNameBytesMax = 100;

/// Whether `name` can be a pipeline's, a tag, or of a table that a pipeline is made of: letters,
/// digits, "_", "-" and ".", since it becomes part of paths.
bool IsPipelineName(const std::string& name);

}  // namespace levada::elt
