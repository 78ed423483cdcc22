#pragma once
// The reader of one attempt: open files under one snapshot, and the streams of their rows.

#include <memory>
#include <string>
#include <vector>

#include "connectors/sqlite/relation.h"
#include "db/sqlite/database.h"
#include "elt/stages.h"

namespace levada::sqlite {

/// A connection of its own for one slice. Members are destroyed from the last to the first.
struct OpenSlice {
  std::unique_ptr<db::sqlite::Database> database;
  std::unique_ptr<db::sqlite::Transaction> snapshot;
  std::string sql;  ///< the columns of the schema and, where the relation has one, the rowid
};

/// What FileState::header was of a file whose bytes nobody may change while it is read.
struct FileHeader {
  std::string schema;
  std::string header;
};

struct OpenPartition {
  std::vector<OpenSlice> slices;
  std::shared_ptr<const Relation> relation;
  std::vector<FileHeader> headers;
  std::string position;  ///< which state of the files is read, for reports
  elt::BatchLimits limits;
};

/// Its streams outlive it.
std::unique_ptr<elt::PartitionReader> MakeReader(OpenPartition open);

}  // namespace levada::sqlite
