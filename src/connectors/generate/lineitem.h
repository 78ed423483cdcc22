#pragma once
// The table lineitem, after TPC-H: its columns and their dependencies, with orders of one to seven
// lines. The rows are our own and not dbgen's.

#include <cstdint>
#include <memory>
#include <vector>

#include "connectors/generate/column.h"

namespace levada::generate {

std::vector<std::unique_ptr<const Column>> LineitemColumns(uint64_t seed);

}  // namespace levada::generate
