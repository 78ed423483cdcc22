#pragma once
// What of a pipeline file may be shown: diagnostics print the line they point at, and that line may
// hold a password that somebody wrote into the file.
//
// Hidden bytes are replaced one by one with `*`, so that every span stays right.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "elt/value.h"

namespace levada::elt {

/// Hides passwords in URLs and the values of keys that end in password, secret or token. For a file
/// that could not be parsed, so nothing better is known. `source` itself when there is nothing to
/// hide.
std::shared_ptr<const SourceText> HideLikelySecrets(
    const std::shared_ptr<const SourceText>& source);

/// Hides the literal parts of these scalars, the values of secret options: of a URL its password,
/// of anything else all that is not a reference. Passwords in URLs are hidden wherever they stand.
std::shared_ptr<const SourceText> HideSecrets(const std::shared_ptr<const SourceText>& source,
                                              const std::vector<const Value*>& secrets);

/// True for a URL and for a libpq keyword string ("host=... password=..."), of which only parts are
/// secret.
bool IsConnectionText(std::string_view text);

/// True when the text of a secret option holds a secret itself instead of a reference to one.
bool HoldsLiteralSecret(std::string_view text);

}  // namespace levada::elt
