#include "db/rocksdb/blob_values.h"

#include <fmt/format.h>

#include <utility>

#include "base/byte_order.h"
#include "db/rocksdb/masked_crc.h"
#include "os/disk.h"

namespace levada::db::rocks {
namespace {

constexpr size_t kHeaderBytes = 32;
constexpr size_t kCheckedHeaderBytes = 24;
constexpr char kPlainBlob = 1;  // the others have an expiration, and are not written here
constexpr char kNotCompressed = 0;
constexpr uint64_t kValueBytesMax = uint64_t{1} << 30;

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

class Heard final : public rocksdb::TablePropertiesCollector {
 public:
  explicit Heard(BlobValues& values) : values_(values) {}
  const char* Name() const override { return "levada.BlobValues"; }
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value,
                             rocksdb::EntryType type, rocksdb::SequenceNumber, uint64_t) override {
    if (type == rocksdb::kEntryBlobIndex) values_.Note(key, value);
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties*) override {
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }

 private:
  BlobValues& values_;
};

class Hears final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  explicit Hears(BlobValues& values) : values_(values) {}
  const char* Name() const override { return "levada.BlobValues"; }
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override {
    return new Heard(values_);  // tidy: allow new, RocksDB takes it
  }

 private:
  BlobValues& values_;
};

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> BlobValues::Listener() {
  return std::make_shared<Hears>(*this);
}

std::optional<BlobValues::Place> BlobValues::Parse(std::string_view encoded) {
  if (encoded.empty() || encoded.front() != kPlainBlob) return std::nullopt;
  encoded.remove_prefix(1);
  const auto file = TakeVarint(encoded);
  const auto offset = TakeVarint(encoded);
  const auto bytes = TakeVarint(encoded);
  const bool is_whole = file && offset && bytes && encoded.size() == 1;
  if (!is_whole || encoded.front() != kNotCompressed || *bytes > kValueBytesMax) {
    return std::nullopt;
  }
  return Place{*file, *offset, *bytes};
}

void BlobValues::Note(const rocksdb::Slice& key, const rocksdb::Slice& place) {
  const std::optional<Place> parsed = Parse({place.data(), place.size()});
  const std::lock_guard lock(mutex_);
  // What cannot be parsed is not whole: a file of number 0 there is none.
  places_.insert_or_assign(key.ToString(), parsed.value_or(Place{}));
}

std::optional<std::string> BlobValues::NextKey(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto next = places_.upper_bound(key);
  return next == places_.end() ? std::nullopt : std::optional(next->first);
}

std::optional<std::string> BlobValues::Read(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  const Place& place = found->second;
  const uint64_t before = kHeaderBytes + key.size();
  if (place.offset < before) return std::nullopt;
  if (open_ == nullptr || open_number_ != place.file) {
    open_.reset();
    open_number_ = place.file;
    const std::string path = os::JoinPath(directory_, fmt::format("{:06}.blob", place.file));
    if (!rocksdb::Env::Default()->NewRandomAccessFile(path, &open_, {}).ok()) return std::nullopt;
  }
  std::string room(before + place.bytes, '\0');
  rocksdb::Slice read;
  if (!open_->Read(place.offset - before, room.size(), &read, room.data()).ok())
    return std::nullopt;
  const std::string_view record(read.data(), read.size());
  if (record.size() != room.size()) return std::nullopt;
  const std::string_view content = record.substr(kHeaderBytes);
  const bool is_whole =
      ReadLittleEndian(record.substr(0, 8)) == key.size() &&
      ReadLittleEndian(record.substr(8, 8)) == place.bytes && content.starts_with(key) &&
      MaskedCrc(record.substr(0, kCheckedHeaderBytes)) == ReadLittleEndian(record.substr(24, 4)) &&
      MaskedCrc(content) == ReadLittleEndian(record.substr(28, 4));
  if (!is_whole) return std::nullopt;
  return std::string(content.substr(key.size()));
}

}  // namespace levada::db::rocks
