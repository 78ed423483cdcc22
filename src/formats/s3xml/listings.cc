#include "formats/s3xml/listings.h"

#include <utility>

#include "formats/s3xml/writer.h"

namespace levada::s3xml {
namespace {

/// A Writer that knows whether names are encoded.
class Listing final {
 public:
  Listing(std::string_view root, bool url_encode) : root_(root), url_encode_(url_encode) {
    writer_.Open(root_, kNamespace);
  }

  Writer* operator->() { return &writer_; }
  Writer& writer() { return writer_; }

  /// A key, prefix, delimiter or key marker.
  void Name(std::string_view element, std::string_view name) {
    url_encode_ ? writer_.Text(element, UrlEncoded(name)) : writer_.Text(element, name);
  }
  void NameUnlessEmpty(std::string_view element, std::string_view name) {
    if (!name.empty()) Name(element, name);
  }
  void OptionalName(std::string_view element, const std::optional<std::string>& name) {
    if (name) Name(element, *name);
  }

  void RolledUpPrefixes(const ListingPage& page) {
    for (const std::string& prefix : page.rolled_up_prefixes) {
      writer_.Open("CommonPrefixes");
      Name("Prefix", prefix);
      writer_.Close("CommonPrefixes");
    }
  }

  std::string Finish() && {
    writer_.Close(root_);
    return std::move(writer_).Finish();
  }

