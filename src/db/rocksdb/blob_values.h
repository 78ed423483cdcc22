#pragma once
// BlobValues: the values of a family that lie in blob files, found without the list of those files:
// RocksDB, when it makes a store's list of tables anew, leaves the blob files out of it. Where each
// key's value lies stands in the tables, which a compaction reads; the values are then read from
// the files themselves (a record: u64 size of the key, u64 size of the value, u64 expiration, u32
// crc32c of these, u32 crc32c of key and value, key, value; all little-endian).

#include <rocksdb/env.h>
#include <rocksdb/table_properties.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace levada::db::rocks {

class BlobValues final {
 public:
  /// `directory`: of the store.
  explicit BlobValues(std::string directory) : directory_(std::move(directory)) {}

  /// Hears, for a family's options, what is written into its tables. This object outlives the store
  /// that has it.
  std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> Listener();
  /// Of one table, on any thread: `place` is what it has for the key.
  void Note(const rocksdb::Slice& key, const rocksdb::Slice& place);

  /// The first key behind `key` whose value lies in a file.
  std::optional<std::string> NextKey(std::string_view key) const;
  /// nullopt: it is not whole.
  std::optional<std::string> Read(const std::string& key);

 private:
  struct Place {
    uint64_t file = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  static std::optional<Place> Parse(std::string_view encoded);

  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Place, std::less<>> places_;
  uint64_t open_number_ = 0;
  std::unique_ptr<rocksdb::RandomAccessFile> open_;
};

}  // namespace levada::db::rocks
