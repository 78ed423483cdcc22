#pragma once
// Objects as JSON: in the v4 API, and to bindings.

#include <optional>
#include <string>
#include <string_view>

#include "services/r2/byte_range.h"
#include "services/r2/object_index.h"

namespace levada::services::r2 {

/// {"key","etag","last_modified","size","http_metadata","custom_metadata","storage_class"}
std::string RestJsonOf(const ListedObject& object);

/// What a binding is told: {"name","version","size","etag","uploaded","httpFields","customFields",
/// "checksums","storageClass","ssec"?,"range"?}.
struct BindingJsonOptions {
  bool http = true;    ///< with httpFields
  bool custom = true;  ///< with customFields
  std::optional<ByteRange> range = {};
};
std::string BindingJsonOf(std::string_view key, const ObjectRecord& record,
                          const BindingJsonOptions& options = {});

/// "Standard" or "InfrequentAccess"
std::string_view StorageClassWord(const ObjectAttributes& attributes);

/// Of "Sun, 06 Nov 1994 08:49:37 GMT"; nullopt for what is none.
std::optional<int64_t> MillisOfHttpDate(std::string_view text);

}  // namespace levada::services::r2
