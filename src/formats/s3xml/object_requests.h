#pragma once
// The two documents that clients send about objects: which to delete, and which parts make one.
//
// Source: S3 API reference, DeleteObjects and CompleteMultipartUpload; the bodies in testdata.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"

namespace levada::s3xml {

constexpr size_t kDeleteObjectsMax = 1'000;  // S3's
constexpr size_t kPartsMax = 10'000;         // S3's

struct DeleteObject {
  std::string key;  ///< as given, blanks too; may be empty or too long, which the door says of it
  std::optional<std::string> version_id;
  std::optional<std::string> etag;  ///< without quotes; may be "*"
  std::optional<WallMicros> last_modified_time;
  std::optional<uint64_t> size;
  bool operator==(const DeleteObject&) const = default;
};

struct Delete {
  bool quiet = false;
  std::vector<DeleteObject> objects;
  bool operator==(const Delete&) const = default;
};

/// MalformedXML for no object, for more than `objects_max`, and for one without a Key or with two.
Result<Delete> ParseDelete(std::string_view body, size_t objects_max = kDeleteObjectsMax);

/// ("ChecksumCRC32C", "yZRlqg==")
struct ChecksumElement {
  std::string name;
  std::string value;
  bool operator==(const ChecksumElement&) const = default;
};

struct CompletedPart {
  uint32_t number = 0;  ///< 1 to kPartsMax
  std::string etag;     ///< without quotes
  std::vector<ChecksumElement> checksums;
  bool operator==(const CompletedPart&) const = default;
};

/// In the order given, which is not checked here: the door says InvalidPartOrder. MalformedXML for
/// no part, for more than `parts_max`, and for one without PartNumber or ETag; InvalidArgument for
/// a number that is no part's.
Result<std::vector<CompletedPart>> ParseCompleteMultipartUpload(std::string_view body,
                                                                size_t parts_max = kPartsMax);

}  // namespace levada::s3xml
