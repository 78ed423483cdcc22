#pragma once
// The tables that are made by name.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/generate/column.h"

namespace levada::generate {

/// "lineitem", "events", "narrow", "wide-500".
const std::vector<std::string>& PresetNames();

/// The columns of one of them. Their values are in the range of their types for kRowsMax rows.
std::vector<std::unique_ptr<const Column>> PresetColumns(const std::string& name, uint64_t seed);

}  // namespace levada::generate