 private:
  std::string_view root_;
  bool url_encode_;
  Writer writer_;
};

void WriteOwner(Writer& writer, std::string_view element, const std::optional<Owner>& owner) {
  if (!owner) return;
  writer.Open(element);
  writer.Text("ID", owner->id);
  writer.TextUnlessEmpty("DisplayName", owner->display_name);
  writer.Close(element);
}

/// What stands between the markers and the items.
void WritePage(Listing& out, std::string_view items_max_element, const ListingPage& page) {
  out->Number(items_max_element, page.items_max);
  out.NameUnlessEmpty("Delimiter", page.delimiter);
  if (page.url_encode) out->Text("EncodingType", "url");
  out->Boolean("IsTruncated", page.is_truncated);
}

/// Of an object or a version, all that follows when it was modified.
void WriteState(Writer& writer, const ListedObject& object) {
  writer.ETag(object.etag);
  writer.TextUnlessEmpty("ChecksumAlgorithm", object.checksum_algorithm);
  writer.TextUnlessEmpty("ChecksumType", object.checksum_type);
  writer.Number("Size", object.size);
  writer.Text("StorageClass", object.storage_class);
}

void WriteObjects(Listing& out, const std::vector<ListedObject>& objects) {
  for (const ListedObject& object : objects) {
    out->Open("Contents");
    out.Name("Key", object.key);
    out->Time("LastModified", object.last_modified);
    WriteState(out.writer(), object);
    WriteOwner(out.writer(), "Owner", object.owner);
    out->Close("Contents");
  }
}

}  // namespace

std::string WriteListObjects(const ListObjects& listing) {
  Listing out("ListBucketResult", listing.page.url_encode);
  out->Text("Name", listing.page.bucket);
  out.Name("Prefix", listing.page.prefix);
  out.Name("Marker", listing.marker);
  out.NameUnlessEmpty("NextMarker", listing.next_marker);
  WritePage(out, "MaxKeys", listing.page);
  WriteObjects(out, listing.objects);
  out.RolledUpPrefixes(listing.page);
  return std::move(out).Finish();
}

std::string WriteListObjectsV2(const ListObjectsV2& listing) {
  Listing out("ListBucketResult", listing.page.url_encode);
  out->Text("Name", listing.page.bucket);
  out.Name("Prefix", listing.page.prefix);
  out.OptionalName("StartAfter", listing.start_after);
  out->OptionalText("ContinuationToken", listing.continuation_token);
  out->OptionalText("NextContinuationToken", listing.next_continuation_token);
  out->Number("KeyCount", listing.objects.size() + listing.page.rolled_up_prefixes.size());
  WritePage(out, "MaxKeys", listing.page);
  WriteObjects(out, listing.objects);
  out.RolledUpPrefixes(listing.page);
  return std::move(out).Finish();
}

std::string WriteListObjectVersions(const ListObjectVersions& listing) {
  Listing out("ListVersionsResult", listing.page.url_encode);
  out->Text("Name", listing.page.bucket);
  out.Name("Prefix", listing.page.prefix);
  out.Name("KeyMarker", listing.key_marker);
  out->Text("VersionIdMarker", listing.version_id_marker);
  out.OptionalName("NextKeyMarker", listing.next_key_marker);
  out->OptionalText("NextVersionIdMarker", listing.next_version_id_marker);
  WritePage(out, "MaxKeys", listing.page);
  for (const ListedVersion& version : listing.versions) {
    const std::string_view element = version.is_delete_marker ? "DeleteMarker" : "Version";
    out->Open(element);
    out.Name("Key", version.object.key);
    out->Text("VersionId", version.version_id);
    out->Boolean("IsLatest", version.is_latest);
    out->Time("LastModified", version.object.last_modified);
    if (!version.is_delete_marker) WriteState(out.writer(), version.object);
    WriteOwner(out.writer(), "Owner", version.object.owner);
    out->Close(element);
  }
  out.RolledUpPrefixes(listing.page);
  return std::move(out).Finish();
}

std::string WriteListBuckets(const ListBuckets& listing) {
  Listing out("ListAllMyBucketsResult", false);
  WriteOwner(out.writer(), "Owner", listing.owner);
  out->Open("Buckets");
  for (const ListedBucket& bucket : listing.buckets) {
    out->Open("Bucket");
    out->Text("Name", bucket.name);
    out->Time("CreationDate", bucket.creation_date);
    out->TextUnlessEmpty("BucketRegion", bucket.region);
    out->Close("Bucket");
  }
  out->Close("Buckets");
  out->OptionalText("ContinuationToken", listing.continuation_token);
  out->OptionalText("Prefix", listing.prefix);
  return std::move(out).Finish();
}

std::string WriteListMultipartUploads(const ListMultipartUploads& listing) {
  Listing out("ListMultipartUploadsResult", listing.page.url_encode);
  out->Text("Bucket", listing.page.bucket);
  out.Name("KeyMarker", listing.key_marker);
  out->Text("UploadIdMarker", listing.upload_id_marker);
  out.OptionalName("NextKeyMarker", listing.next_key_marker);
  out->OptionalText("NextUploadIdMarker", listing.next_upload_id_marker);
  out.Name("Prefix", listing.page.prefix);
  WritePage(out, "MaxUploads", listing.page);
  for (const ListedUpload& upload : listing.uploads) {
    out->Open("Upload");
    out.Name("Key", upload.key);
    out->Text("UploadId", upload.upload_id);
    WriteOwner(out.writer(), "Initiator", upload.initiator);
    WriteOwner(out.writer(), "Owner", upload.owner);
    out->Text("StorageClass", upload.storage_class);
    out->Time("Initiated", upload.initiated);
    out->TextUnlessEmpty("ChecksumAlgorithm", upload.checksum_algorithm);
    out->TextUnlessEmpty("ChecksumType", upload.checksum_type);
    out->Close("Upload");
  }
  out.RolledUpPrefixes(listing.page);
  return std::move(out).Finish();
}

std::string WriteListParts(const ListParts& listing) {
  Listing out("ListPartsResult", false);
  out->Text("Bucket", listing.bucket);
  out->Text("Key", listing.key);
  out->Text("UploadId", listing.upload_id);
  WriteOwner(out.writer(), "Initiator", listing.initiator);
  WriteOwner(out.writer(), "Owner", listing.owner);
  out->Text("StorageClass", listing.storage_class);
  out->Number("PartNumberMarker", listing.part_number_marker);
  out->Number("NextPartNumberMarker", listing.next_part_number_marker);
  out->Number("MaxParts", listing.parts_max);
  out->Boolean("IsTruncated", listing.is_truncated);
  out->TextUnlessEmpty("ChecksumAlgorithm", listing.checksum_algorithm);
  out->TextUnlessEmpty("ChecksumType", listing.checksum_type);
  for (const ListedPart& part : listing.parts) {
    out->Open("Part");
    out->Number("PartNumber", part.number);
    out->Time("LastModified", part.last_modified);
    out->ETag(part.etag);
    out->Number("Size", part.size);
    for (const ChecksumElement& checksum : part.checksums) {
      out->Text(checksum.name, checksum.value);
    }
    out->Close("Part");
  }
  return std::move(out).Finish();
}

}  // namespace levada::s3xml
