#pragma once
// The add transformer: columns that have one value for the whole run.

#include <memory>
#include <string>
#include <vector>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::add {

/// One entry of `add:`.
struct AddedColumn {
  std::string name;
  std::string value;  ///< as written, with {run.start:...} and the like in it
  std::shared_ptr<arrow::DataType> type;
  elt::Options options;  ///< of the entry, for problems
};

class AddTransformer final : public elt::Transformer {
 public:
  AddTransformer(elt::Options options, std::vector<AddedColumn> columns)
      : options_(std::move(options)), columns_(std::move(columns)) {}

  /// kBadLayout, kBadValue where a value is not of its type, kDuplicateColumn.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
  const std::vector<AddedColumn> columns_;
};

/// The one value of a column of `run`.
Result<std::shared_ptr<arrow::Scalar>> ValueOfRun(const AddedColumn& column,
                                                  const elt::RunInstance& run);

}  // namespace levada::add
