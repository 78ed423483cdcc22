#pragma once
// The transformers of a pipeline as one stream, and the meter in front of a loader.

#include <memory>
#include <span>

#include "base/context.h"
#include "elt/stages.h"

namespace levada::elt {

class RowHasher;

/// Applies `transformers` in order to each batch of `upstream`. With `workers` > 1 that many
/// threads work for those of them that have no passes, and the order of the batches is restored.
/// The transformers outlive the stream; `rejects` is shared.
std::unique_ptr<BatchStream> Transform(
    const Context& ctx, std::unique_ptr<BatchStream> upstream,
    std::span<const std::unique_ptr<BoundTransformer>> transformers,
    std::shared_ptr<RejectBuffer> rejects, int workers);

/// Sits between the last transformer and the loader: counts the rows that really reach the loader
/// into StreamEnd::rows_out, and hashes them when asked to.
class LoaderInput final : public BatchStream {
 public:
  LoaderInput(std::unique_ptr<BatchStream> upstream, bool hash);
  ~LoaderInput() override;

  std::shared_ptr<arrow::Schema> schema() const override;
  Status ReadNext(BatchPtr* out) override;
  Result<StreamEnd> Finish() override;
  Status Close() override;

  /// 16 hex digits once the end was reached; empty when not asked for.
  const std::string& rows_hash() const { return rows_hash_; }

 private:
  std::unique_ptr<BatchStream> upstream_;
  std::unique_ptr<RowHasher> hasher_;
  std::string rows_hash_;
  int64_t rows_ = 0;
};

/// The hash of everything `stream` gives (docs/wire/hash.md) and its row count; for ReadBack.
struct HashedRows {
  int64_t rows = 0;
  std::string hash;
};
Result<HashedRows> HashStream(BatchStream& stream);

}  // namespace levada::elt
