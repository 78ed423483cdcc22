#include "connectors/parquet/lake_layout.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_names.h"

namespace levada::parquet {
namespace {

Fault BadLayout(std::string_view expanded, const std::string& why) {
  return Fault(FaultCode::kBadLayout, fmt::format("layout \"{}\": {}", expanded, why))
      .Help(
          "for example layout: \"day={run.start:%Y-%m-%d}\"; path: says where the dataset begins");
}

Fault Corrupt(const std::string& why) {
  return Fault(FaultCode::kManifestCorrupt, "writer of the split record: " + why)
      .Help("continue the run with the version of levada that began it");
}

}  // namespace

std::string LakeLayout::ToJson() const {
  Json json{{"kind", "levada.parquet"}, {"version", kVersion},
            {"directory", directory},   {"partition_by", partition_by},
            {"created_by", created_by}, {"encode", ParseJson(parquet_format::ToJson(encode))}};
  return Dump(json);
}

Result<LakeDirectories> LakeDirectories::FromJson(std::string_view text) {
  const Json json = ParseJson(text);
  if (json.is_discarded() || !json.is_object()) return Corrupt("expected a JSON object");
  if (json.value("kind", Json()) != "levada.parquet") {
    return Corrupt("expected kind \"levada.parquet\"");
  }
  if (json.value("version", Json()) != kVersion) {
    return Corrupt(
        fmt::format("expected version {}, got {}", kVersion, Dump(json.value("version", Json()))));
  }
  const Json directory = json.value("directory", Json());
  const Json columns = json.value("partition_by", Json());
  if (!directory.is_string() || !columns.is_array()) {
    return Corrupt("expected directory and partition_by");
  }
  LakeDirectories directories;
  directories.directory = directory.get<std::string>();
  for (const Json& column : columns) {
    if (!column.is_string()) return Corrupt("partition_by: expected names of columns");
    directories.partition_by.push_back(column.get<std::string>());
  }
  if (!directories.directory.empty() && !StaysInside(directories.directory)) {
    return Corrupt("expected a directory inside the dataset");
  }
  return directories;
}

Result<LakeLayout> LakeLayout::FromJson(std::string_view text) {
  LakeLayout layout;
  ARROW_ASSIGN_OR_RAISE(static_cast<LakeDirectories&>(layout), LakeDirectories::FromJson(text));
  const Json json = ParseJson(text);
  const Json created_by = json.value("created_by", Json());
  const Json encode = json.value("encode", Json());
  if (!created_by.is_string() || !encode.is_object()) {
    return Corrupt("expected created_by and encode");
  }
  layout.created_by = created_by.get<std::string>();
  ARROW_ASSIGN_OR_RAISE(layout.encode, parquet_format::FromJson(Dump(encode)));
  return layout;
}

Result<std::string> DirectoryOf(std::string_view expanded) {
  if (expanded.empty()) return std::string();
  if (!StaysInside(expanded)) {
    return BadLayout(expanded, "expected directories below the path, separated by single slashes");
  }
  std::string directory;
  for (std::string_view rest = expanded; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (part.front() == '_' || part.front() == '.') {
      return BadLayout(expanded, fmt::format("readers pass over directories like \"{}\"", part));
    }
    const size_t equals = part.find('=');
    if (equals == 0) return BadLayout(expanded, fmt::format("\"{}\" has no key", part));
    std::string name = equals == std::string_view::npos
                           ? std::string(part)
                           : fmt::format("{}={}", EscapeHive(part.substr(0, equals)),
                                         EscapeHive(part.substr(equals + 1)));
    if (name.size() > kDirectoryNameBytesMax) {
      return BadLayout(expanded, fmt::format("a directory's name may have {} bytes, got {}",
                                             kDirectoryNameBytesMax, name.size()));
    }
    if (!directory.empty()) directory.push_back('/');
    directory += name;
  }
  return directory;
}

std::vector<std::string> KeysOf(std::string_view directory) {
  std::vector<std::string> keys;
  while (!directory.empty()) {
    const size_t slash = directory.find('/');
    const std::string_view part = directory.substr(0, slash);
    directory = slash == std::string_view::npos ? std::string_view() : directory.substr(slash + 1);
    const size_t equals = part.find('=');
    if (equals != std::string_view::npos) keys.push_back(UnescapeHive(part.substr(0, equals)));
  }
  return keys;
}

}  // namespace levada::parquet
