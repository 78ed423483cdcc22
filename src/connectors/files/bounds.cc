#include "connectors/files/bounds.h"

#include <optional>
#include <utility>

#include "base/json.h"

namespace levada::files {
namespace {

Fault Corrupt(const char* what) {
  return Fault(FaultCode::kManifestCorrupt, std::string("bounds of a split: ") + what);
}

/// '\0' is written as an empty text.
std::string TextOf(char c) { return c == 0 ? std::string() : std::string(1, c); }

Result<char> CharacterOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string())
    return Corrupt("a dialect without its characters");
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > 1 || (!text.empty() && static_cast<unsigned char>(text[0]) >= 0x80)) {
    return Corrupt("a dialect with more than one character");
  }
  return text.empty() ? '\0' : text.front();
}

Result<csv::Dialect> DialectOf(const Json& json) {
  if (!json.is_object()) return Corrupt("a dialect that is none");
  csv::Dialect dialect;
  ARROW_ASSIGN_OR_RAISE(dialect.delimiter, CharacterOf(json, "delimiter"));
  ARROW_ASSIGN_OR_RAISE(dialect.quote, CharacterOf(json, "quote"));
  ARROW_ASSIGN_OR_RAISE(dialect.escape, CharacterOf(json, "escape"));
  const auto header = json.find("header");
  if (header == json.end() || !header->is_boolean()) return Corrupt("a dialect without its header");
  dialect.header = header->get<bool>();
  return dialect;
}

std::optional<int64_t> NumberOf(const Json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX) return std::nullopt;
  return json.get<int64_t>();
}

/// [path, size, time]: short, since there may be many.
Result<FileEntry> EntryOf(const Json& json) {
  if (!json.is_array() || json.size() != 3 || !json[0].is_string()) {
    return Corrupt("a file that is none");
  }
  const auto size = NumberOf(json[1]);
  const auto modified = NumberOf(json[2]);
  if (!size || *size < 0 || !modified) return Corrupt("a file without its size and time");
  return FileEntry{json[0].get<std::string>(), *size, *modified};
}

}  // namespace

std::string PartitionBounds::ToJson() const {
  Json json;
  json["format"] = WordOf(format);
  if (format == Format::kCsv) {
    json["csv"] = {{"delimiter", TextOf(dialect.delimiter)},
                   {"quote", TextOf(dialect.quote)},
                   {"escape", TextOf(dialect.escape)},
                   {"header", dialect.header}};
  }
  if (!keys.empty()) json["hive"] = keys;
  Json list = Json::array();
  for (const FileEntry& file : files) {
    list.push_back(Json::array({file.path, file.size, file.modified_ns}));
  }
  json["files"] = std::move(list);
  return Dump(json);
}

Result<PartitionBounds> PartitionBounds::FromJson(const std::string& text) {
  const Json json = ParseJson(text);
  if (!json.is_object()) return Corrupt("expected a JSON object");
  PartitionBounds bounds;
  const auto format = json.find("format");
  const auto known = format != json.end() && format->is_string()
                         ? FormatOfWord(format->get_ref<const std::string&>())
                         : std::nullopt;
  if (!known) return Corrupt("files without their format");
  bounds.format = *known;
  const auto dialect = json.find("csv");
  if ((dialect != json.end()) != (*known == Format::kCsv)) return Corrupt("a dialect of no CSV");
  if (dialect != json.end()) {
    ARROW_ASSIGN_OR_RAISE(bounds.dialect, DialectOf(*dialect));
    if (bounds.dialect.delimiter == 0) return Corrupt("a dialect without a delimiter");
  }
  if (const auto keys = json.find("hive"); keys != json.end()) {
    if (!keys->is_array()) return Corrupt("keys that are none");
    for (const Json& key : *keys) {
      if (!key.is_string()) return Corrupt("a key that is no text");
      bounds.keys.push_back(key.get<std::string>());
    }
  }
  const auto files = json.find("files");
  if (files == json.end() || !files->is_array() || files->empty() || files->size() > kFilesMax) {
    return Corrupt("no files, or too many");
  }
  for (const Json& file : *files) {
    ARROW_ASSIGN_OR_RAISE(FileEntry entry, EntryOf(file));
    bounds.files.push_back(std::move(entry));
  }
  return bounds;
}

}  // namespace levada::files
