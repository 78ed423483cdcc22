#pragma once
// What a store of backups holds: each backup has a head, a small JSON document that is written last
// and makes it one, and a list of its files; the files' bytes are shared by all backups, under the
// hash of what they are. Layout: docs/wire/backup.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/backup_store.h"
#include "base/clock.h"
#include "base/fault.h"

namespace levada::backup {

struct Head {
  std::string id;      ///< "20261130T192607Z": when its copying began
  std::string levada;  ///< the version that made it
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t new_bytes = 0;  ///< that no earlier backup had
  int64_t list_bytes = 0;
  std::string list_sha256;
  bool has_master_key = false;
};

/// "20261130T192607Z"
std::string IdOf(WallMicros at);
bool IsId(std::string_view text);

std::string PathOfHead(const std::string& id);
std::string PathOfList(const std::string& id);
/// Of a file's bytes.
std::string PathOfFile(const std::string& sha256);

std::string EncodeHead(const Head& head);
/// kManifestCorrupt; kNewerLayout for one of a newer levada.
Result<Head> DecodeHead(std::string_view text);

/// Ids of all, the oldest first. kForeignTarget where `store` holds something else.
Result<std::vector<std::string>> ListBackups(BackupStore& store);
/// kManifestCorrupt; kTargetFileMissing.
Result<Head> ReadHead(BackupStore& store, const std::string& id);
/// The list's bytes, which are what was written. kManifestCorrupt; kTargetFileMissing.
Result<std::string> ReadList(BackupStore& store, const Head& head);

/// What makes a directory or prefix a store of backups; written before anything else.
inline constexpr const char* kMark = "levada-backups.json";
std::string MarkText();

}  // namespace levada::backup
