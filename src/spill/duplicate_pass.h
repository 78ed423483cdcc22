#pragma once
// DuplicatePass: of the rows of a partition that share a key, one goes on.
// Where such rows are a mistake, the run ends instead.
//
// Keys are compared byte by byte, never by a hash alone. While the keys fit into memory and the
// first row of each is wanted, rows go on at once; otherwise rows wait in a scratch file, their
// keys are sorted, and the rows that stay go on in the order they came in. So what comes out does
// not depend on how much memory there was.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "elt/on_error.h"
#include "elt/stages.h"
#include "spill/key_set.h"
#include "spill/record_sorter.h"
#include "spill/row_keys.h"
#include "spill/row_spool.h"

namespace levada::spill {

struct DuplicateRule {
  std::string stage;          ///< whose rejects they are: "dedupe"
  std::vector<int> key;       ///< columns
  std::optional<int> order;   ///< the column that says which comes first; none: as read
  bool keeps_last = false;    ///< the last row of a key goes on, not the first
  bool nulls_differ = false;  ///< a key with a NULL in it equals no other
  elt::OnError fate = elt::OnError::kDiscardRow;  ///< of the other rows; not discard_value
  std::string reason;  ///< quarantine: "repeats the key of an earlier row"
  /// kFail: what ends the run, of a row that repeats a key, counted from 1 in the partition.
  std::function<Status(int64_t row)> failure;
};

/// Of what a pass takes beside its `memory:`: the buffers of the scratch files.
inline constexpr int64_t kScratchBufferBytes = 4 << 20;

class DuplicatePass final : public elt::Pass {
 public:
  /// `rule` and `schema`, that of its rows, outlive it.
  DuplicatePass(const DuplicateRule& rule, elt::SchemaPtr schema, ScratchSpace space,
                int64_t memory_bytes);
  ~DuplicatePass() override;

  Result<elt::Mapped> Take(Context& ctx, const elt::BatchPtr& batch,
                           elt::RejectBuffer& rejects) override;
  Result<elt::Mapped> Drain(Context& ctx, elt::RejectBuffer& rejects) override;

 private:
  enum class RowState : uint8_t { kGoesOn, kWaits, kRepeats };

  bool HasNoKey(const elt::BatchPtr& batch, int64_t row) const;
  std::vector<RowState> Judge(const elt::BatchPtr& batch, const RowKeys& keys);
  Status BeginHolding(const Context& ctx);
  Status Hold(const Context& ctx, const elt::BatchPtr& batch, const RowKeys& keys,
              const std::vector<RowState>& states);
  Status FindRepeated(const Context& ctx);
  Status NextRepeated();
  Result<elt::Mapped> WithoutOthers(const Context& ctx, const elt::BatchPtr& batch,
                                    const std::vector<RowState>& states,
                                    elt::RejectBuffer& rejects) const;

  const DuplicateRule& rule_;
  const elt::SchemaPtr schema_;
  const ScratchSpace space_;
  const int64_t memory_bytes_;
  std::unique_ptr<KeySet> seen_;  ///< of rows that went on
  bool is_holding_ = false;       ///< from now on rows wait for the end
  int64_t rows_taken_ = 0;
  std::unique_ptr<RowSpool> spool_;         ///< rows that wait
  std::unique_ptr<RecordSorter> keys_;      ///< of these, with their places among all rows
  std::unique_ptr<RecordSorter> repeated_;  ///< places of rows that do not go on
  int64_t places_gone_ = 0;                 ///< of the spool
  std::optional<int64_t> next_repeated_;
};

}  // namespace levada::spill
