#pragma once
// Maskings: what a column becomes so that it can be given away. One object per column; NULL stays
// NULL, because whether there is a value is not what is hidden here.

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <memory>
#include <string>

#include "base/fault.h"
#include "base/secret.h"

namespace levada::mask {

/// Immutable, thread-safe.
class Masking {
 public:
  virtual ~Masking() = default;
  /// An array of type() and the length of `values`.
  virtual Result<std::shared_ptr<arrow::Array>> Apply(const std::shared_ptr<arrow::Array>& values,
                                                      arrow::MemoryPool* pool) const = 0;
  virtual std::shared_ptr<arrow::DataType> type() const = 0;
};

/// HMAC-SHA-256 under `key` of the value's text (of a binary value: its bytes), as the first
/// `digits` of 64 lower-case hex digits. Equal values of equal texts have equal hashes, in every
/// table that is masked under this key; without the key nobody can tell from a list of guesses
/// which is which. kBadCast where values of `from` have no text.
Result<std::unique_ptr<Masking>> MakeHash(const std::shared_ptr<arrow::DataType>& from,
                                          const Secret& key, int digits);
/// `with` in the place of every value.
std::unique_ptr<Masking> MakeRedact(std::string with);
/// The first `keep` characters of a text. kBadCast of other types.
Result<std::unique_ptr<Masking>> MakeTruncate(const std::shared_ptr<arrow::DataType>& from,
                                              int64_t keep);

}  // namespace levada::mask
