#include "services/d1/backup_key.h"

#include <algorithm>
#include <tuple>

#include "base/timestamp.h"
#include "services/d1/databases.h"

namespace levada::services::d1 {
namespace {

constexpr std::string_view kEnd = ".sqlite";
constexpr size_t kIdBytes = 36;
constexpr std::string_view kTimeForm = "20261130T195500Z";
constexpr size_t kBookmarkBytes = 8 + 1 + 8 + 1 + 8 + 1 + 32;

bool IsBookmark(std::string_view text) {
  return text.size() == kBookmarkBytes &&
         text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

/// "20261130T195500Z" as "2026-11-30T19:55:00Z".
std::optional<WallMicros> TimeOf(std::string_view text) {
  if (text.size() != kTimeForm.size()) return std::nullopt;
  std::string whole(text.substr(0, 4));
  whole += '-';
  whole += text.substr(4, 2);
  whole += '-';
  whole += text.substr(6, 5);
  whole += ':';
  whole += text.substr(11, 2);
  whole += ':';
  whole += text.substr(13);
  return ParseTimestamp(whole);
}

std::string TextOf(WallMicros time) {
  std::string text =
      FormatTimestamp(time).substr(0, std::string_view("2026-11-30T19:55:00").size());
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

}  // namespace

std::string BackupKey::Text() const {
  return std::string(kBackupPrefix) + name + "-" + id + "/" + TextOf(time) + "-" + bookmark +
         std::string(kEnd);
}

std::optional<BackupKey> BackupKey::Parse(std::string_view text) {
  if (!text.starts_with(kBackupPrefix) || !text.ends_with(kEnd)) return std::nullopt;
  const std::string_view inner =
      text.substr(kBackupPrefix.size(), text.size() - kBackupPrefix.size() - kEnd.size());
  const size_t slash = inner.find('/');
  if (slash == std::string_view::npos || slash < kIdBytes + 2) return std::nullopt;
  const std::string_view file = inner.substr(slash + 1);
  if (file.size() != kTimeForm.size() + 1 + kBookmarkBytes) return std::nullopt;
  const auto time = TimeOf(file.substr(0, kTimeForm.size()));
  BackupKey key{std::string(inner.substr(0, slash - kIdBytes - 1)),
                std::string(inner.substr(slash - kIdBytes, kIdBytes)), time.value_or(0),
                std::string(file.substr(kTimeForm.size() + 1))};
  // What is not exactly as we write it is somebody else's.
  const bool is_ours = time && IsDatabaseName(key.name) && IsDatabaseId(key.id) &&
                       IsBookmark(key.bookmark) && key.Text() == text;
  if (!is_ours) return std::nullopt;
  return key;
}

std::vector<BackupKey> BackupsOf(const std::vector<std::string>& keys, std::string_view id) {
  std::vector<BackupKey> copies;
  for (const std::string& text : keys) {
    std::optional<BackupKey> key = BackupKey::Parse(text);
    if (key && key->id == id) copies.push_back(*std::move(key));
  }
  std::ranges::sort(
      copies, {}, [](const BackupKey& key) { return std::tie(key.time, key.bookmark, key.name); });
  return copies;
}

std::vector<BackupKey> TooMany(const std::vector<BackupKey>& copies, size_t keep) {
  if (copies.size() <= keep) return {};
  return {copies.begin(), copies.end() - static_cast<ptrdiff_t>(keep)};
}

bool IsBackupDue(const std::vector<BackupKey>& copies, WallMicros now, WallMicros every) {
  // A clock that was set back must not hold it up for ever.
  return copies.empty() || copies.back().time + every <= now || copies.back().time > now;
}

}  // namespace levada::services::d1
