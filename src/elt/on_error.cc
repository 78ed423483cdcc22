#include "elt/on_error.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <utility>

#include "elt/row_json.h"

namespace levada::elt {
namespace {

// The rows between those that are left out, joined.
template <typename Fates>
Result<BatchPtr> Without(const Fates& fates, BatchPtr batch, arrow::MemoryPool* pool) {
  if (fates.empty()) return batch;
  arrow::RecordBatchVector runs;
  int64_t begin = 0;
  for (const auto& [row, fate] : fates) {
    if (row > begin) runs.push_back(batch->Slice(begin, row - begin));
    begin = row + 1;
  }
  if (begin < batch->num_rows()) runs.push_back(batch->Slice(begin));
  if (runs.empty()) return batch->Slice(0, 0);
  return arrow::ConcatenateRecordBatches(runs, pool);
}

}  // namespace

OptionSpec OnErrorSpec(std::string doc, std::vector<std::string> words) {
  OptionSpec spec;
  spec.name = "on_error";
  spec.type = OptionType::kChoice;
  spec.doc = std::move(doc);
  spec.default_text = words.front();
  spec.choices = std::move(words);
  return spec;
}

OnError OnErrorOf(const Options& options) {
  const std::string& word = options.Text("on_error");
  if (word == "discard_value") return OnError::kDiscardValue;
  if (word == "discard_row") return OnError::kDiscardRow;
  if (word == "quarantine") return OnError::kQuarantine;
  return OnError::kFail;
}

void RowFates::Add(int64_t row, OnError policy, std::string_view column, std::string_view reason) {
  if (policy == OnError::kDiscardValue) ++values_discarded_;
  if (policy != OnError::kDiscardRow && policy != OnError::kQuarantine) return;
  const bool keep_aside = policy == OnError::kQuarantine;
  const auto [fate, is_new] = fates_.try_emplace(row);
  if (!is_new && (fate->second.keep_aside || !keep_aside)) return;
  if (keep_aside) fate->second = {true, std::string(column), std::string(reason)};
}

Result<int64_t> RowFates::PutAside(std::string_view stage, const BatchPtr& input,
                                   RejectBuffer& rejects) const {
  int64_t count = 0;
  for (const auto& [row, fate] : fates_) {
    if (!fate.keep_aside) continue;
    ++count;
    Reject reject;
    reject.stage = stage;
    reject.column = fate.column;
    reject.reason = fate.reason;
    ARROW_ASSIGN_OR_RAISE(reject.row_json, RowJson(*input, row));
    ARROW_RETURN_NOT_OK(rejects.Add(std::move(reject)));
  }
  return count;
}

Result<Mapped> RowFates::Apply(std::string_view stage, const BatchPtr& input, BatchPtr output,
                               RejectBuffer& rejects, arrow::MemoryPool* pool) const {
  Mapped mapped;
  ARROW_ASSIGN_OR_RAISE(mapped.rejected, PutAside(stage, input, rejects));
  mapped.filtered = static_cast<int64_t>(fates_.size()) - mapped.rejected;
  mapped.values_discarded = values_discarded_;
  ARROW_ASSIGN_OR_RAISE(mapped.batch, Without(fates_, std::move(output), pool));
  return mapped;
}

}  // namespace levada::elt
