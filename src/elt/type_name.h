#pragma once
// Type names as users write them in `cast:` and in the type overrides of a source.
//
//     bool  int8 int16 int32 int64  uint8 uint16 uint32 uint64  float32 float64
//     decimal(p,s)  text  binary  date  time  time(unit)
//     timestamp  timestamp(unit)  timestamp(unit, ZONE)
//
// p is 1 to 76, s 0 to p, unit s | ms | us | ns (us when left out). ZONE is an IANA name; values
// with one are instants, values without are readings of an unknown clock.

#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::elt {

/// kBadValue for anything else, with the nearest name or the form as help. Any case, any spaces.
Result<std::shared_ptr<arrow::DataType>> ParseTypeName(std::string_view text);

/// The name of a type in the same words; Arrow's own for a type that has none here.
std::string TypeName(const arrow::DataType& type);

}  // namespace levada::elt
