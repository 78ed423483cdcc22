#pragma once
// The cast transformer: columns as other types, exactly. What a value that has no exact counterpart
// gets is `on_error`'s choice.

#include <memory>
#include <string>
#include <vector>

#include "elt/options.h"
#include "elt/stages.h"
#include "transformers/cast/column_cast.h"

namespace levada::cast {

enum class OnError : uint8_t {
  kFail,          ///< kCastFailed ends the attempt
  kDiscardValue,  ///< NULL stands for the value
  kDiscardRow,    ///< the row is left out, counted as filtered
  kQuarantine,    ///< the row is put aside with its reason, counted as rejected
};

/// One entry of the stage's body.
struct CastEntry {
  std::string column;
  CastTarget target;
  OnError on_error = OnError::kFail;
  elt::Options options;  ///< of this entry: where problems point
};

class CastTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage, `entries` what it says.
  CastTransformer(elt::Options options, std::vector<CastEntry> entries)
      : options_(std::move(options)), entries_(std::move(entries)) {}

  /// kUnknownColumn and kBadCast, all at once.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input) const override;

 private:
  const elt::Options options_;
  const std::vector<CastEntry> entries_;
};

}  // namespace levada::cast
