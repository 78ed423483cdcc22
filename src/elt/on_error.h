#pragma once
// OnError: what becomes of a row, or of one value of it, that a transformer can make nothing of.
// The words mean the same in every stage that has the option `on_error`.

#include <arrow/memory_pool.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::elt {

enum class OnError : uint8_t {
  kFail,          ///< ends the attempt
  kDiscardValue,  ///< NULL stands for the value
  kDiscardRow,    ///< the row is left out, counted as filtered
  kQuarantine,    ///< the row is put aside with its reason, counted as rejected
};

/// The option `on_error`; `words` of fail, discard_value, discard_row, quarantine, the first of
/// which is the default.
OptionSpec OnErrorSpec(std::string doc, std::vector<std::string> words = {
                                            "fail", "discard_value", "discard_row", "quarantine"});
OnError OnErrorOf(const Options& options);

/// The rows of one batch that do not go on, gathered by a transformer while it maps the batch.
class RowFates final {
 public:
  /// A value of `row` that `policy` says what becomes of. One that NULL stands for is counted, by
  /// another the row goes: it is kept aside once, for the first reason; to keep aside is stronger
  /// than to leave out. `column` and `reason` are for quarantine alone.
  void Add(int64_t row, OnError policy, std::string_view column, std::string_view reason);

  /// Hands the rows that are kept aside, as they came in, to `rejects`; how many they are.
  Result<int64_t> PutAside(std::string_view stage, const BatchPtr& input,
                           RejectBuffer& rejects) const;
  /// The above, and `output`, the batch that was made of `input` row by row, without all those
  /// rows.
  Result<Mapped> Apply(std::string_view stage, const BatchPtr& input, BatchPtr output,
                       RejectBuffer& rejects, arrow::MemoryPool* pool) const;

 private:
  struct Fate {
    bool keep_aside = false;
    std::string column;
    std::string reason;
  };
  std::map<int64_t, Fate> fates_;  // by row
  int64_t values_discarded_ = 0;
};

}  // namespace levada::elt
