#include "formats/s3xml/lifecycle.h"

#include <arrow/util/logging.h>

#include <unordered_set>
#include <utility>

#include "formats/s3xml/element.h"
#include "formats/s3xml/refusal.h"
#include "formats/s3xml/times.h"
#include "formats/s3xml/writer.h"

namespace levada::s3xml {
namespace {

// S3 names no size. A rule with a prefix of 1024 bytes, each as a reference, fits ten times.
constexpr DocumentLimits kLimits{.bytes_max = size_t{8} * 1024 * 1024,
                                 .elements_max = kLifecycleRulesMax * 64};
constexpr size_t kIdBytesMax = 255;          // S3's
constexpr int64_t kDaysMax = 2'147'483'647;  // S3's type is a signed integer
constexpr int64_t kNewerVersionsMax = 100;   // S3's
constexpr WallMicros kMicrosPerDay = 86'400'000'000;
constexpr std::string_view kRoot = "LifecycleConfiguration";

Status Malformed(const Element& element, std::string_view what) {
  return MalformedXml("XML body: element " + element.name + ": " + std::string(what));
}

/// A child with a count of days, at least `min`.
Result<std::optional<uint32_t>> ChildDays(const Element& action, std::string_view name,
                                          int64_t min) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> days, ChildInteger(action, name));
  if (!days) return std::nullopt;
  if (*days < min || *days > kDaysMax) {
    return InvalidArgument("'" + std::string(name) + "' for " + action.name + " action must be a " +
                           (min == 0 ? "nonnegative" : "positive") + " integer");
  }
  return static_cast<uint32_t>(*days);
}

Result<std::optional<WallMicros>> ChildDate(const Element& action) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> text, ChildWord(action, "Date"));
  if (!text) return std::nullopt;
  const std::optional<WallMicros> date = ParseTime(*text);
  if (!date) return Malformed(action, "expected a Date in ISO 8601");
  if (*date % kMicrosPerDay != 0) return InvalidArgument("'Date' must be at midnight GMT");
  return date;
}

Result<std::optional<uint32_t>> ChildNewerVersions(const Element& action) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> count,
                        ChildInteger(action, "NewerNoncurrentVersions"));
  if (!count) return std::nullopt;
  if (*count < 1 || *count > kNewerVersionsMax) {
    return InvalidArgument("'NewerNoncurrentVersions' for " + action.name +
                           " action must be an integer between 1 and 100");
  }
  return static_cast<uint32_t>(*count);
}

Result<std::string> StorageClass(const Element& action) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> text, ChildWord(action, "StorageClass"));
  if (!text || text->empty()) return Malformed(action, "has no StorageClass");
  return *std::move(text);
}

Result<std::optional<uint64_t>> ChildSize(const Element& filter, std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> size, ChildInteger(filter, name));
  if (!size) return std::nullopt;
  if (*size < 0) return Malformed(filter, "expected no negative size");
  return static_cast<uint64_t>(*size);
}

/// The children of Filter, or of And inside it.
Status ReadPredicates(const Element& element, LifecycleRule& rule) {
  for (const Element& child : element.children) {
    if (child.name == "Tag") {
      rule.has_tags = true;
    } else if (child.name != "Prefix" && child.name != "ObjectSizeGreaterThan" &&
               child.name != "ObjectSizeLessThan") {
      return Malformed(element, "has an unknown " + child.name);
    }
  }
  ARROW_ASSIGN_OR_RAISE(rule.prefix, ChildText(element, "Prefix"));
  ARROW_ASSIGN_OR_RAISE(rule.size_greater_than, ChildSize(element, "ObjectSizeGreaterThan"));
  ARROW_ASSIGN_OR_RAISE(rule.size_less_than, ChildSize(element, "ObjectSizeLessThan"));
  if (rule.size_greater_than && rule.size_less_than &&
      *rule.size_greater_than >= *rule.size_less_than) {
    return InvalidRequest("'ObjectSizeLessThan' must be greater than 'ObjectSizeGreaterThan'");
  }
  return Status::OK();
}

Status ReadFilter(const Element& element, LifecycleRule& rule) {
  ARROW_ASSIGN_OR_RAISE(const Element* filter, Child(element, "Filter"));
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> legacy, ChildText(element, "Prefix"));
  if ((filter != nullptr) == legacy.has_value()) {
    return Malformed(element, "expected either Filter or Prefix");
  }
  if (filter == nullptr) {
    rule.prefix = std::move(legacy);
    rule.prefix_is_legacy = true;
    return Status::OK();
  }
  if (filter->children.size() > 1) return Malformed(*filter, "has more than one child without And");
  ARROW_ASSIGN_OR_RAISE(const Element* both, Child(*filter, "And"));
  if (both == nullptr) return ReadPredicates(*filter, rule);
  if (both->children.empty()) return Malformed(*both, "is empty");
  return ReadPredicates(*both, rule);
}

