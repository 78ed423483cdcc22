#include "formats/parquet/encode_options.h"

#include <array>

#include "base/json.h"

namespace levada::parquet_format {
namespace {

constexpr std::array<std::string_view, 4> kCodecNames = {"none", "snappy", "zstd", "lz4"};
constexpr std::array<std::string_view, 3> kProfileNames = {"spark-3", "spark-4", "arrow"};
constexpr std::array<std::string_view, 2> kEncodingNames = {"auto", "plain"};
constexpr std::array<std::string_view, 3> kDictionaryNames = {"off", "auto", "on"};

constexpr int kZstdLevelMax = 22;
/// A page's sizes are 32-bit in the format; a quarter of that leaves room for one huge row.
constexpr int64_t kChunkBytesMax = 512 << 20;
constexpr int64_t kChunkRowsMax = 1 << 20;

template <typename Enum, size_t kCount>
std::optional<Enum> Find(const std::array<std::string_view, kCount>& names, std::string_view name) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

struct IntegerKey {
  std::string_view name;
  int64_t EncodeOptions::* member;
  int64_t max;
};

constexpr int64_t kNoMax = INT64_MAX;
constexpr IntegerKey kIntegerKeys[] = {
    {"chunk_rows", &EncodeOptions::chunk_rows, kChunkRowsMax},
    {"chunk_bytes", &EncodeOptions::chunk_bytes, kChunkBytesMax},
    {"row_group_rows", &EncodeOptions::row_group_rows, INT32_MAX},
    {"row_group_bytes", &EncodeOptions::row_group_bytes, kNoMax},
    {"dictionary_bytes", &EncodeOptions::dictionary_bytes, kChunkBytesMax},
    {"file_bytes", &EncodeOptions::file_bytes, kNoMax},
    {"file_column_chunks", &EncodeOptions::file_column_chunks, kNoMax},
};

Fault BadRecord(std::string what) {
  return Fault(FaultCode::kManifestCorrupt, "recorded encode options: " + std::move(what));
}

Result<std::string> TextAt(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return BadRecord(std::string(key) + " is missing or not text");
  return found->get<std::string>();
}

Result<int64_t> IntegerAt(const Json& object, std::string_view key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) {
    return BadRecord(std::string(key) + " is missing or not an integer");
  }
  if (found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX) {
    return BadRecord(std::string(key) + " is out of range");
  }
  return found->get<int64_t>();
}

Result<EncodeOptions> Parse(const Json& object) {
  if (!object.is_object()) return BadRecord("expected an object");
  ARROW_ASSIGN_OR_RAISE(int64_t version, IntegerAt(object, "version"));
  if (version != kEncodeOptionsVersion) {
    return BadRecord("expected version " + std::to_string(kEncodeOptionsVersion) + ", got " +
                     std::to_string(version))
        .Help("continue the run with the build that began it");
  }
  // version, profile, codec, level, encoding, dictionary, statistics
  constexpr size_t kOtherKeys = 7;
  if (object.size() != kOtherKeys + std::size(kIntegerKeys))
    return BadRecord("a key is missing or unknown");

  EncodeOptions options;
  ARROW_ASSIGN_OR_RAISE(std::string profile, TextAt(object, "profile"));
  ARROW_ASSIGN_OR_RAISE(std::string codec, TextAt(object, "codec"));
  ARROW_ASSIGN_OR_RAISE(std::string encoding, TextAt(object, "encoding"));
  auto found_profile = FindProfile(profile);
  auto found_codec = FindCodec(codec);
  auto found_encoding = FindValueEncoding(encoding);
  if (!found_profile) return BadRecord("unknown profile \"" + profile + "\"");
  if (!found_codec) return BadRecord("unknown codec \"" + codec + "\"");
  if (!found_encoding) return BadRecord("unknown encoding \"" + encoding + "\"");
  options.profile = *found_profile;
  options.codec = *found_codec;
  options.encoding = *found_encoding;
  ARROW_ASSIGN_OR_RAISE(int64_t level, IntegerAt(object, "level"));
  if (level < 0 || level > kZstdLevelMax) return BadRecord("level is out of range");
  options.level = static_cast<int>(level);
  for (const IntegerKey& key : kIntegerKeys) {
    ARROW_ASSIGN_OR_RAISE(options.*key.member, IntegerAt(object, key.name));
  }
  auto dictionary = object.find("dictionary");
  auto statistics = object.find("statistics");
  if (dictionary == object.end() || !dictionary->is_array())
    return BadRecord("dictionary is not a list");
  if (statistics == object.end() || !statistics->is_array())
    return BadRecord("statistics is not a list");
  for (const auto& item : *dictionary) {
    auto use = item.is_string() ? Find<DictionaryUse>(kDictionaryNames, item.get<std::string>())
                                : std::nullopt;
    if (!use) return BadRecord("dictionary holds something other than off, auto, on");
    options.dictionary.push_back(*use);
  }
  for (const auto& item : *statistics) {
    if (!item.is_boolean()) return BadRecord("statistics holds something other than true, false");
    options.statistics.push_back(item.get<bool>());
  }
  return options;
}

}  // namespace

