#pragma once
// The flatten transformer: values inside the JSON of one column as columns of their own.

#include <memory>
#include <string>
#include <vector>

#include "elt/on_error.h"
#include "elt/options.h"
#include "elt/stages.h"
#include "transformers/flatten/json_fields.h"

namespace levada::flatten {

/// One column that is made.
struct FlattenField {
  std::string name;
  Path path;
  std::shared_ptr<arrow::DataType> type;
  elt::Options options;  ///< of this entry: where problems point
};

class FlattenTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage, `fields` what it says.
  FlattenTransformer(elt::Options options, std::vector<FlattenField> fields)
      : options_(std::move(options)), fields_(std::move(fields)) {}

  /// kUnknownColumn, kBadCast where the column is no text or a type has no form in text,
  /// kDuplicateColumn.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
  const std::vector<FlattenField> fields_;
};

}  // namespace levada::flatten
