#pragma once
// What a binding asks for, out of its JSON. 64-bit integers come as texts or numbers. Pure.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "services/r2/object_store.h"
#include "services/r2/r2_source.h"

namespace levada::services::r2 {

/// One call. Its members are read when its method asks for them; kBadArgument names one that
/// cannot be.
class BindingRequest final {
 public:
  /// Of {"version":1,"method":...}.
  static Result<BindingRequest> Parse(std::string_view text);

  std::string method() const;
  std::string Text(const char* name) const;  ///< "" when absent
  bool Has(const char* name) const;
  Result<std::optional<uint64_t>> Number(const char* name) const;
  /// "object" or all of "objects".
  Result<std::vector<std::string>> Objects() const;
  Result<ObjectAttributes> Attributes() const;
  Result<Conditions> OnlyIf() const;
  Result<std::optional<CustomerKey>> Key() const;
  Result<std::vector<ExpectedDigest>> Digests() const;
  /// "range", or the "rangeHeader" of an HTTP request; of an object of `bytes`. nullopt: all of it.
  Result<std::optional<ByteRange>> Range(uint64_t bytes) const;
  Result<std::vector<CompletedPart>> Parts() const;
  /// Whether a list is to give http (0) or custom (1) metadata.
  bool Includes(int what) const;

 private:
  struct Document;
  explicit BindingRequest(std::shared_ptr<const Document> document);
  std::shared_ptr<const Document> document_;
};

}  // namespace levada::services::r2