std::string_view NameOf(Codec codec) { return kCodecNames[static_cast<size_t>(codec)]; }
std::string_view NameOf(Profile profile) { return kProfileNames[static_cast<size_t>(profile)]; }
std::string_view NameOf(ValueEncoding encoding) {
  return kEncodingNames[static_cast<size_t>(encoding)];
}
std::string_view NameOf(DictionaryUse use) { return kDictionaryNames[static_cast<size_t>(use)]; }
std::optional<Codec> FindCodec(std::string_view name) { return Find<Codec>(kCodecNames, name); }
std::optional<Profile> FindProfile(std::string_view name) {
  return Find<Profile>(kProfileNames, name);
}

std::optional<ValueEncoding> FindValueEncoding(std::string_view name) {
  return Find<ValueEncoding>(kEncodingNames, name);
}

std::string ToJson(const EncodeOptions& options) {
  Json object = {
      {"version", kEncodeOptionsVersion},     {"profile", NameOf(options.profile)},
      {"codec", NameOf(options.codec)},       {"level", options.level},
      {"encoding", NameOf(options.encoding)}, {"dictionary", Json::array()},
      {"statistics", Json::array()},
  };
  for (DictionaryUse use : options.dictionary) object["dictionary"].push_back(NameOf(use));
  for (bool on : options.statistics) object["statistics"].push_back(on);
  for (const IntegerKey& key : kIntegerKeys) object[std::string(key.name)] = options.*key.member;
  return Dump(object);
}

Result<EncodeOptions> FromJson(std::string_view json) {
  auto object = ParseJson(json);
  if (object.is_discarded()) return BadRecord("not JSON");
  ARROW_ASSIGN_OR_RAISE(EncodeOptions options, Parse(object));
  const bool any_count = options.dictionary.empty() || options.statistics.empty() ||
                         options.dictionary.size() == options.statistics.size();
  const size_t leaf_count = std::max(options.dictionary.size(), options.statistics.size());
  if (!any_count) return BadRecord("dictionary and statistics differ in length");
  if (Status status = CheckOptions(options, static_cast<int>(leaf_count)); !status.ok()) {
    return BadRecord(FaultOf(status).message()).Because(status);
  }
  return options;
}

Status CheckOptions(const EncodeOptions& options, int leaf_count) {
  auto bad = [](std::string message) { return Fault(FaultCode::kBadValue, std::move(message)); };
  if (options.codec == Codec::kZstd && (options.level < 1 || options.level > kZstdLevelMax)) {
    return bad("level of zstd: expected 1 to 22, got " + std::to_string(options.level));
  }
  if (options.codec != Codec::kZstd && options.level != 0) {
    return bad("level: codec \"" + std::string(NameOf(options.codec)) + "\" has none, got " +
               std::to_string(options.level))
        .Help("leave level out, or use codec zstd");
  }
  for (const IntegerKey& key : kIntegerKeys) {
    const int64_t value = options.*key.member;
    if (value < 1 || value > key.max) {
      return bad(std::string(key.name) + ": expected 1 to " + std::to_string(key.max) + ", got " +
                 std::to_string(value));
    }
  }
  for (size_t count : {options.dictionary.size(), options.statistics.size()}) {
    if (count != 0 && count != static_cast<size_t>(leaf_count)) {
      return bad("options for " + std::to_string(count) + " leaf columns, but the schema has " +
                 std::to_string(leaf_count));
    }
  }
  return Status::OK();
}

}  // namespace levada::parquet_format
