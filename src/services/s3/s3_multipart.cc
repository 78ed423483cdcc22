// Multipart uploads.

#include <utility>

#include "base/ascii.h"
#include "formats/s3xml/listings.h"
#include "formats/s3xml/object_requests.h"
#include "formats/s3xml/results.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_call.h"
#include "services/s3/s3_copy.h"
#include "services/s3/s3_headers.h"
#include "services/s3/s3_source.h"

namespace levada::services::s3 {
namespace {

using checksums::Algorithm;
using checksums::ChecksumType;
using net::Response;
using net::Task;
using r2::R2Error;
using r2::R2ErrorCode;
using r2::RangeChoice;
using r2::RangeOf;
using r2::Stamp;

constexpr uint64_t kCompleteBytesMax = 4 * 1024 * 1024;
constexpr uint64_t kPartNumberMax = 10'000;

Result<Stamp> UploadOf(const S3Call& call) {
  const std::optional<Stamp> upload = Stamp::Parse(call.QueryOr("uploadId", ""));
  if (!upload) return R2Error(R2ErrorCode::kNoSuchUpload);
  return *upload;
}

Result<int> PartNumberOf(const S3Call& call) {
  const Result<uint64_t> number = QueryNumber(call, "partNumber", 0, kPartNumberMax);
  if (!number.ok() || *number < 1) {
    return sigv4::InvalidArgument("Part number must be an integer between 1 and 10000, inclusive",
                                  "partNumber", call.QueryOr("partNumber", ""));
  }
  return static_cast<int>(*number);
}

/// x-amz-checksum-algorithm and -type; the type's default is S3's.
Status ReadChecksumChoice(const S3Call& call, r2::UploadOptions& options) {
  const auto algorithm = call.Header("x-amz-checksum-algorithm");
  const auto type = call.Header("x-amz-checksum-type");
  if (!algorithm) {
    if (!type) return Status::OK();
    return sigv4::InvalidRequest(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
        "header.");
  }
  ARROW_ASSIGN_OR_RAISE(options.algorithm, ParseAlgorithm(*algorithm));
  options.checksum_type = *options.algorithm == Algorithm::kCrc64Nvme ? ChecksumType::kFullObject
                                                                      : ChecksumType::kComposite;
  if (type && EqualsIgnoringCase(*type, "FULL_OBJECT")) {
    options.checksum_type = ChecksumType::kFullObject;
  } else if (type && EqualsIgnoringCase(*type, "COMPOSITE")) {
    options.checksum_type = ChecksumType::kComposite;
  } else if (type) {
    return sigv4::InvalidRequest("Value for x-amz-checksum-type header is invalid.");
  }
  if (!checksums::Allows(*options.algorithm, options.checksum_type)) {
    return sigv4::InvalidRequest("The " + std::string(NameOf(options.checksum_type)) +
                                 " checksum type cannot be used with the " +
                                 std::string(checksums::NameOf(*options.algorithm)) +
                                 " checksum algorithm.");
  }
  return Status::OK();
}

Task<Result<Response>> CreateMultipartUpload(S3Call& call) {
  r2::UploadOptions options;
  Result<r2::ObjectAttributes> attributes = AttributesOf(call);
  if (!attributes.ok()) co_return attributes.status();
  options.attributes = *std::move(attributes);
  const Status choice = ReadChecksumChoice(call, options);
  if (!choice.ok()) co_return choice;
  Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  options.key = *key;
  const Result<r2::UploadRecord> upload = co_await call.services.store.CreateUpload(
      call.bucket->bucket(), call.key, std::move(options));
  if (!upload.ok()) co_return upload.status();
  Response response = XmlResponse(
      s3xml::WriteInitiateMultipartUpload({call.bucket_name, call.key, upload->upload.Text()}));
  if (upload->algorithm) {
    response.headers.Add("x-amz-checksum-algorithm",
                         std::string(checksums::NameOf(*upload->algorithm)));
    response.headers.Add("x-amz-checksum-type", std::string(NameOf(upload->checksum_type)));
  }
  AddCustomerKey(*key, response);
  co_return response;
}

Task<Result<Response>> UploadPart(S3Call& call) {
  const Result<Stamp> upload = UploadOf(call);
  if (!upload.ok()) co_return upload.status();
  const Result<int> number = PartNumberOf(call);
  if (!number.ok()) co_return number.status();
  const Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  Result<std::unique_ptr<S3Source>> source = S3Source::MakeOfObject(call);
  if (!source.ok()) co_return source.status();
  const Result<r2::PartRecord> part = co_await call.services.store.PutPart(
      call.bucket->bucket(), call.key, *upload, *number, *key, **source);
  if (!part.ok()) co_return part.status();
  Response response;
  response.headers.Add("ETag", Quoted(checksums::Digest(part->md5).Hex()));
  if (part->checksum) {
    response.headers.Add(std::string(checksums::HeaderOf(part->checksum->algorithm)),
                         part->checksum->text);
  }
  AddCustomerKey(*key, response);
  co_return response;
}

/// x-amz-copy-source-range; a malformed one is refused here, unlike a Range.
Result<r2::ByteRange> CopyRangeOf(const S3Call& call, uint64_t bytes) {
  const auto header = call.Header("x-amz-copy-source-range");
  if (!header) return r2::ByteRange{0, bytes};
  const Result<RangeChoice> choice = RangeOf(*header, bytes);
  const bool is_open = header->ends_with('-') || header->starts_with("bytes=-");
  // Nor is the end cut to that of the source.
  const bool is_whole =
      choice.ok() && choice->is_partial && !is_open &&
      header->ends_with("-" + std::to_string(choice->range.begin + choice->range.bytes - 1));
  if (!is_whole) {
    return sigv4::InvalidArgument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        "x-amz-copy-source-range", std::string(*header));
  }
  return choice->range;
}

Task<Result<Response>> UploadPartCopy(S3Call& call) {
  const Result<Stamp> upload = UploadOf(call);
  if (!upload.ok()) co_return upload.status();
  const Result<int> number = PartNumberOf(call);
  if (!number.ok()) co_return number.status();
  const Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  Result<CopySource> source = co_await OpenCopySource(call);
  if (!source.ok()) co_return source.status();
  const Result<r2::ByteRange> range = CopyRangeOf(call, source->object.record.bytes);
  if (!range.ok()) co_return range.status();
  const auto body = MakeCopyBody(call, *std::move(source), *range, std::nullopt);
  const Result<r2::PartRecord> part = co_await call.services.store.PutPart(
      call.bucket->bucket(), call.key, *upload, *number, *key, *body);
  if (!part.ok()) co_return part.status();
  s3xml::CopyResult result;
  result.last_modified = part->uploaded_ms * 1000;
  result.etag = checksums::Digest(part->md5).Hex();
  if (part->checksum) result.checksums.push_back(ElementOf(*part->checksum));
  Response response = XmlResponse(s3xml::WriteCopyPart(result));
  AddCustomerKey(*key, response);
  co_return response;
}

/// "ChecksumCRC32C" of a part, as the store has it.
Result<r2::StoredChecksum> ChecksumOf(const s3xml::ChecksumElement& element) {
  constexpr std::string_view kPrefix = "Checksum";
  std::string_view name = element.name;
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  ARROW_ASSIGN_OR_RAISE(const Algorithm algorithm, ParseAlgorithm(name));
  return r2::StoredChecksum{algorithm, ChecksumType::kFullObject, element.value};
}

Result<r2::CompleteOptions> CompletionOf(const S3Call& call, const std::string& body) {
  auto parts = s3xml::ParseCompleteMultipartUpload(
      body, static_cast<size_t>(call.services.store.limits().parts_max));
  if (!parts.ok()) return RefusedDocument(parts.status());
  r2::CompleteOptions options;
  for (s3xml::CompletedPart& part : *parts) {
    r2::CompletedPart meant{static_cast<int>(part.number), std::move(part.etag), {}};
    for (const s3xml::ChecksumElement& element : part.checksums) {
      ARROW_ASSIGN_OR_RAISE(r2::StoredChecksum checksum, ChecksumOf(element));
      meant.checksums.push_back(std::move(checksum));
    }
    options.parts.push_back(std::move(meant));
  }
  options.conditions = ConditionsOf(call);
  for (const net::HeaderField& field : call.request.headers.fields()) {
    const std::optional<Algorithm> algorithm = checksums::AlgorithmOfHeader(field.name);
    if (!algorithm) continue;
    options.expected = r2::StoredChecksum{*algorithm, ChecksumType::kFullObject, field.value};
  }
  if (const auto size = call.Header("x-amz-mp-object-size")) {
    ARROW_ASSIGN_OR_RAISE(options.bytes, HeaderNumber("x-amz-mp-object-size", *size));
  }
  return options;
}

Task<Result<Response>> CompleteMultipartUpload(S3Call& call) {
  const Result<Stamp> upload = UploadOf(call);
  if (!upload.ok()) co_return upload.status();
  // A checksum in the headers is of the object, not of this document.
  const Result<std::string> body = co_await ReadUnchecked(call, kCompleteBytesMax);
  if (!body.ok()) co_return body.status();
  Result<r2::CompleteOptions> options = CompletionOf(call, *body);
  if (!options.ok()) co_return options.status();
  const Result<r2::ObjectRecord> record = co_await call.services.store.CompleteUpload(
      call.bucket->bucket(), call.key, *upload, *std::move(options));
  if (!record.ok()) co_return record.status();
  s3xml::CompleteMultipartUploadResult result;
  result.location = std::string(call.request.secure ? "https://" : "http://") +
                    std::string(call.Header("Host").value_or("")) + std::string(call.request.path);
  result.bucket = call.bucket_name;
  result.key = call.key;
  result.etag = record->etag;
  for (const r2::StoredChecksum& checksum : record->checksums) {
    result.checksums.push_back(ElementOf(checksum));
    result.checksum_type = NameOf(checksum.type);
  }
  Response response = XmlResponse(s3xml::WriteCompleteMultipartUpload(result));
  AddVersion(call, *record, response);
  AddExpiration(call, *record, response);
  co_return response;
}

Task<Result<Response>> AbortMultipartUpload(S3Call& call) {
  const Result<Stamp> upload = UploadOf(call);
  if (!upload.ok()) co_return upload.status();
  const Status aborted =
      co_await call.services.store.AbortUpload(call.bucket->bucket(), call.key, *upload);
  if (!aborted.ok()) co_return aborted;
  Response response;
  response.status = 204;
  co_return response;
}

s3xml::Owner OwnerOf(const S3Call& call) { return {call.account.id, call.account.name}; }

Task<Result<Response>> ListParts(S3Call& call) {
  const Result<Stamp> upload = UploadOf(call);
  if (!upload.ok()) co_return upload.status();
  const Result<uint64_t> wanted = QueryNumber(call, "max-parts", 1000, INT32_MAX);
  const Result<uint64_t> after = QueryNumber(call, "part-number-marker", 0, INT32_MAX);
  for (const Status& status : {wanted.status(), after.status()}) {
    if (!status.ok()) co_return status;
  }
  const auto limit = static_cast<size_t>(std::min<uint64_t>(*wanted, 1000));
  const Result<r2::UploadRecord> record =
      co_await call.services.store.FindUpload(call.bucket->bucket(), call.key, *upload);
  if (!record.ok()) co_return record.status();
  s3xml::ListParts listing;
  Result<std::vector<r2::PartRecord>> parts = std::vector<r2::PartRecord>();
  if (*after < kPartNumberMax) {
    parts = co_await call.services.store.ListParts(*upload, static_cast<int>(*after), limit + 1);
  }
  if (!parts.ok()) co_return parts.status();
  listing.is_truncated = limit > 0 && parts->size() > limit;
  parts->resize(std::min(parts->size(), limit));
  listing.bucket = call.bucket_name;
  listing.key = call.key;
  listing.upload_id = upload->Text();
  listing.initiator = OwnerOf(call);
  listing.owner = OwnerOf(call);
  listing.storage_class = StorageClassOf(record->attributes);
  listing.part_number_marker = static_cast<uint32_t>(*after);
  listing.parts_max = static_cast<uint32_t>(limit);
  if (record->algorithm) {
    listing.checksum_algorithm = checksums::NameOf(*record->algorithm);
    listing.checksum_type = NameOf(record->checksum_type);
  }
  for (const r2::PartRecord& part : *parts) {
    listing.next_part_number_marker = static_cast<uint32_t>(part.number);
    s3xml::ListedPart listed;
    listed.number = static_cast<uint32_t>(part.number);
    listed.last_modified = part.uploaded_ms * 1000;
    listed.etag = checksums::Digest(part.md5).Hex();
    listed.size = part.segment.bytes;
    if (part.checksum) listed.checksums.push_back(ElementOf(*part.checksum));
    listing.parts.push_back(std::move(listed));
  }
  co_return XmlResponse(s3xml::WriteListParts(listing));
}

}  // namespace

std::vector<S3Operation> MultipartOperations() {
  using enum S3Level;
  return {
      {"CreateMultipartUpload", "POST", kObject, "uploads", "", S3Need::Write(),
       "begins an upload in parts", CreateMultipartUpload},
      {"UploadPartCopy", "PUT", kObject, "uploadId", "x-amz-copy-source", S3Need::Write(),
       "a part from another object", UploadPartCopy},
      {"UploadPart", "PUT", kObject, "uploadId", "", S3Need::Write(), "one part of an upload",
       UploadPart},
      {"CompleteMultipartUpload", "POST", kObject, "uploadId", "", S3Need::Write(),
       "makes an object of the parts", CompleteMultipartUpload},
      {"AbortMultipartUpload", "DELETE", kObject, "uploadId", "", S3Need::Write(),
       "drops an upload and its parts", AbortMultipartUpload},
      {"ListParts", "GET", kObject, "uploadId", "", S3Need::Read(), "the parts of an upload",
       ListParts},
  };
}

}  // namespace levada::services::s3
