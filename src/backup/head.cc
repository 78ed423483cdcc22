#include "backup/head.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "places/sha256.h"

namespace levada::backup {
namespace {

constexpr int kFormat = 1;
constexpr int64_t kHeadBytesMax = 64 * 1024;
constexpr int64_t kListBytesMax = int64_t{4} << 30;
constexpr const char* kBackups = "backups";
constexpr std::string_view kHeadEnding = ".json";

Fault Corrupt(const std::string& what) {
  return Fault(FaultCode::kManifestCorrupt, "the head of a backup is damaged: " + what)
      .Help("take another backup; `levada restore --list` says which there are");
}

int64_t IntegerOf(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_number_integer() ? at->get<int64_t>() : -1;
}

std::string TextOf(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Status CheckFormat(const Json& json, const std::string& what) {
  const int64_t format = json.is_object() ? IntegerOf(json, "levada_backup") : -1;
  if (format == kFormat) return Status::OK();
  if (format < 1) return Corrupt(what);
  return Fault(
             FaultCode::kNewerLayout,
             fmt::format("these backups are of a newer levada: format {}, this one knows up to {}",
                         format, kFormat))
      .Help("use the levada that made them, or a newer one");
}

}  // namespace

std::string IdOf(WallMicros at) {
  std::string text = FormatTimestamp(at).substr(0, 19);  // 2026-11-30T19:26:07
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

bool IsId(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return false;
  return std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }) == 14;
}

std::string PathOfHead(const std::string& id) {
  return os::JoinPath(kBackups, id + std::string(kHeadEnding));
}
std::string PathOfList(const std::string& id) { return os::JoinPath(kBackups, id + ".files.zst"); }
std::string PathOfFile(const std::string& sha256) {
  return fmt::format("files/{}/{}", sha256.substr(0, 2), sha256);
}

std::string EncodeHead(const Head& head) {
  return Dump({{"levada_backup", kFormat},
               {"id", head.id},
               {"levada", head.levada},
               {"files", head.files},
               {"bytes", head.bytes},
               {"new_bytes", head.new_bytes},
               {"master_key", head.has_master_key},
               {"list", {{"bytes", head.list_bytes}, {"sha256", head.list_sha256}}}},
              2) +
         "\n";
}

Result<Head> DecodeHead(std::string_view text) {
  const Json json = ParseJson(text);
  ARROW_RETURN_NOT_OK(CheckFormat(json, "it is no JSON of one"));
  const Json list = json.value("list", Json::object());
  const auto key = json.find("master_key");
  if (!list.is_object() || key == json.end() || !key->is_boolean()) return Corrupt(Dump(json));
  const Head head{TextOf(json, "id"),           TextOf(json, "levada"),
                  IntegerOf(json, "files"),     IntegerOf(json, "bytes"),
                  IntegerOf(json, "new_bytes"), IntegerOf(list, "bytes"),
                  TextOf(list, "sha256"),       key->get<bool>()};
  if (!IsId(head.id) || head.files < 0 || head.bytes < 0 || head.new_bytes < 0 ||
      head.list_bytes < 0 || head.list_bytes > kListBytesMax) {
    return Corrupt(Dump(json));
  }
  return head;
}

std::string MarkText() { return Dump({{"levada_backup", kFormat}}) + "\n"; }

Result<std::vector<std::string>> ListBackups(BackupStore& store) {
  ARROW_ASSIGN_OR_RAISE(const auto mark, ReadWhole(store, kMark, kHeadBytesMax));
  std::vector<std::string> ids;
  if (!mark) {
    ARROW_ASSIGN_OR_RAISE(const auto names, store.List(""));
    if (names.empty()) return ids;
    return Fault(FaultCode::kForeignTarget, fmt::format("\"{}\" holds \"{}\" and no backups",
                                                        store.Location(""), names.front()))
        .Help("name an empty place, or one that `levada backup` has made");
  }
  ARROW_RETURN_NOT_OK(CheckFormat(ParseJson(*mark), store.Location(kMark)));
  ARROW_ASSIGN_OR_RAISE(const auto names, store.List(kBackups));
  for (const std::string& name : names) {
    const std::string id = name.substr(0, name.find('.'));
    if (IsId(id) && name == id + std::string(kHeadEnding)) ids.push_back(id);
  }
  return ids;
}

Result<Head> ReadHead(BackupStore& store, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(const auto text, ReadWhole(store, PathOfHead(id), kHeadBytesMax));
  if (!text) {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("there is no backup \"{}\" in \"{}\"", id, store.Location("")))
        .Help("`levada restore --list` says which there are");
  }
  ARROW_ASSIGN_OR_RAISE(Head head, DecodeHead(*text));
  if (head.id != id) return Corrupt(fmt::format("that of {} says {}", id, head.id));
  return head;
}

Result<std::string> ReadList(BackupStore& store, const Head& head) {
  const std::string path = PathOfList(head.id);
  ARROW_ASSIGN_OR_RAISE(auto list, ReadWhole(store, path, head.list_bytes));
  if (!list) {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("\"{}\" is missing", store.Location(path)))
        .Help("take another backup; `levada restore --list` says which there are");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string sha256, places::Sha256Of(*list));
  if (sha256 != head.list_sha256) {
    return Fault(FaultCode::kManifestCorrupt,
                 fmt::format("\"{}\" is not what was written", store.Location(path)))
        .Help("take another backup; `levada restore --list` says which there are");
  }
  return *std::move(list);
}

}  // namespace levada::backup
