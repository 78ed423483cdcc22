#pragma once
// What R2 keeps of an object, of an unfinished upload and of a part, and the keys they are kept
// under. Layout: docs/wire/r2.md. Pure: no I/O.
//
// Families of the store (db/rocksdb):
//   objects   bucket, key                  -> the current version of every object that has one
//   versions  bucket, key, newest first    -> versions that are not current, and delete markers
//   inline    version                      -> bytes of small objects
//   uploads   bucket, key, upload          -> unfinished multipart uploads
//   parts     upload, part number          -> their parts
//   blobs     blob                         -> every file of objects and parts: what no record
//                                             names is nobody's, and may be removed
//   events    queue, event                 -> messages that a queue has not got yet

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "formats/checksums/checksum.h"
#include "formats/checksums/multipart.h"

namespace levada::services::r2 {

/// A number that no two writes share: of versions, uploads and blobs. Later ones of a key are
/// greater.
struct Stamp {
  uint64_t sequence = 0;
  uint64_t random = 0;

  /// 32 hex digits.
  std::string Text() const;
  static std::optional<Stamp> Parse(std::string_view text);
  /// 16 bytes in the order of the numbers.
  std::string Bytes() const;
  static std::optional<Stamp> FromBytes(std::string_view bytes);
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

/// Headers that are stored with an object and given back with it.
struct HttpFields {
  std::optional<std::string> content_type;
  std::optional<std::string> content_language;
  std::optional<std::string> content_disposition;
  std::optional<std::string> content_encoding;
  std::optional<std::string> cache_control;
  std::optional<int64_t> cache_expiry_ms;

  friend bool operator==(const HttpFields&, const HttpFields&) = default;
};

/// What a client says of an object beside its bytes.
struct ObjectAttributes {
  HttpFields http;
  std::vector<std::pair<std::string, std::string>> custom;  ///< names in lower case on the S3 door
  bool infrequent_access = false;  ///< the storage class; said, not acted on

  friend bool operator==(const ObjectAttributes&, const ObjectAttributes&) = default;
};

struct StoredChecksum {
  checksums::Algorithm algorithm = checksums::Algorithm::kCrc32;
  checksums::ChecksumType type = checksums::ChecksumType::kFullObject;
  /// base64 as the client sees it; of a composite one with "-<count of parts>".
  std::string text;

  friend bool operator==(const StoredChecksum&, const StoredChecksum&) = default;
};

/// A run of an object's bytes in a file of its own.
struct Segment {
  Stamp blob;
  uint64_t bytes = 0;

  friend bool operator==(const Segment&, const Segment&) = default;
};

struct ObjectRecord {
  Stamp version;
  bool is_null_version = true;  ///< written while the bucket kept no versions: "null" to S3
  bool is_delete_marker = false;
  uint64_t bytes = 0;
  int64_t uploaded_ms = 0;
  std::string etag;  ///< without quotes
  ObjectAttributes attributes;
  std::vector<StoredChecksum> checksums;
  std::string md5;               ///< 16 bytes; of an object of one piece that is not encrypted
  std::string customer_key_md5;  ///< 16 bytes, when the bytes are encrypted with a client's key
  bool is_inline = false;
  std::vector<Segment> segments;  ///< of a multipart object one a part, else at most one
  bool is_multipart = false;
  std::optional<Stamp> upload;  ///< that made it, so that a repeated completion finds it

  friend bool operator==(const ObjectRecord&, const ObjectRecord&) = default;
};

struct UploadRecord {
  Stamp upload;
  int64_t begun_ms = 0;
  ObjectAttributes attributes;
  std::optional<checksums::Algorithm> algorithm;
  checksums::ChecksumType checksum_type = checksums::ChecksumType::kComposite;
  std::string customer_key_md5;

  friend bool operator==(const UploadRecord&, const UploadRecord&) = default;
};

struct PartRecord {
  int number = 0;
  Segment segment;
  int64_t uploaded_ms = 0;
  std::string md5;                         ///< 16 bytes
  std::optional<StoredChecksum> checksum;  ///< of the upload's algorithm

  friend bool operator==(const PartRecord&, const PartRecord&) = default;
};

std::string Encode(const ObjectRecord& record);
std::string Encode(const UploadRecord& record);
std::string Encode(const PartRecord& record);
/// nullopt: no such record, it is damaged.
std::optional<ObjectRecord> DecodeObject(std::string_view bytes);
std::optional<UploadRecord> DecodeUpload(std::string_view bytes);
std::optional<PartRecord> DecodePart(std::string_view bytes);

/// The number of a bucket, then the key.
std::string ObjectKey(uint64_t bucket, std::string_view key);
/// Begins what `versions` or `uploads` have of a key; they sort as the keys do.
std::string KeyedPrefix(uint64_t bucket, std::string_view key);
/// Newest first behind the prefix.
std::string VersionKey(uint64_t bucket, std::string_view key, const Stamp& version);
std::string UploadKey(uint64_t bucket, std::string_view key, const Stamp& upload);
std::string PartKey(const Stamp& upload, int number);
/// The number of a queue, then the event.
std::string EventKey(uint64_t queue, const Stamp& event);
/// Where the keys of a queue begin; they end where the next number's do.
std::string EventsBegin(uint64_t queue);
/// nullopt: no such key.
std::optional<uint64_t> QueueOfEventKey(std::string_view store_key);
/// All keys of a bucket are in [BucketBegin(bucket), BucketBegin(bucket + 1)).
std::string BucketBegin(uint64_t bucket);

/// Of a key of `versions` or `uploads` what stands in it.
struct KeyedEntry {
  std::string key;
  std::string_view rest;  ///< of a version or an upload, 16 bytes
};
std::optional<KeyedEntry> SplitKeyed(std::string_view store_key);
/// The version in the rest of a key of `versions`.
std::optional<Stamp> VersionOfRest(std::string_view rest);

}  // namespace levada::services::r2
