#pragma once
// The statements of the flusher: a dataset's table, what is inserted into it, and the question
// whether that was done before. Pure functions. Those of queries are formats/aesql's.
//
// Beside the columns that queries see, a table has `_segment`: by which segment a row came. Parts
// of a table are of one week each, and a week goes as a whole when all of it is too old.

#include <cstdint>
#include <span>
#include <string>

#include "base/fault.h"
#include "formats/aesql/binder.h"
#include "services/analytics/engine.h"
#include "services/analytics/segment_record.h"

namespace levada::services::analytics {

/// Whether a dataset can be called so: what stands in a query, and in a Worker's configuration.
bool IsDatasetName(std::string_view name);
/// The table of a dataset in the engine's database.
aesql::Table TableOf(const std::string& database, uint64_t dataset);
/// As queries name it.
aesql::Dataset DatasetOf(const std::string& database, uint64_t number, const std::string& name);

/// Made once; nothing happens when it is there.
std::string CreateStatement(const std::string& database, uint64_t dataset, const std::string& name);

/// Rows of one dataset and week in a segment, which are one insert and one part.
struct Insert {
  uint64_t segment = 0;
  uint64_t dataset = 0;
  uint32_t week = 0;
  uint64_t first = 0;  ///< rows of the segment are counted from 1
  uint64_t last = 0;
  uint64_t count = 0;
  std::string bytes;  ///< of the rows
};

/// What a segment's rows make, in the order of their first ones: always the same.
std::vector<Insert> InsertsOf(uint64_t segment, std::span<const Rows> rows);
/// "segment:first-last"
std::string TokenOf(const Insert& insert);
/// kStoreDamaged when the rows are none.
Result<Statement> InsertStatement(const std::string& database, const Insert& insert);
/// How many of its rows the table has, as a number on a line.
std::string CountStatement(const std::string& database, const Insert& insert);

}  // namespace levada::services::analytics
