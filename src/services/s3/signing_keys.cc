#include "services/s3/signing_keys.h"

namespace levada::services::s3 {

/// None of the three holds a slash: it is what a credential is split by.
std::string SigningKeys::NameOf(const sigv4::Authorization& authorization) {
  std::string name = authorization.access_key;
  for (const std::string* part : {&authorization.day, &authorization.region}) {
    name += '/';
    name += *part;
  }
  return name;
}

const sigv4::SigningKey* SigningKeys::Find(const sigv4::Authorization& authorization) const {
  const auto at = keys_.find(NameOf(authorization));
  return at == keys_.end() ? nullptr : &at->second;
}

void SigningKeys::Keep(const sigv4::Authorization& authorization, const sigv4::SigningKey& key) {
  if (keys_.size() >= kKeysMax) keys_.clear();
  keys_[NameOf(authorization)] = key;
}

}  // namespace levada::services::s3
