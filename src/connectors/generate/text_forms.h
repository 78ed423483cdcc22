#pragma once
// The kinds of texts that a column can have.

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/generate/text_column.h"

namespace levada::generate {

/// Words with a space between them, cut to `least` to `greatest` bytes.
TextForm WordTexts(uint64_t key, int64_t least, int64_t greatest);
/// Letters, digits, - and _: nothing that a compressor could find.
TextForm CharacterTexts(uint64_t key, int64_t least, int64_t greatest);
/// Any bytes.
TextForm RandomBytes(uint64_t key, int64_t least, int64_t greatest);
/// UUIDs of version 4 (RFC 9562) in lower case.
TextForm UuidTexts(uint64_t key);
/// Objects such as {"user":{"id":81,"country":"DE"},"action":"view","path":"/items/4711", ...}.
TextForm JsonTexts(uint64_t key);
/// One of `values`, each as likely. At least one.
TextForm ChoiceTexts(uint64_t key, const std::vector<std::string>& values);

}  // namespace levada::generate
