#pragma once
// SHA-256 of bytes that come in pieces.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::places {

/// One thread at a time.
class Sha256 final {
 public:
  /// kInternal when the library refuses SHA-256.
  static Result<Sha256> Make();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  Status Update(std::span<const uint8_t> bytes);
  /// 64 lower-case hex digits. Ends the object's use.
  Result<std::string> Finish();

 private:
  struct State;
  explicit Sha256(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Of a whole text.
Result<std::string> Sha256Of(std::string_view text);

}  // namespace levada::places
