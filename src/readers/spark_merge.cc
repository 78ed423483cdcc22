#include <algorithm>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "readers/spark.h"
#include "readers/spark_nodes.h"

namespace levada::readers {
namespace {

using Kind = SparkType::Kind;

/// Where merging fails.
struct Clash {
  std::string column;
  std::string why;
};

class Merger {
 public:
  explicit Merger(SparkVersion version) : version_(version) {}

  std::optional<SparkType> Merge(const SparkType& left, const SparkType& right,
                                 const std::string& path) {
    if (left.kind == right.kind && left.kind == Kind::kStruct) return Fields(left, right, path);
    if (left.kind == right.kind && left.is_nested()) return Parts(left, right, path);
    if (left.kind == right.kind && left.kind == Kind::kDecimal) {
      if (left.scale != right.scale) return Fail(path, left, right, ": the scales differ");
      return SparkType{Kind::kDecimal, std::max(left.precision, right.precision), left.scale, {}};
    }
    if (left == right) return left;
    return Fail(path, left, right, "");
  }

  Clash clash;

 private:
  std::optional<SparkType> Fail(const std::string& path, const SparkType& left,
                                const SparkType& right, const std::string& why) {
    clash = {path, "Spark merges no " + ToText(left) + " with " + ToText(right) + why};
    return std::nullopt;
  }

  std::optional<SparkType> Parts(const SparkType& left, const SparkType& right,
                                 const std::string& path) {
    SparkType merged{left.kind, 0, 0, {}};
    for (size_t i = 0; i < left.fields.size(); ++i) {
      const SparkField& field = left.fields[i];
      auto type = Merge(field.type, right.fields[i].type, path + "." + field.name);
      if (!type) return std::nullopt;
      merged.fields.push_back(
          {field.name, std::move(*type), field.nullable || right.fields[i].nullable});
    }
    return merged;
  }

  std::optional<SparkType> Fields(const SparkType& left, const SparkType& right,
                                  const std::string& path) {
    SparkType merged{Kind::kStruct, 0, 0, {}};
    const bool any_case = path.empty() || version_ == SparkVersion::k4;
    const auto key = [&](const std::string& name) { return any_case ? LowerAscii(name) : name; };
    std::set<std::string> names;
    for (const SparkField& field : left.fields) {
      names.insert(key(field.name));
      // Of names that differ by case alone the last one counts.
      const auto same = std::find_if(right.fields.rbegin(), right.fields.rend(),
                                     [&](const auto& f) { return key(f.name) == key(field.name); });
      if (same == right.fields.rend()) {
        merged.fields.push_back(field);
        continue;
      }
      auto type =
          Merge(field.type, same->type, path.empty() ? field.name : path + "." + field.name);
      if (!type) return std::nullopt;
      merged.fields.push_back({field.name, std::move(*type), field.nullable || same->nullable});
    }
    for (const SparkField& field : right.fields) {
      if (!names.contains(key(field.name))) merged.fields.push_back(field);
    }
    return merged;
  }

  const SparkVersion version_;
};

}  // namespace

SparkMerge MergeSparkTypes(const SparkType& first, const SparkType& second, SparkVersion version) {
  Merger merger(version);
  auto type = merger.Merge(first, second, "");
  if (type) {
    if (const auto name = FindTwice(*type)) {
      return {std::nullopt, *name, "it is there twice, and Spark does not look at case"};
    }
    return {std::move(type), {}, {}};
  }
  return {std::nullopt, std::move(merger.clash.column), std::move(merger.clash.why)};
}

}  // namespace levada::readers
