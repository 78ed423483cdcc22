#pragma once
// The cast transformer: columns as other types, exactly. What a value that has no exact counterpart
// gets is `on_error`'s choice.

#include <memory>
#include <string>
#include <vector>

#include "conversions/column_cast.h"
#include "elt/on_error.h"
#include "elt/options.h"
#include "elt/stages.h"

namespace levada::cast {

/// One entry of the stage's body.
struct CastEntry {
  std::string column;
  conversions::CastTarget target;
  elt::OnError on_error = elt::OnError::kFail;
  elt::Options options;  ///< of this entry: where problems point
};

class CastTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage, `entries` what it says.
  CastTransformer(elt::Options options, std::vector<CastEntry> entries)
      : options_(std::move(options)), entries_(std::move(entries)) {}

  /// kUnknownColumn and kBadCast, all at once.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
  const std::vector<CastEntry> entries_;
};

}  // namespace levada::cast
