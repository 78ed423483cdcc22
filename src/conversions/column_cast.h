#pragma once
// ColumnCast: the conversion of one column from one type to another, exactly or not at all.
//
// One loop over the values does both the conversion and the search for what fails, so that there is
// one definition of each conversion and a failing value is known by its row.

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/fault.h"
#include "conversions/time_format.h"
#include "elt/time_zone.h"

namespace levada::conversions {

/// A timestamp that is an instant: one with a time zone.
bool IsZoned(const arrow::DataType& type);

/// What a column is to become.
struct CastTarget {
  std::shared_ptr<arrow::DataType> type;
  std::optional<TimeFormat> format;   ///< how its texts write dates and times
  std::optional<elt::TimeZone> zone;  ///< whose clock times without an offset are read from
};

struct CastFailure {
  int64_t row = 0;               ///< in the array, from 0
  const char* reason = nullptr;  ///< a few words, of static storage
};

struct CastColumn {
  std::shared_ptr<arrow::Array> values;  ///< of the target's type; NULL where a value failed
  std::vector<CastFailure> failures;     ///< by row
};

/// Immutable, thread-safe.
class ColumnCast {
 public:
  virtual ~ColumnCast() = default;
  virtual Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& values,
                                     arrow::MemoryPool* pool) const = 0;
};

/// kBadCast where no value of `from` can become `to`, or where the conversion needs an option that
/// is missing or has no use for one that is given; help says which.
Result<std::unique_ptr<ColumnCast>> MakeColumnCast(const std::shared_ptr<arrow::DataType>& from,
                                                   const CastTarget& to);

}  // namespace levada::conversions
