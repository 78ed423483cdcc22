#pragma once
// What S3 answers to requests that list: objects in both versions, object versions, buckets,
// uploads, parts. Plain structs, and the text of each; what belongs on a page is the service's.
//
// ETags are without quotes. Owners and checksums are left out where they are not set. With
// `url_encode` keys, prefixes, delimiters and key markers are written as encoding-type=url asks;
// tokens, upload ids and version ids never are.
//
// Source: S3 API reference, with the element order of its examples.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "formats/s3xml/object_requests.h"

namespace levada::s3xml {

struct Owner {
  std::string id;
  std::string display_name;  ///< "" is left out, as by S3 since November 2025
};

/// What the listings of objects, versions and uploads have in common.
struct ListingPage {
  std::string bucket;
  std::string prefix;
  std::string delimiter;  ///< "" without one
  uint32_t items_max = 1000;
  bool is_truncated = false;
  bool url_encode = false;
  std::vector<std::string> rolled_up_prefixes;  ///< CommonPrefixes
};

struct ListedObject {
  std::string key;
  WallMicros last_modified = 0;
  std::string etag;
  uint64_t size = 0;
  std::string storage_class = "STANDARD";
  std::optional<Owner> owner;
  std::string checksum_algorithm;  ///< "CRC64NVME"
  std::string checksum_type;       ///< "FULL_OBJECT", "COMPOSITE"
};

struct ListObjects {
  ListingPage page;
  std::string marker;
  std::string next_marker;  ///< S3 gives one only with a delimiter
  std::vector<ListedObject> objects;
};
/// ListBucketResult of version 1.
std::string WriteListObjects(const ListObjects& listing);

struct ListObjectsV2 {
  ListingPage page;
  std::optional<std::string> start_after;
  std::optional<std::string> continuation_token;
  std::optional<std::string> next_continuation_token;
  std::vector<ListedObject> objects;
};
/// ListBucketResult of version 2. KeyCount counts the objects and the rolled-up prefixes.
std::string WriteListObjectsV2(const ListObjectsV2& listing);

struct ListedVersion {
  ListedObject object;  ///< of a delete marker only key, time and owner count
  std::string version_id;
  bool is_latest = false;
  bool is_delete_marker = false;
};

struct ListObjectVersions {
  ListingPage page;
  std::string key_marker;
  std::string version_id_marker;
  std::optional<std::string> next_key_marker;
  std::optional<std::string> next_version_id_marker;
  std::vector<ListedVersion> versions;  ///< markers among them, in the order they are listed
};
/// ListVersionsResult.
std::string WriteListObjectVersions(const ListObjectVersions& listing);

struct ListedBucket {
  std::string name;
  WallMicros creation_date = 0;
  std::string region;  ///< "" is left out: only the paginated listing has it
};

struct ListBuckets {
  Owner owner;
  std::vector<ListedBucket> buckets;
  std::optional<std::string> continuation_token;  ///< of the next page
  std::optional<std::string> prefix;
};
/// ListAllMyBucketsResult.
std::string WriteListBuckets(const ListBuckets& listing);

struct ListedUpload {
  std::string key;
  std::string upload_id;
  std::optional<Owner> initiator;
  std::optional<Owner> owner;
  std::string storage_class = "STANDARD";
  WallMicros initiated = 0;
  std::string checksum_algorithm;
  std::string checksum_type;
};

struct ListMultipartUploads {
  ListingPage page;
  std::string key_marker;
  std::string upload_id_marker;
  std::optional<std::string> next_key_marker;
  std::optional<std::string> next_upload_id_marker;
  std::vector<ListedUpload> uploads;
};
/// ListMultipartUploadsResult.
std::string WriteListMultipartUploads(const ListMultipartUploads& listing);

struct ListedPart {
  uint32_t number = 0;
  WallMicros last_modified = 0;
  std::string etag;
  uint64_t size = 0;
  std::vector<ChecksumElement> checksums;
};

struct ListParts {
  std::string bucket;
  std::string key;
  std::string upload_id;
  std::optional<Owner> initiator;
  std::optional<Owner> owner;
  std::string storage_class = "STANDARD";
  uint32_t part_number_marker = 0;
  uint32_t next_part_number_marker = 0;  ///< S3 gives 0 where nothing is listed
  uint32_t parts_max = 1000;
  bool is_truncated = false;
  std::string checksum_algorithm;
  std::string checksum_type;
  std::vector<ListedPart> parts;
};
/// ListPartsResult.
std::string WriteListParts(const ListParts& listing);

}  // namespace levada::s3xml
