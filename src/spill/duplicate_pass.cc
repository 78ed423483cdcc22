#include "spill/duplicate_pass.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "elt/row_json.h"

namespace levada::spill {
namespace {

constexpr int64_t kRecordsPerCheck = 1 << 16;

// Behind the key of a record and what puts it into order: its place, big endian so that places
// follow each other, and how long the key is. Places count from 1: among the rows that wait, or
// where none do among all rows.
constexpr size_t kTailBytes = 12;
constexpr int64_t kWentOn = 0;

void AppendTail(int64_t place, size_t key_bytes, std::string& record) {
  for (int shift = 56; shift >= 0; shift -= 8) record += static_cast<char>(place >> shift);
  for (int shift = 24; shift >= 0; shift -= 8) record += static_cast<char>(key_bytes >> shift);
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// The rows whose state is `wanted`.
template <typename State>
Result<elt::BatchPtr> RowsOf(const Context& ctx, const elt::BatchPtr& batch,
                             const std::vector<State>& states, State wanted) {
  const auto count = std::ranges::count(states, wanted);
  if (count == batch->num_rows()) return batch;
  if (count == 0) return batch->Slice(0, 0);
  arrow::BooleanBuilder mask(ctx.pool);
  ARROW_RETURN_NOT_OK(mask.Reserve(batch->num_rows()));
  for (const State state : states) mask.UnsafeAppend(state == wanted);
  ARROW_ASSIGN_OR_RAISE(auto which, mask.Finish());
  arrow::compute::ExecContext exec(ctx.pool);
  exec.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum rows,
      arrow::compute::Filter(batch, which, arrow::compute::FilterOptions::Defaults(), &exec));
  return rows.record_batch();
}

}  // namespace

DuplicatePass::DuplicatePass(const DuplicateRule& rule, elt::SchemaPtr schema, ScratchSpace space,
                             int64_t memory_bytes)
    : rule_(rule),
      schema_(std::move(schema)),
      space_(std::move(space)),
      memory_bytes_(memory_bytes) {
  // The last row of a key is known at the end only.
  is_holding_ = rule_.keeps_last || rule_.order.has_value();
  if (!is_holding_) seen_ = std::make_unique<KeySet>(memory_bytes_ / 2);
}

DuplicatePass::~DuplicatePass() = default;

bool DuplicatePass::HasNoKey(const elt::BatchPtr& batch, int64_t row) const {
  return rule_.nulls_differ && std::ranges::any_of(rule_.key, [&](int column) {
           return batch->column(column)->IsNull(row);
         });
}

std::vector<DuplicatePass::RowState> DuplicatePass::Judge(const elt::BatchPtr& batch,
                                                          const RowKeys& keys) {
  const auto rows = static_cast<size_t>(batch->num_rows());
  std::vector<RowState> states(rows, RowState::kGoesOn);
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    RowState& state = states[static_cast<size_t>(row)];
    if (!is_holding_ && !HasNoKey(batch, row)) {
      const auto is_new = seen_->Insert(keys.Hash(row), keys[row]);
      is_holding_ = !is_new.has_value();
      if (is_new == false) state = RowState::kRepeats;
    }
    // Behind one that waits all wait: rows keep their order.
    if (is_holding_) state = RowState::kWaits;
  }
  return states;
}

Status DuplicatePass::BeginHolding(const Context& ctx) {
  keys_ = std::make_unique<RecordSorter>(space_, memory_bytes_ / 2);
  repeated_ = std::make_unique<RecordSorter>(space_, memory_bytes_ / 2);
  if (rule_.fate != elt::OnError::kFail) {
    ARROW_ASSIGN_OR_RAISE(spool_, RowSpool::Create(ctx, space_, schema_));
  }
  if (seen_ == nullptr) return Status::OK();
  // What went on already comes before all that waits.
  std::string record;
  ARROW_RETURN_NOT_OK(seen_->ForEach([&](uint64_t hash, std::string_view key) {
    record.assign(key);
    AppendTail(kWentOn, key.size(), record);
    return keys_->Add({hash, record});
  }));
  seen_.reset();
  return Status::OK();
}

Status DuplicatePass::Hold(const Context& ctx, const elt::BatchPtr& batch, const RowKeys& keys,
                           const std::vector<RowState>& states) {
  if (keys_ == nullptr) ARROW_RETURN_NOT_OK(BeginHolding(ctx));
  // Waiting rows are the last ones of their batch.
  const auto first = std::ranges::find(states, RowState::kWaits) - states.begin();
  int64_t place = rows_taken_ + first;
  // Where a repeated key ends the run, its rows need not wait.
  if (spool_ != nullptr) {
    place = spool_->rows();
    ARROW_RETURN_NOT_OK(spool_->Append(*batch->Slice(first)));
  }
  std::string record;
  for (int64_t row = first; row < batch->num_rows(); ++row) {
    ++place;
    if (HasNoKey(batch, row)) continue;
    record.assign(keys[row]);
    if (rule_.order) {
      ARROW_RETURN_NOT_OK(AppendOrdered(*batch->column(*rule_.order), row, record));
    }
    AppendTail(place, keys[row].size(), record);
    ARROW_RETURN_NOT_OK(keys_->Add({keys.Hash(row), record}));
  }
  return Status::OK();
}

