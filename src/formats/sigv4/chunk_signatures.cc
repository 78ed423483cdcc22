#include "formats/sigv4/chunk_signatures.h"

namespace levada::sigv4 {

ChunkSignatures::ChunkSignatures(const Authorization& authorization, const SigningKey& key)
    : key_(key),
      access_key_(authorization.access_key),
      timestamp_(authorization.timestamp),
      scope_(authorization.Scope()),
      previous_(authorization.signature) {}

std::string ChunkSignatures::Next(std::string_view algorithm, std::string_view middle,
                                  const Sha256Digest& hash) {
  string_to_sign_.clear();
  for (const std::string_view line : {algorithm, std::string_view(timestamp_),
                                      std::string_view(scope_), std::string_view(previous_)}) {
    string_to_sign_ += line;
    string_to_sign_ += '\n';
  }
  string_to_sign_ += middle;
  string_to_sign_ += Hex(hash);
  previous_ = Signature(key_, string_to_sign_);
  return previous_;
}

std::string ChunkSignatures::Chunk(const Sha256Digest& hash) {
  static const std::string kMiddle = std::string(kEmptySha256) + "\n";
  return Next("AWS4-HMAC-SHA256-PAYLOAD", kMiddle, hash);
}

std::string ChunkSignatures::Trailers(std::string_view lines) {
  return Next("AWS4-HMAC-SHA256-TRAILER", "", Sha256Of(lines));
}

Status ChunkSignatures::Check(std::string_view given) const {
  if (SameInConstantTime(previous_, given)) return Status::OK();
  return SignatureMismatch(access_key_, given, string_to_sign_);
}

}  // namespace levada::sigv4
