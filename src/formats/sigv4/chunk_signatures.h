#pragma once
// The chain of signatures through an aws-chunked body: each chunk's signature is over its bytes and
// the signature before it, the first over that of the request. Whoever checks or makes them in
// order needs nothing else of the request.
//
// Source: S3 API reference, "Transferring Payload in Multiple Chunks (Chunked Upload)" and
// "Including Trailing Headers (Chunked Upload)".

#include <string>
#include <string_view>

#include "formats/sigv4/authorization.h"
#include "formats/sigv4/verifier.h"

namespace levada::sigv4 {

/// One thread at a time.
class ChunkSignatures final {
 public:
  /// Begins at the signature of the request, which has been verified or made.
  ChunkSignatures(const Authorization& authorization, const SigningKey& key);

  /// The signature of the next chunk, whose bytes have this hash.
  std::string Chunk(const Sha256Digest& hash);
  /// That of the trailers behind the last chunk: "name:value\n" of each.
  std::string Trailers(std::string_view lines);
  /// SignatureDoesNotMatch unless the signature that Chunk or Trailers last gave was `given`.
  Status Check(std::string_view given) const;

 private:
  std::string Next(std::string_view algorithm, std::string_view middle, const Sha256Digest& hash);

  SigningKey key_;
  std::string access_key_;
  std::string timestamp_;
  std::string scope_;
  std::string previous_;
  std::string string_to_sign_;  // of previous_
};

}  // namespace levada::sigv4
