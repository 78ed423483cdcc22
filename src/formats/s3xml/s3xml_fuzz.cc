#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/s3xml/bucket_configuration.h"
#include "formats/s3xml/cors.h"
#include "formats/s3xml/lifecycle.h"
#include "formats/s3xml/object_requests.h"

// Each input through every reader, of which one at most knows its root. What is read and can be
// written has to be read again as it was.

namespace {

namespace s3 = levada::s3xml;

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  int read_count = 0;
  if (const auto request = s3::ParseDelete(body); request.ok()) {
    Check(!request->objects.empty() && request->objects.size() <= s3::kDeleteObjectsMax);
    ++read_count;
  }
  if (const auto parts = s3::ParseCompleteMultipartUpload(body); parts.ok()) {
    Check(!parts->empty() && parts->size() <= s3::kPartsMax);
    ++read_count;
  }
  if (const auto location = s3::ParseCreateBucketConfiguration(body);
      location.ok() && location->has_value()) {
    Check(*s3::ParseCreateBucketConfiguration(s3::WriteCreateBucketConfiguration(*location)) ==
          *location);
    ++read_count;
  }
  if (const auto versioning = s3::ParseVersioningConfiguration(body); versioning.ok()) {
    Check(*s3::ParseVersioningConfiguration(s3::WriteVersioningConfiguration(*versioning)) ==
          *versioning);
    ++read_count;
  }
  if (const auto cors = s3::ParseCorsConfiguration(body); cors.ok()) {
    // Written without abbreviations it may be longer than what is taken.
    const auto again = s3::ParseCorsConfiguration(s3::WriteCorsConfiguration(*cors));
    Check(!again.ok() || *again == *cors);
    ++read_count;
  }
  if (auto rules = s3::ParseLifecycleConfiguration(body); rules.ok()) {
    for (s3::LifecycleRule& rule : *rules) rule.has_tags = false;
    Check(*s3::ParseLifecycleConfiguration(s3::WriteLifecycleConfiguration(*rules)) == *rules);
    ++read_count;
  }
  Check(read_count <= 1);
  return 0;
}
