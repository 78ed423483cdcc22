// The part of ObjectStore that is multipart uploads: parts are blobs from the start, and completing
// an upload makes an object of them by reference.

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "services/core/on_thread.h"
#include "services/r2/object_store.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {

using checksums::Algorithm;
using checksums::ChecksumType;
using checksums::Digest;
using net::Task;

namespace {

std::string UploadLock(const Stamp& upload) { return "upload " + upload.Text(); }

/// The composite or the full checksum of all parts; nullopt when the upload has no algorithm.
Result<std::optional<StoredChecksum>> ChecksumOf(const UploadRecord& upload,
                                                 const std::vector<PartRecord>& parts) {
  if (!upload.algorithm) return std::optional<StoredChecksum>();
  const Algorithm algorithm = *upload.algorithm;
  std::vector<checksums::Part> digests;
  for (const PartRecord& part : parts) {
    const std::optional<Digest> digest =
        part.checksum ? Digest::FromBase64(part.checksum->text, checksums::DigestBytes(algorithm))
                      : std::nullopt;
    if (!digest) return R2Error(R2ErrorCode::kBadPart);
    digests.push_back({*digest, part.segment.bytes});
  }
  StoredChecksum checksum{algorithm, upload.checksum_type, {}};
  if (upload.checksum_type == ChecksumType::kComposite) {
    ARROW_ASSIGN_OR_RAISE(checksum.text, checksums::CompositeChecksum(algorithm, digests));
  } else {
    ARROW_ASSIGN_OR_RAISE(const Digest full, checksums::FullObjectChecksum(algorithm, digests));
    checksum.text = full.Base64();
  }
  return std::optional<StoredChecksum>(std::move(checksum));
}

/// Whether the client means this part.
bool IsMeant(const CompletedPart& meant, const PartRecord& part) {
  if (!EqualsIgnoringCase(meant.etag, Digest(part.md5).Hex())) return false;
  return std::ranges::all_of(meant.checksums, [&part](const StoredChecksum& each) {
    return part.checksum && part.checksum->algorithm == each.algorithm &&
           part.checksum->text == each.text;
  });
}

}  // namespace

Task<Result<UploadRecord>> ObjectStore::CreateUpload(Bucket bucket, std::string key,
                                                     UploadOptions options) {
  const Status writable = CheckWritable(key, &options.attributes);
  if (!writable.ok()) co_return writable;
  UploadRecord upload;
  upload.upload = NextStamp();
  upload.begun_ms = NowMs();
  upload.attributes = std::move(options.attributes);
  upload.algorithm = options.algorithm;
  upload.checksum_type = options.checksum_type;
  if (options.key) upload.customer_key_md5 = options.key->md5();
  Change change;
  change.batch.Put(kUploads, UploadKey(bucket.number, key, upload.upload), Encode(upload));
  const Status status = co_await Commit(bucket.number, std::move(change));
  if (!status.ok()) co_return status;
  co_return upload;
}

Task<Result<UploadRecord>> ObjectStore::FindUpload(Bucket bucket, std::string key, Stamp upload) {
  const auto found = co_await OnWorker(
      [this, bucket, &key, &upload] { return index_->FindUpload(bucket.number, key, upload); });
  if (!found.ok()) co_return found.status();
  if (!*found) co_return R2Error(R2ErrorCode::kNoSuchUpload);
  co_return **found;
}

