#pragma once
// SqlDump: a database file as the text of statements that make it again, in the shape of D1's
// exports: schema, then rows, then what would get in the way of rows (indexes, triggers, views).

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "os/disk.h"

namespace levada::services::d1 {

struct DumpOptions {
  bool has_schema = true;
  bool has_data = true;
  std::vector<std::string> tables = {};  ///< empty: all
};

/// Writes the statements of the plain SQLite file `from` to `to`, which is made anew; not synced.
/// Rows are read one at a time. kBadValue for what cannot be exported: virtual tables, and tables
/// that are not there.
Status DumpSql(const Context& ctx, const std::string& from, os::Disk& disk, const std::string& to,
               const DumpOptions& options);

}  // namespace levada::services::d1
