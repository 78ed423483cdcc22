#pragma once
// Which columns are taken from a stream of somebody else's: those that every stage behind it knows.

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>

#include "base/fault.h"

namespace levada::arrow_ipc {

/// `schema` without metadata. kUnsupportedType for a column of a type that is not taken, with what
/// to write instead; kDuplicateColumn for two names that differ in nothing but case;
/// kSourceProtocol for no column, a name that is no text, or the other byte order.
Result<std::shared_ptr<arrow::Schema>> AcceptedSchema(const arrow::Schema& schema);

/// Whether the values of `array`, a column of `field`, are what they claim to be: offsets, counts,
/// UTF-8, no NULL where none may be. kInvalidUtf8, kValueRefused, kSourceProtocol.
Status CheckColumn(const arrow::Field& field, const arrow::Array& array);

}  // namespace levada::arrow_ipc