Status ReadExpiration(const Element& action, LifecycleRule& rule) {
  ARROW_ASSIGN_OR_RAISE(rule.expiration_days, ChildDays(action, "Days", 1));
  ARROW_ASSIGN_OR_RAISE(rule.expiration_date, ChildDate(action));
  ARROW_ASSIGN_OR_RAISE(const std::optional<bool> marker,
                        ChildBoolean(action, "ExpiredObjectDeleteMarker"));
  rule.expired_object_delete_marker = marker.value_or(false);
  const int count = int{rule.expiration_days.has_value()} + int{rule.expiration_date.has_value()} +
                    int{rule.expired_object_delete_marker};
  // A marker that is false says nothing, beside days or alone.
  if (count > 1 || (count == 0 && !marker)) {
    return Malformed(action, "expected one of Days, Date and ExpiredObjectDeleteMarker");
  }
  return Status::OK();
}

Status ReadNoncurrent(const Element& action, LifecycleRule& rule) {
  ARROW_ASSIGN_OR_RAISE(rule.noncurrent_expiration_days, ChildDays(action, "NoncurrentDays", 1));
  ARROW_ASSIGN_OR_RAISE(rule.newer_noncurrent_versions, ChildNewerVersions(action));
  if (!rule.noncurrent_expiration_days) return Malformed(action, "has no NoncurrentDays");
  return Status::OK();
}

Status ReadTransition(const Element& action, LifecycleRule& rule) {
  LifecycleTransition transition;
  ARROW_ASSIGN_OR_RAISE(transition.days, ChildDays(action, "Days", 0));
  ARROW_ASSIGN_OR_RAISE(transition.date, ChildDate(action));
  if (transition.days.has_value() == transition.date.has_value()) {
    return Malformed(action, "expected either Days or Date");
  }
  ARROW_ASSIGN_OR_RAISE(transition.storage_class, StorageClass(action));
  rule.transitions.push_back(std::move(transition));
  return Status::OK();
}

Status ReadNoncurrentTransition(const Element& action, LifecycleRule& rule) {
  NoncurrentTransition transition;
  ARROW_ASSIGN_OR_RAISE(const std::optional<uint32_t> days, ChildDays(action, "NoncurrentDays", 0));
  if (!days) return Malformed(action, "has no NoncurrentDays");
  transition.days = *days;
  ARROW_ASSIGN_OR_RAISE(transition.newer_versions, ChildNewerVersions(action));
  ARROW_ASSIGN_OR_RAISE(transition.storage_class, StorageClass(action));
  rule.noncurrent_transitions.push_back(std::move(transition));
  return Status::OK();
}

Status ReadAbort(const Element& action, LifecycleRule& rule) {
  ARROW_ASSIGN_OR_RAISE(rule.abort_incomplete_days, ChildDays(action, "DaysAfterInitiation", 1));
  if (!rule.abort_incomplete_days) return Malformed(action, "has no DaysAfterInitiation");
  return Status::OK();
}

struct Action {
  std::string_view name;
  bool repeats;
  Status (*read)(const Element& action, LifecycleRule& rule);
};
constexpr Action kActions[] = {
    {"Expiration", false, &ReadExpiration},
    {"NoncurrentVersionExpiration", false, &ReadNoncurrent},
    {"AbortIncompleteMultipartUpload", false, &ReadAbort},
    {"Transition", true, &ReadTransition},
    {"NoncurrentVersionTransition", true, &ReadNoncurrentTransition},
};

Status ReadActions(const Element& element, LifecycleRule& rule) {
  for (const Action& action : kActions) {
    if (!action.repeats) ARROW_RETURN_NOT_OK(Child(element, action.name).status());
    for (const Element& child : element.children) {
      if (child.name == action.name) ARROW_RETURN_NOT_OK(action.read(child, rule));
    }
  }
  const bool has_one = rule.expiration_days || rule.expiration_date ||
                       rule.expired_object_delete_marker || rule.noncurrent_expiration_days ||
                       rule.abort_incomplete_days || !rule.transitions.empty() ||
                       !rule.noncurrent_transitions.empty();
  if (!has_one) return InvalidRequest("At least one action needs to be specified in a rule");
  return Status::OK();
}

Result<LifecycleRule> ReadRule(const Element& element) {
  LifecycleRule rule;
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> id, ChildText(element, "ID"));
  rule.id = std::move(id).value_or("");
  if (rule.id.size() > kIdBytesMax) {
    return InvalidArgument("ID length should not exceed allowed limit of 255");
  }
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> status, ChildWord(element, "Status"));
  if (status != "Enabled" && status != "Disabled") {
    return Malformed(element, "expected a Status of Enabled or Disabled");
  }
  rule.enabled = status == "Enabled";
  ARROW_RETURN_NOT_OK(ReadFilter(element, rule));
  ARROW_RETURN_NOT_OK(ReadActions(element, rule));
  return rule;
}

