#pragma once
// The reader of one attempt: an open database under a snapshot, and the stream of its rows.

#include <arrow/type.h>

#include <memory>
#include <string>

#include "db/sqlite/database.h"
#include "elt/stages.h"

namespace levada::sqlite {

/// Everything a stream owns. Members are destroyed from the last to the first.
struct OpenRelation {
  std::unique_ptr<db::sqlite::Database> database;
  std::unique_ptr<db::sqlite::Transaction> snapshot;
  std::string sql;
  bool has_row_id = false;  ///< the last column of `sql` is the rowid, for messages
  std::shared_ptr<arrow::Schema> schema;
  elt::BatchLimits limits;
};

/// A reader of one slice.
std::unique_ptr<elt::PartitionReader> MakeReader(OpenRelation open);

}  // namespace levada::sqlite