Task<Result<PartRecord>> ObjectStore::PutPart(Bucket bucket, std::string key, Stamp upload,
                                              int number, std::optional<CustomerKey> customer_key,
                                              ObjectSource& source) {
  Status status = CheckWritable(key, nullptr);
  if (!status.ok()) co_return status;
  if (number < 1 || number > limits_.parts_max) {
    co_return R2Error(R2ErrorCode::kBadArgument, "Part number must be an integer between 1 and " +
                                                     std::to_string(limits_.parts_max) +
                                                     ", inclusive");
  }
  const Result<UploadRecord> record = co_await FindUpload(bucket, key, upload);
  if (!record.ok()) co_return record.status();
  if (record->customer_key_md5 != (customer_key ? customer_key->md5() : "")) {
    co_return R2Error(R2ErrorCode::kBadCustomerKey,
                      "The part's encryption key is not that of the upload.");
  }
  const std::shared_ptr<TransferSlot> slot = TakeSlot();
  if (slot == nullptr) co_return Busy();
  ReceiveOptions receiving;
  receiving.blob = NextStamp();
  receiving.key = std::move(customer_key);
  receiving.always_blob = true;
  receiving.bytes_max = limits_.upload_bytes_max;
  Result<Received> received = co_await Receive(source, std::move(receiving), *blobs_,
                                               environment_.loop, environment_.transfers);
  if (!received.ok()) co_return received.status();
  PartRecord part;
  part.number = number;
  part.segment = *received->segment;
  part.uploaded_ms = NowMs();
  part.md5 = received->computed.md5.bytes();
  for (StoredChecksum& checksum : received->checksums) {
    if (checksum.algorithm == record->algorithm) part.checksum = std::move(checksum);
  }

  const KeyLocks::Hold hold = co_await locks_.Acquire(UploadLock(upload));
  const auto old = co_await OnWorker(
      [this, bucket, &key, &upload, number]() -> Result<std::optional<PartRecord>> {
        ARROW_ASSIGN_OR_RAISE(const auto still, index_->FindUpload(bucket.number, key, upload));
        if (!still) return R2Error(R2ErrorCode::kNoSuchUpload);
        return index_->FindPart(upload, number);
      });
  status = old.status();
  if (status.ok()) {
    Change change;
    if (*old) {
      change.batch.Delete(kBlobs, (*old)->segment.blob.Bytes());
      change.gone.push_back((*old)->segment.blob);
    }
    change.batch.Put(kBlobs, part.segment.blob.Bytes(), ObjectKey(bucket.number, key));
    change.batch.Put(kParts, PartKey(upload, number), Encode(part));
    status = co_await Commit(bucket.number, std::move(change));
    if (status.ok()) co_return part;
    if (!IsR2Error(status)) co_return status;
  }
  co_await RemoveFile(part.segment.blob);
  co_return status;
}

Task<Result<std::vector<PartRecord>>> ObjectStore::ListParts(Stamp upload, int after,
                                                             size_t limit) {
  co_return co_await OnWorker(
      [this, &upload, after, limit] { return index_->Parts(upload, after, limit); });
}

Task<Result<UploadPage>> ObjectStore::ListUploads(Bucket bucket, ListRequest request) {
  co_return co_await OnWorker(
      [this, bucket, &request] { return index_->ListUploads(bucket.number, request); });
}

/// The object that the client's list makes of the stored parts.
Result<ObjectRecord> ObjectStore::Assemble(const UploadRecord& upload,
                                           const CompleteOptions& options,
                                           const std::vector<PartRecord>& parts) const {
  if (options.parts.empty()) return R2Error(R2ErrorCode::kBadPart);
  std::vector<PartRecord> chosen;
  for (const CompletedPart& meant : options.parts) {
    if (!chosen.empty() && meant.number <= chosen.back().number) {
      return R2Error(R2ErrorCode::kBadPartOrder);
    }
    const auto part = std::ranges::lower_bound(parts, meant.number, {}, &PartRecord::number);
    if (part == parts.end() || part->number != meant.number || !IsMeant(meant, *part)) {
      return R2Error(R2ErrorCode::kBadPart);
    }
    chosen.push_back(*part);
  }
  ObjectRecord record;
  std::vector<checksums::Part> digests;
  for (const PartRecord& part : chosen) {
    if (&part != &chosen.back() && part.segment.bytes < limits_.part_bytes_min) {
      return R2Error(R2ErrorCode::kEntityTooSmall);
    }
    record.bytes += part.segment.bytes;
    record.segments.push_back(part.segment);
    digests.push_back({Digest(part.md5), part.segment.bytes});
  }
  if (record.bytes > limits_.object_bytes_max) return R2Error(R2ErrorCode::kEntityTooLarge);
  if (options.bytes && *options.bytes != record.bytes) {
    return R2Error(R2ErrorCode::kBadArgument,
                   "The object's size is not that of x-amz-mp-object-size.");
  }
  ARROW_ASSIGN_OR_RAISE(record.etag, checksums::MultipartETag(digests));
  ARROW_ASSIGN_OR_RAISE(const auto checksum, ChecksumOf(upload, chosen));
  if (checksum) record.checksums.push_back(*checksum);
  if (options.expected && (!checksum || checksum->algorithm != options.expected->algorithm ||
                           checksum->text != options.expected->text)) {
    return R2Error(R2ErrorCode::kBadDigest);
  }
  record.is_multipart = true;
  record.attributes = upload.attributes;
  record.customer_key_md5 = upload.customer_key_md5;
  record.upload = upload.upload;
  return record;
}

