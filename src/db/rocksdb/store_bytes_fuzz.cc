// What we read of RocksDB's files ourselves: the end of a log, and where a value lies in a blob
// file.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "db/rocksdb/blob_values.h"
#include "db/rocksdb/log_tail.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace rocks = levada::db::rocks;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto kept = rocks::SizeWithoutTornTail(bytes)) {
    if (*kept >= size) __builtin_trap();
  }
  rocks::BlobValues values("/nowhere");
  values.Note("key", {bytes.data(), bytes.size()});
  if (values.Read("key")) __builtin_trap();
  return 0;
}
