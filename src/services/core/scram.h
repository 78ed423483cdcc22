#pragma once
// The SCRAM-SHA-256 verifier of a token (RFC 5802, RFC 7677), in the form PostgreSQL keeps in
// pg_authid: "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", all base64. It lets a
// PostgreSQL client log in with the token as its password, and cannot be turned into the token.

#include <string>
#include <string_view>

#include "base/secret.h"

namespace levada::services {

/// `salt`: 16 random bytes. A token is printable ASCII, so SASLprep leaves it as it is.
std::string ScramVerifier(const Secret& password, std::string_view salt);

}  // namespace levada::services
