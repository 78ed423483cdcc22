#include "places/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/binary_text.h"

namespace levada::places {
namespace {

Status Refused(const char* step) {
  return Fault(FaultCode::kInternal, std::string("sha-256: the library failed to ") + step);
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Result<Sha256> Sha256::Make() {
  auto state = std::make_unique<State>();
  if (state->context == nullptr ||
      EVP_DigestInit_ex(state->context.get(), EVP_sha256(), nullptr) != 1) {
    return Refused("begin");
  }
  return Sha256(std::move(state));
}

Status Sha256::Update(std::span<const uint8_t> bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
    return Refused("go on");
  }
  return Status::OK();
}

Result<std::string> Sha256::Finish() {
  std::array<uint8_t, 32> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1 ||
      size != digest.size()) {
    return Refused("end");
  }
  return HexOf({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Result<std::string> Sha256Of(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Sha256 sha256, Sha256::Make());
  ARROW_RETURN_NOT_OK(sha256.Update({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return sha256.Finish();
}

}  // namespace levada::places
