#pragma once
// ColumnSteps: what becomes of each column on its way: its name and type at the source, after every
// transformer, and in each target. For `plan` and `schema`.

#include <string>
#include <vector>

#include "elt/plan.h"
#include "elt/runner.h"

namespace levada::app {

/// A column as one stage hands it on.
struct ColumnStep {
  std::string stage;  ///< "read", then the kinds of the transformers
  std::string name;
  std::string type;  ///< Arrow's: "decimal128(9, 2) not null"
  bool operator==(const ColumnStep&) const = default;
};

struct ColumnPath {
  std::string name;                       ///< as the loaders get it
  std::string source_type;                ///< the source's own word; empty for a column made here
  std::vector<ColumnStep> steps;          ///< from where it appears to the loaders' input
  std::vector<std::string> target_types;  ///< per loader
};

/// Per column of the loaders' input, in its order.
std::vector<ColumnPath> FollowColumns(const elt::Plan& plan, const elt::Prepared& prepared);

/// Names, or types, of the steps joined by arrows where they change: "line_id -> id".
std::string NamesText(const ColumnPath& path);
std::string TypesText(const ColumnPath& path);

}  // namespace levada::app
