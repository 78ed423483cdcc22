#pragma once
// DatasetDiff: what two datasets do not have in common. Rows are compared as values in the
// canonical form of docs/wire/hash.md, whatever their order, files and types of storage.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/stages.h"
#include "spill/scratch_file.h"

namespace levada::app {

struct DatasetSide {
  elt::SchemaPtr schema;
  int64_t rows = 0;
  std::string hash;                   ///< 16 hex digits, of the columns that both have
  int64_t rows_alone = 0;             ///< that the other one does not have, or not as often
  std::vector<std::string> examples;  ///< the first of these, as JSON
};

struct DatasetDiff {
  DatasetSide a, b;
  std::string schema_difference;     ///< empty: the same columns with the same types
  std::vector<std::string> columns;  ///< that both have: what rows were compared by
  bool same() const { return schema_difference.empty() && a.rows_alone == 0 && b.rows_alone == 0; }
};

/// Opens one side from its beginning; called up to three times.
using OpenSide = std::function<Result<std::unique_ptr<elt::BatchStream>>(Context&)>;

/// `examples`: rows that are shown of each side, at most.
Result<DatasetDiff> DiffDatasets(Context& ctx, const OpenSide& a, const OpenSide& b,
                                 const spill::ScratchSpace& space, int64_t examples);

}  // namespace levada::app