void OptionalSize(Writer& writer, std::string_view name, const std::optional<uint64_t>& size) {
  if (size) writer.Number(name, *size);
}

void OptionalDate(Writer& writer, const std::optional<WallMicros>& date) {
  if (date) writer.Time("Date", *date);
}

void WriteFilter(Writer& writer, const LifecycleRule& rule) {
  if (rule.prefix_is_legacy) return writer.Text("Prefix", rule.prefix.value_or(""));
  const int count = int{rule.prefix.has_value()} + int{rule.size_greater_than.has_value()} +
                    int{rule.size_less_than.has_value()};
  writer.Open("Filter");
  if (count > 1) writer.Open("And");
  writer.OptionalText("Prefix", rule.prefix);
  OptionalSize(writer, "ObjectSizeGreaterThan", rule.size_greater_than);
  OptionalSize(writer, "ObjectSizeLessThan", rule.size_less_than);
  if (count > 1) writer.Close("And");
  writer.Close("Filter");
}

void WriteExpiration(Writer& writer, const LifecycleRule& rule) {
  if (!rule.expiration_days && !rule.expiration_date && !rule.expired_object_delete_marker) return;
  writer.Open("Expiration");
  writer.OptionalNumber("Days", rule.expiration_days);
  OptionalDate(writer, rule.expiration_date);
  if (rule.expired_object_delete_marker) writer.Boolean("ExpiredObjectDeleteMarker", true);
  writer.Close("Expiration");
}

void WriteTransitions(Writer& writer, const LifecycleRule& rule) {
  for (const LifecycleTransition& transition : rule.transitions) {
    writer.Open("Transition");
    writer.OptionalNumber("Days", transition.days);
    OptionalDate(writer, transition.date);
    writer.Text("StorageClass", transition.storage_class);
    writer.Close("Transition");
  }
  for (const NoncurrentTransition& transition : rule.noncurrent_transitions) {
    writer.Open("NoncurrentVersionTransition");
    writer.Number("NoncurrentDays", transition.days);
    writer.OptionalNumber("NewerNoncurrentVersions", transition.newer_versions);
    writer.Text("StorageClass", transition.storage_class);
    writer.Close("NoncurrentVersionTransition");
  }
}

void WriteRule(Writer& writer, const LifecycleRule& rule) {
  ARROW_CHECK(!rule.has_tags) << "a rule with tags cannot be written";
  writer.Open("Rule");
  writer.TextUnlessEmpty("ID", rule.id);
  WriteFilter(writer, rule);
  writer.Text("Status", rule.enabled ? "Enabled" : "Disabled");
  WriteExpiration(writer, rule);
  WriteTransitions(writer, rule);
  if (rule.noncurrent_expiration_days) {
    writer.Open("NoncurrentVersionExpiration");
    writer.OptionalNumber("NoncurrentDays", rule.noncurrent_expiration_days);
    writer.OptionalNumber("NewerNoncurrentVersions", rule.newer_noncurrent_versions);
    writer.Close("NoncurrentVersionExpiration");
  }
  if (rule.abort_incomplete_days) {
    writer.Open("AbortIncompleteMultipartUpload");
    writer.OptionalNumber("DaysAfterInitiation", rule.abort_incomplete_days);
    writer.Close("AbortIncompleteMultipartUpload");
  }
  writer.Close("Rule");
}

}  // namespace

Result<std::vector<LifecycleRule>> ParseLifecycleConfiguration(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Element root, ReadDocument(body, kRoot, kLimits));
  std::vector<LifecycleRule> rules;
  std::unordered_set<std::string> ids;
  for (const Element& child : root.children) {
    if (child.name != "Rule") continue;
    if (rules.size() == kLifecycleRulesMax) {
      return MalformedXml("XML body: expected at most " + std::to_string(kLifecycleRulesMax) +
                          " elements Rule");
    }
    ARROW_ASSIGN_OR_RAISE(LifecycleRule rule, ReadRule(child));
    if (!rule.id.empty() && !ids.insert(rule.id).second) {
      return InvalidArgument("Rule ID must be unique. Found same ID for more than one rule");
    }
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) return Malformed(root, "has no Rule");
  return rules;
}

std::string WriteLifecycleConfiguration(const std::vector<LifecycleRule>& rules) {
  Writer writer;
  writer.Open(kRoot, kNamespace);
  for (const LifecycleRule& rule : rules) WriteRule(writer, rule);
  writer.Close(kRoot);
  return std::move(writer).Finish();
}

}  // namespace levada::s3xml
