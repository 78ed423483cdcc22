#pragma once
// BackupKey: the names of copies of databases in a bucket, d1/<name>-<id>/<time>-<bookmark>.sqlite,
// and what follows from them alone: which is the newest, which are too many. Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace levada::services::d1 {

struct BackupKey {
  std::string name;  ///< of the database when the copy was made
  std::string id;
  WallMicros time = 0;  ///< whole seconds
  std::string bookmark;

  std::string Text() const;
  /// nullopt for a key that is none of ours.
  static std::optional<BackupKey> Parse(std::string_view text);
  friend bool operator==(const BackupKey&, const BackupKey&) = default;
};

/// What all of them begin with.
inline constexpr std::string_view kBackupPrefix = "d1/";

/// The copies among `keys` that are of one database, by its id, whatever it was called; the oldest
/// first.
std::vector<BackupKey> BackupsOf(const std::vector<std::string>& keys, std::string_view id);
/// Of those, which are to go so that `keep` stay: the oldest.
std::vector<BackupKey> TooMany(const std::vector<BackupKey>& copies, size_t keep);
/// Whether a copy is due, `every` behind the newest.
bool IsBackupDue(const std::vector<BackupKey>& copies, WallMicros now, WallMicros every);

}  // namespace levada::services::d1