Task<Result<ObjectRecord>> ObjectStore::CompleteUpload(Bucket bucket, std::string key, Stamp upload,
                                                       CompleteOptions options) {
  const Status writable = CheckWritable(key, nullptr);
  if (!writable.ok()) co_return writable;
  // The only one that takes two locks: nobody waits in a circle.
  const KeyLocks::Hold upload_hold = co_await locks_.Acquire(UploadLock(upload));
  const KeyLocks::Hold key_hold = co_await locks_.Acquire(ObjectKey(bucket.number, key));
  bucket = Now(bucket);
  const Result<KeyState> state = co_await StateOf(bucket, key);
  if (!state.ok()) co_return state.status();
  const Result<UploadRecord> record = co_await FindUpload(bucket, key, upload);
  if (!record.ok()) {
    // A client that did not hear the answer asks again.
    if (state->current && state->current->upload == upload) co_return *state->current;
    co_return record.status();
  }
  if (Evaluate(options.conditions, state->current ? &*state->current : nullptr) !=
      Verdict::kHolds) {
    co_return R2Error(R2ErrorCode::kPrecondition);
  }
  const auto parts = co_await OnWorker(
      [this, &upload] { return index_->Parts(upload, 0, static_cast<size_t>(limits_.parts_max)); });
  if (!parts.ok()) co_return parts.status();
  Result<ObjectRecord> object = Assemble(*record, options, *parts);
  if (!object.ok()) co_return object.status();
  Change change;
  for (const PartRecord& part : *parts) {
    change.batch.Delete(kParts, PartKey(upload, part.number));
    if (std::ranges::binary_search(options.parts, part.number, {}, &CompletedPart::number))
      continue;
    change.batch.Delete(kBlobs, part.segment.blob.Bytes());
    change.gone.push_back(part.segment.blob);
  }
  change.batch.Delete(kUploads, UploadKey(bucket.number, key, upload));
  AddObject(change, bucket, key, *state, *object, {});
  Announce(change, bucket.number,
           {.action = ObjectAction::kCompleteMultipartUpload,
            .key = key,
            .bytes = object->bytes,
            .etag = object->etag});
  const Status status = co_await Commit(bucket.number, std::move(change));
  if (!status.ok()) co_return status;
  co_return object;
}

Status ObjectStore::PlanAbort(Change& change, uint64_t bucket, const std::string& key,
                              const Stamp& upload) const {
  ARROW_ASSIGN_OR_RAISE(const auto parts,
                        index_->Parts(upload, 0, static_cast<size_t>(limits_.parts_max)));
  for (const PartRecord& part : parts) {
    change.batch.Delete(kParts, PartKey(upload, part.number));
    change.batch.Delete(kBlobs, part.segment.blob.Bytes());
    change.gone.push_back(part.segment.blob);
  }
  change.batch.Delete(kUploads, UploadKey(bucket, key, upload));
  return Status::OK();
}

Task<Status> ObjectStore::AbortUpload(Bucket bucket, std::string key, Stamp upload) {
  const KeyLocks::Hold hold = co_await locks_.Acquire(UploadLock(upload));
  const Result<UploadRecord> record = co_await FindUpload(bucket, key, upload);
  if (!record.ok()) co_return record.status();
  Change change;
  const Status planned = co_await OnWorker([this, bucket, &key, &upload, &change] {
    return PlanAbort(change, bucket.number, key, upload);
  });
  if (!planned.ok()) co_return planned;
  co_return co_await Commit(bucket.number, std::move(change));
}

}  // namespace levada::services::r2
