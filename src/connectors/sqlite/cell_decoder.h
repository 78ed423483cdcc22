#pragma once
// CellDecoder: values of one SQLite column into an Arrow array. SQLite stores any value in any
// column, so each value is held against the column's type: what fits is taken exactly, anything
// else is refused. Nothing is rounded, cut or guessed.

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <cstdint>
#include <memory>

#include "base/fault.h"
#include "connectors/sqlite/sqlite_types.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// Why a value was not taken: a few words that fit behind "got a text of 7 bytes: ".
struct Refusal {
  FaultCode code = FaultCode::kValueRefused;
  const char* reason = nullptr;  ///< null: the value was taken
};

/// One thread at a time.
class CellDecoder {
 public:
  virtual ~CellDecoder() = default;
  /// Room for `rows` values: before the first value and after each Finish. At most that many are
  /// then appended.
  virtual Status Reserve(int64_t rows) = 0;
  /// `cell` is not NULL. A refused one leaves nothing behind.
  virtual Refusal Append(const db::sqlite::Cell& cell) = 0;
  virtual void AppendNull() = 0;
  /// The values since the last Finish. Also the error of an Append that got no memory.
  virtual Result<std::shared_ptr<arrow::Array>> Finish() = 0;
};

/// For the types that TypeOfDeclared and TypeOfOption give; kUnsupportedType for others.
Result<std::unique_ptr<CellDecoder>> MakeCellDecoder(const ColumnType& column,
                                                     arrow::MemoryPool* pool);

}  // namespace levada::sqlite
