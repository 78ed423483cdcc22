#pragma once
// One row as a JSON object, for rejected rows and previews: readable by people and by whatever
// loads the row again. Not a wire format between stages.

#include <arrow/record_batch.h>

#include <cstdint>
#include <string>

#include "base/fault.h"

namespace levada::elt {

/// {"id": 1, "price": "1.50", ...} in the order of the schema. Integers, floats, booleans and NULL
/// as JSON has them; NaN and infinities, decimals, dates and times as text; binary as lower-case
/// hex with \x in front; lists as arrays, maps as arrays of [key, value], structs as objects.
/// Invalid UTF-8 is replaced. Of two columns of one name both are written. Precondition: 0 <= row <
/// batch.num_rows().
Result<std::string> RowJson(const arrow::RecordBatch& batch, int64_t row);

}  // namespace levada::elt
