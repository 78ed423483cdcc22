// Every verdict of testdata/spark_verdicts.json, which tests/spark had real Sparks give.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/ascii.h"
#include "base/json.h"
#include "readers/spark.h"

namespace levada::readers {
namespace {

using parquet_format::SchemaTree;

const Json& Golden() {
  static const Json golden = [] {
    std::ifstream in(LEVADA_TESTDATA "/spark_verdicts.json");
    std::stringstream text;
    text << in.rdbuf();
    return ParseJson(text.str());
  }();
  return golden;
}

class SparkVerdicts : public ::testing::TestWithParam<SparkVersion> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Golden().is_object());
    for (const Json& file : Golden()["files"]) {
      auto tree = parquet_format::ParseSchemaText(file["schema"].get<std::string>());
      ASSERT_TRUE(tree.ok()) << tree.status().ToString();
      EXPECT_EQ(ToText(*tree), file["schema"].get<std::string>());
      if (file.contains("row_metadata")) tree->spark_row_metadata = file["row_metadata"];
      files_.push_back(std::move(*tree));
      schemas_.push_back(InferSparkSchema(files_.back(), GetParam()));
      own_.push_back(Own(files_.size() - 1));
    }
  }

  static std::string Text(const Json& number) {
    return number.is_null() ? "refused"
                            : Golden()["texts"][number.get<size_t>()].get<std::string>();
  }
  const char* Key() const { return GetParam() == SparkVersion::k3 ? "3" : "4"; }

  std::string Own(size_t file) const {
    if (!schemas_[file].is_readable()) return "-";
    const auto readings = ReadUnder(files_[file], schemas_[file].AsStruct(), GetParam());
    return WorstOf(readings) == Reading::kError ? "e" : "s";
  }
  /// Spark was asked whether values are those that the file gives under its own columns, which
  /// metadata may have wrong.
  std::string Under(size_t file, const SparkType& columns) const {
    const Reading reading = WorstOf(ReadUnder(files_[file], columns, GetParam()));
    if (reading == Reading::kError) return "e";
    if (own_[file] != "s") return "o";
    const SparkType own = schemas_[file].AsStruct();
    if (columns == own) return "s";
    for (const SparkField& field : columns.fields) {
      if (IsHidden(file, own, field.name)) return "o";
    }
    const bool is_true = WorstOf(ReadUnder(files_[file], own, GetParam())) == Reading::kSame;
    return is_true && reading == Reading::kSame ? "s" : "o";
  }
  /// A column of the file that its metadata does not know of.
  bool IsHidden(size_t file, const SparkType& own, const std::string& name) const {
    const auto is = [&](const auto& column) { return EqualsIgnoringCase(column.name, name); };
    return std::ranges::any_of(files_[file].columns, is) && std::ranges::none_of(own.fields, is);
  }
  std::string Shown(size_t file) const {
    return ToText(files_[file]) + files_[file].spark_row_metadata.value_or("");
  }

  std::vector<SchemaTree> files_;
  std::vector<SparkSchema> schemas_;
  std::vector<std::string> own_;
};

TEST_P(SparkVerdicts, AreThoseOfSparkForEachFile) {
  for (size_t i = 0; i < files_.size(); ++i) {
    const Json& told = Golden()["files"][i][Key()];
    const bool ok = schemas_[i].is_readable();
    EXPECT_EQ(ok ? ToText(schemas_[i].AsStruct()) : "refused", Text(told[0])) << Shown(i);
    EXPECT_EQ(own_[i], told[1].get<std::string>()) << Shown(i);
  }
}

TEST_P(SparkVerdicts, AreThoseOfSparkForEachPair) {
  const size_t at = GetParam() == SparkVersion::k3 ? 2 : 3;
  for (const Json& pair : Golden()["pairs"]) {
    const size_t a = pair[0], b = pair[1];
    const Json& told = pair[at];
    std::string merged = "refused", under_merged = "--", under_first = "-";
    if (schemas_[a].has_types() && schemas_[b].has_types()) {
      // Spark takes files in the order of their names.
      const auto merge = MergeSparkTypes(schemas_[std::min(a, b)].AsStruct(),
                                         schemas_[std::max(a, b)].AsStruct(), GetParam());
      if (merge.type) {
        merged = ToText(*merge.type);
        under_merged = Under(a, *merge.type) + Under(b, *merge.type);
      }
    }
    if (schemas_[a].is_readable()) under_first = Under(b, schemas_[a].AsStruct());
    const std::string shown =
        std::to_string(a) + "," + std::to_string(b) + "\n" + Shown(a) + "\n" + Shown(b);
    EXPECT_EQ(merged, Text(told[0])) << shown;
    EXPECT_EQ(under_merged, told[1].get<std::string>()) << "merged: " << merged << "\n" << shown;
    EXPECT_EQ(under_first, told[2].get<std::string>()) << shown;
  }
}

INSTANTIATE_TEST_SUITE_P(Spark, SparkVerdicts,
                         ::testing::Values(SparkVersion::k3, SparkVersion::k4),
                         [](const auto& info) {
                           return info.param == SparkVersion::k3 ? "Three" : "Four";
                         });

}  // namespace
}  // namespace levada::readers
