#pragma once
// FileProbe: what SQLite's public interface does not say of an open file, asked of its file object
// (sqlite.org/c3ref/file.html). For this folder.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "db/sqlite/database.h"

struct sqlite3_file;

namespace levada::db::sqlite {

/// Of one file of a connection that nobody else uses meanwhile.
class FileProbe final {
 public:
  /// The first hundred bytes of a database (sqlite.org/fileformat2.html#the_database_header).
  using Header = std::array<uint8_t, 100>;

  FileProbe(Database& database, std::string schema)
      : database_(database), schema_(std::move(schema)) {}

  Result<Header> ReadHeader() const;
  Result<int64_t> Size() const;
  Result<bool> IsMoved() const;
  bool IsImmutable() const;
  /// Which write-ahead log there is and how far it goes; of one without frames, when the file
  /// itself was written. nullopt where no index of a log is in memory or it is being written.
  /// Precondition: the connection has read, the file says that it has such a log and is not
  /// immutable; else one would be made.
  std::optional<std::string> LogMark() const;

  /// An error of `code` for this file.
  Status Failure(int code, ErrorKind kind, const std::string& message) const;

 private:
  Result<sqlite3_file*> File() const;

  Database& database_;
  const std::string schema_;
};

}  // namespace levada::db::sqlite
