#include "formats/s3xml/object_requests.h"

#include <utility>

#include "formats/s3xml/element.h"
#include "formats/s3xml/refusal.h"
#include "formats/s3xml/times.h"

namespace levada::s3xml {
namespace {

// Of an object or part: a key of 1024 bytes with each as a reference of 6, its version and
// conditions; or ten checksums.
constexpr size_t kBytesPerItem = size_t{8} * 1024;
constexpr size_t kBytesPerPart = size_t{1} * 1024;
constexpr size_t kElementsPerItem = 16;

DocumentLimits LimitsFor(size_t items_max, size_t bytes_per_item) {
  // One more item than allowed may be read, so that its excess is what is reported.
  return {.bytes_max = (items_max + 1) * bytes_per_item + kTagBytesMax,
          .elements_max = (items_max + 1) * kElementsPerItem + 64};
}

std::string WithoutQuotes(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

Status TooMany(std::string_view what, size_t max) {
  return MalformedXml("XML body: expected at most " + std::to_string(max) + " elements " +
                      std::string(what));
}

Result<DeleteObject> ReadObject(const Element& element) {
  DeleteObject object;
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> key, ChildText(element, "Key"));
  if (!key) return MalformedXml("XML body: element Object: has no Key");
  object.key = *std::move(key);
  ARROW_ASSIGN_OR_RAISE(object.version_id, ChildWord(element, "VersionId"));
  ARROW_ASSIGN_OR_RAISE(object.etag, ChildWord(element, "ETag"));
  if (object.etag) object.etag = WithoutQuotes(*std::move(object.etag));
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> time,
                        ChildWord(element, "LastModifiedTime"));
  if (time) {
    object.last_modified_time = ParseTime(*time);
    if (!object.last_modified_time) {
      return MalformedXml("XML body: element LastModifiedTime: expected a time");
    }
  }
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> size, ChildInteger(element, "Size"));
  if (size && *size < 0) return MalformedXml("XML body: element Size: expected no negative number");
  if (size) object.size = static_cast<uint64_t>(*size);
  return object;
}

Result<CompletedPart> ReadPart(const Element& element) {
  CompletedPart part;
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> number, ChildInteger(element, "PartNumber"));
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> etag, ChildWord(element, "ETag"));
  if (!number || !etag) return MalformedXml("XML body: element Part: has no PartNumber or no ETag");
  if (*number < 1 || *number > static_cast<int64_t>(kPartsMax)) {
    return InvalidArgument("PartNumber must be an integer between 1 and " +
                           std::to_string(kPartsMax) + ", inclusive");
  }
  part.number = static_cast<uint32_t>(*number);
  part.etag = WithoutQuotes(*std::move(etag));
  for (const Element& child : element.children) {
    if (!child.name.starts_with("Checksum")) continue;
    ARROW_RETURN_NOT_OK(Child(element, child.name).status());
    part.checksums.push_back({child.name, std::string(Trimmed(child.text))});
  }
  return part;
}

}  // namespace

Result<Delete> ParseDelete(std::string_view body, size_t objects_max) {
  ARROW_ASSIGN_OR_RAISE(const Element root,
                        ReadDocument(body, "Delete", LimitsFor(objects_max, kBytesPerItem)));
  Delete request;
  ARROW_ASSIGN_OR_RAISE(const std::optional<bool> quiet, ChildBoolean(root, "Quiet"));
  request.quiet = quiet.value_or(false);
  for (const Element& child : root.children) {
    if (child.name != "Object") continue;
    if (request.objects.size() == objects_max) return TooMany("Object", objects_max);
    ARROW_ASSIGN_OR_RAISE(DeleteObject object, ReadObject(child));
    request.objects.push_back(std::move(object));
  }
  if (request.objects.empty()) return MalformedXml("XML body: element Delete: has no Object");
  return request;
}

Result<std::vector<CompletedPart>> ParseCompleteMultipartUpload(std::string_view body,
                                                                size_t parts_max) {
  ARROW_ASSIGN_OR_RAISE(const Element root, ReadDocument(body, "CompleteMultipartUpload",
                                                         LimitsFor(parts_max, kBytesPerPart)));
  std::vector<CompletedPart> parts;
  for (const Element& child : root.children) {
    if (child.name != "Part") continue;
    if (parts.size() == parts_max) return TooMany("Part", parts_max);
    ARROW_ASSIGN_OR_RAISE(CompletedPart part, ReadPart(child));
    parts.push_back(std::move(part));
  }
  if (parts.empty()) {
    return MalformedXml("XML body: element CompleteMultipartUpload: has no Part");
  }
  return parts;
}

}  // namespace levada::s3xml
