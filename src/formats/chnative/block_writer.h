#pragma once
// Blocks of Native format out of Arrow arrays: for tests, and for whoever loads into ClickHouse.

#include <arrow/array/array_base.h>

#include <string>
#include <vector>

#include "formats/chnative/type.h"

namespace levada::chnative {

struct WrittenColumn {
  std::string name;
  std::string type;  ///< ClickHouse's name of it
  std::shared_ptr<arrow::Array> values;
};

/// One block, with what the protocol adds from `revision` on; 0: FORMAT Native. An array has the
/// type that FieldOf gives with keep_unsigned and, of Nullable alone, NULLs. Types: Int and UInt up
/// to 64 bits, floats, Bool, Decimal, String, FixedString, Date, Date32, DateTime, DateTime64,
/// Nullable and Array of them; kUnsupportedType for others, kBadCast for an array that does not fit
/// its type or its column, kValueRefused for a value that does not.
Result<std::string> WriteBlock(const std::vector<WrittenColumn>& columns, uint64_t revision);

}  // namespace levada::chnative
