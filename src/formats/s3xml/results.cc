#include "formats/s3xml/results.h"

#include <string_view>

#include "formats/s3xml/writer.h"

namespace levada::s3xml {
namespace {

void WriteChecksums(Writer& writer, const std::vector<ChecksumElement>& checksums) {
  for (const ChecksumElement& checksum : checksums) writer.Text(checksum.name, checksum.value);
}

std::string WriteCopy(std::string_view root, const CopyResult& result) {
  Writer writer;
  writer.Open(root, kNamespace);
  writer.Time("LastModified", result.last_modified);
  writer.ETag(result.etag);
  WriteChecksums(writer, result.checksums);
  writer.TextUnlessEmpty("ChecksumType", result.checksum_type);
  writer.Close(root);
  return std::move(writer).Finish();
}

}  // namespace

std::string WriteInitiateMultipartUpload(const InitiateMultipartUploadResult& result) {
  constexpr std::string_view kRoot = "InitiateMultipartUploadResult";
  Writer writer;
  writer.Open(kRoot, kNamespace);
  writer.Text("Bucket", result.bucket);
  writer.Text("Key", result.key);
  writer.Text("UploadId", result.upload_id);
  writer.Close(kRoot);
  return std::move(writer).Finish();
}

std::string WriteCompleteMultipartUpload(const CompleteMultipartUploadResult& result) {
  constexpr std::string_view kRoot = "CompleteMultipartUploadResult";
  Writer writer;
  writer.Open(kRoot, kNamespace);
  writer.Text("Location", result.location);
  writer.Text("Bucket", result.bucket);
  writer.Text("Key", result.key);
  writer.ETag(result.etag);
  WriteChecksums(writer, result.checksums);
  writer.TextUnlessEmpty("ChecksumType", result.checksum_type);
  writer.Close(kRoot);
  return std::move(writer).Finish();
}

std::string WriteCopyObject(const CopyResult& result) {
  return WriteCopy("CopyObjectResult", result);
}

std::string WriteCopyPart(const CopyResult& result) { return WriteCopy("CopyPartResult", result); }

std::string WriteDelete(const DeleteResult& result) {
  constexpr std::string_view kRoot = "DeleteResult";
  Writer writer;
  writer.Open(kRoot, kNamespace);
  for (const DeletedObject& object : result.deleted) {
    writer.Open("Deleted");
    writer.Text("Key", object.key);
    writer.TextUnlessEmpty("VersionId", object.version_id);
    if (object.delete_marker) writer.Boolean("DeleteMarker", true);
    writer.TextUnlessEmpty("DeleteMarkerVersionId", object.delete_marker_version_id);
    writer.Close("Deleted");
  }
  for (const DeleteError& error : result.errors) {
    writer.Open("Error");
    writer.Text("Key", error.key);
    writer.TextUnlessEmpty("VersionId", error.version_id);
    writer.Text("Code", error.code);
    writer.Text("Message", error.message);
    writer.Close("Error");
  }
  writer.Close(kRoot);
  return std::move(writer).Finish();
}

std::string WriteError(const ErrorDocument& error) {
  Writer writer;
  writer.Open("Error");
  writer.Text("Code", error.code);
  writer.Text("Message", error.message);
  for (const auto& [name, value] : error.fields) writer.Text(name, value);
  writer.TextUnlessEmpty("Resource", error.resource);
  writer.Text("RequestId", error.request_id);
  writer.TextUnlessEmpty("HostId", error.host_id);
  writer.Close("Error");
  return std::move(writer).Finish();
}

}  // namespace levada::s3xml