Result<elt::Mapped> DuplicatePass::WithoutOthers(const Context& ctx, const elt::BatchPtr& batch,
                                                 const std::vector<RowState>& states,
                                                 elt::RejectBuffer& rejects) const {
  elt::Mapped mapped;
  const auto repeated = std::ranges::count(states, RowState::kRepeats);
  if (rule_.fate == elt::OnError::kQuarantine && repeated > 0) {
    elt::RowFates fates;
    for (size_t row = 0; row < states.size(); ++row) {
      if (states[row] != RowState::kRepeats) continue;
      fates.Add(static_cast<int64_t>(row), rule_.fate, schema_->field(rule_.key.front())->name(),
                rule_.reason);
    }
    ARROW_ASSIGN_OR_RAISE(mapped.rejected, fates.PutAside(rule_.stage, batch, rejects));
  } else {
    mapped.filtered = repeated;
  }
  ARROW_ASSIGN_OR_RAISE(mapped.batch, RowsOf(ctx, batch, states, RowState::kGoesOn));
  return mapped;
}

Result<elt::Mapped> DuplicatePass::Take(Context& ctx, const elt::BatchPtr& batch,
                                        elt::RejectBuffer& rejects) {
  ARROW_ASSIGN_OR_RAISE(const RowKeys keys, RowKeys::Of(*batch, rule_.key));
  std::vector<RowState> states = Judge(batch, keys);
  const auto repeated = std::ranges::find(states, RowState::kRepeats);
  if (rule_.fate == elt::OnError::kFail && repeated != states.end()) {
    return rule_.failure(rows_taken_ + (repeated - states.begin()) + 1);
  }
  if (is_holding_) ARROW_RETURN_NOT_OK(Hold(ctx, batch, keys, states));
  rows_taken_ += batch->num_rows();
  if (rule_.fate == elt::OnError::kFail) return elt::Mapped{batch, 0, 0};
  return WithoutOthers(ctx, batch, states, rejects);
}

Status DuplicatePass::FindRepeated(const Context& ctx) {
  ARROW_RETURN_NOT_OK(keys_->Sort(ctx));
  uint64_t rank = 0;
  std::string key;
  int64_t staying = -1;  // of the key so far
  SortRecord record;
  for (int64_t count = 0;; ++count) {
    if (count % kRecordsPerCheck == 0) ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_ASSIGN_OR_RAISE(const bool any, keys_->Next(&record));
    if (!any) break;
    const std::string_view tail = record.bytes.substr(record.bytes.size() - kTailBytes);
    const auto place = static_cast<int64_t>(BigEndian(tail.substr(0, 8)));
    const std::string_view of_row = record.bytes.substr(0, BigEndian(tail.substr(8)));
    if (staying < 0 || record.rank != rank || of_row != key) {
      rank = record.rank;
      key.assign(of_row);
      staying = place;
      continue;
    }
    const int64_t goes = rule_.keeps_last ? std::exchange(staying, place) : place;
    ARROW_RETURN_NOT_OK(repeated_->Add({static_cast<uint64_t>(goes), {}}));
  }
  keys_.reset();
  ARROW_RETURN_NOT_OK(repeated_->Sort(ctx));
  return NextRepeated();
}

Status DuplicatePass::NextRepeated() {
  SortRecord record;
  ARROW_ASSIGN_OR_RAISE(const bool any, repeated_->Next(&record));
  next_repeated_ = any ? std::optional(static_cast<int64_t>(record.rank)) : std::nullopt;
  return Status::OK();
}

Result<elt::Mapped> DuplicatePass::Drain(Context& ctx, elt::RejectBuffer& rejects) {
  if (keys_ != nullptr) ARROW_RETURN_NOT_OK(FindRepeated(ctx));
  if (spool_ == nullptr) {
    if (next_repeated_) return rule_.failure(*next_repeated_);
    return elt::Mapped{};
  }
  ARROW_ASSIGN_OR_RAISE(const elt::BatchPtr batch, spool_->Next());
  if (batch == nullptr) return elt::Mapped{};
  std::vector<RowState> states(static_cast<size_t>(batch->num_rows()), RowState::kGoesOn);
  while (next_repeated_ && *next_repeated_ <= places_gone_ + batch->num_rows()) {
    states[static_cast<size_t>(*next_repeated_ - places_gone_ - 1)] = RowState::kRepeats;
    ARROW_RETURN_NOT_OK(NextRepeated());
  }
  places_gone_ += batch->num_rows();
  return WithoutOthers(ctx, batch, states, rejects);
}

}  // namespace levada::spill
