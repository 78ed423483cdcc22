#include "formats/s3xml/bucket_configuration.h"

#include <utility>

#include "formats/s3xml/element.h"
#include "formats/s3xml/refusal.h"
#include "formats/s3xml/writer.h"

namespace levada::s3xml {
namespace {

// A few elements; S3 allows 50 tags with a new bucket.
constexpr DocumentLimits kLimits{.bytes_max = size_t{64} * 1024, .elements_max = 256};
constexpr std::string_view kCreateBucket = "CreateBucketConfiguration";
constexpr std::string_view kVersioning = "VersioningConfiguration";
constexpr std::string_view kLocation = "LocationConstraint";

/// `yes` as true, `no` as false.
Result<std::optional<bool>> ChildChoice(const Element& parent, std::string_view name,
                                        std::string_view yes, std::string_view no) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> word, ChildWord(parent, name));
  if (!word) return std::nullopt;
  if (*word == yes) return true;
  if (*word == no) return false;
  return MalformedXml("XML body: element " + std::string(name) + ": expected " + std::string(yes) +
                      " or " + std::string(no));
}

}  // namespace

Result<std::optional<std::string>> ParseCreateBucketConfiguration(std::string_view body) {
  if (Trimmed(body).empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const Element root, ReadDocument(body, kCreateBucket, kLimits));
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> location, ChildWord(root, kLocation));
  if (location && location->empty()) location.reset();
  return location;
}

std::string WriteCreateBucketConfiguration(const std::optional<std::string>& location) {
  Writer writer;
  writer.Open(kCreateBucket, kNamespace);
  writer.OptionalText(kLocation, location);
  writer.Close(kCreateBucket);
  return std::move(writer).Finish();
}

std::string WriteLocationConstraint(const std::optional<std::string>& location) {
  Writer writer;
  writer.Open(kLocation, kNamespace);
  writer.Characters(location.value_or(""));
  writer.Close(kLocation);
  return std::move(writer).Finish();
}

Result<VersioningConfiguration> ParseVersioningConfiguration(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Element root, ReadDocument(body, kVersioning, kLimits));
  VersioningConfiguration configuration;
  ARROW_ASSIGN_OR_RAISE(const std::optional<bool> enabled,
                        ChildChoice(root, "Status", "Enabled", "Suspended"));
  if (enabled) {
    configuration.status = *enabled ? VersioningStatus::kEnabled : VersioningStatus::kSuspended;
  }
  ARROW_ASSIGN_OR_RAISE(configuration.mfa_delete,
                        ChildChoice(root, "MfaDelete", "Enabled", "Disabled"));
  return configuration;
}

std::string WriteVersioningConfiguration(const VersioningConfiguration& configuration) {
  Writer writer;
  writer.Open(kVersioning, kNamespace);
  if (configuration.status) {
    writer.Text("Status",
                *configuration.status == VersioningStatus::kEnabled ? "Enabled" : "Suspended");
  }
  if (configuration.mfa_delete) {
    writer.Text("MfaDelete", *configuration.mfa_delete ? "Enabled" : "Disabled");
  }
  writer.Close(kVersioning);
  return std::move(writer).Finish();
}

}  // namespace levada::s3xml
