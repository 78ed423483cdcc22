#pragma once
// The list of a backup's files: a line of JSON for each, in order of their paths, compressed. It is
// made and read in one pass; the whole of it is kept compressed, some 50 bytes a file. Layout:
// docs/wire/backup.md.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::backup {

struct FileEntry {
  std::string path;  ///< in the data directory: "kv/000012.sst"
  int64_t bytes = 0;
  int64_t modified_ns = 0;  ///< of the file that was copied, since 1970
  std::string sha256;       ///< of its bytes, 64 hex digits

  friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

/// The order of a list: that of a walk through directories in order of their names. Below 0, 0 or
/// above, as strcmp.
int ComparePaths(std::string_view a, std::string_view b);

/// One thread at a time.
class FileListWriter final {
 public:
  static Result<FileListWriter> Make();
  FileListWriter(FileListWriter&&) noexcept;
  FileListWriter& operator=(FileListWriter&&) noexcept;
  ~FileListWriter();

  /// Precondition: behind all before it.
  Status Add(const FileEntry& entry);
  /// The bytes of the list. Ends the object's use.
  Result<std::string> Finish();

 private:
  struct State;
  explicit FileListWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One thread at a time. Bytes of anybody: what is no list, or names a file outside of the
/// directory, is kManifestCorrupt.
class FileListReader final {
 public:
  /// `bytes` outlive it.
  static Result<FileListReader> Make(std::string_view bytes);
  FileListReader(FileListReader&&) noexcept;
  FileListReader& operator=(FileListReader&&) noexcept;
  ~FileListReader();

  /// nullopt behind the last.
  Result<std::optional<FileEntry>> Next();

 private:
  struct State;
  explicit FileListReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace levada::backup
