#pragma once
// The options of one column of `columns:` and the column they make.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/generate/column.h"
#include "elt/options.h"

namespace levada::generate {

/// The longest text that `length` allows: a value must fit into a batch.
inline constexpr int64_t kTextBytesMax = 1 << 20;

elt::OptionSpec ColumnSpec();

/// Column `name` of a table of `rows` rows; nullptr, and problems with their places, where the
/// options make none.
std::unique_ptr<Column> ReadColumn(const std::string& name, const elt::Options& options,
                                   uint64_t seed, int64_t rows, std::vector<Diagnostic>& problems);

}  // namespace levada::generate
