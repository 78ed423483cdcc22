#include "formats/parquet/encode_options.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "formats/parquet/file_schema.h"

namespace levada::parquet_format {
namespace {

using arrow::field;

EncodeOptions Unusual() {
  EncodeOptions options;
  options.profile = Profile::kArrow;
  options.codec = Codec::kSnappy;
  options.level = 0;
  options.encoding = ValueEncoding::kPlain;
  options.dictionary = {DictionaryUse::kOff, DictionaryUse::kAuto, DictionaryUse::kOn};
  options.statistics = {true, false, true};
  options.chunk_rows = 11;
  options.chunk_bytes = 12;
  options.row_group_rows = 13;
  options.row_group_bytes = 14;
  options.dictionary_bytes = 15;
  options.file_bytes = 16;
  options.file_column_chunks = 17;
  return options;
}

TEST(EncodeOptions, ComeBackFromJsonAsTheyWere) {
  for (const EncodeOptions& options : {EncodeOptions{}, Unusual()}) {
    const std::string json = ToJson(options);
    auto back = FromJson(json);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, options);
    EXPECT_EQ(ToJson(*back), json);
  }
  EXPECT_EQ(ToJson(Unusual()),
            R"({"version":3,"profile":"arrow","codec":"snappy","level":0,"encoding":"plain",)"
            R"("dictionary":["off","auto","on"],"statistics":[true,false,true],"chunk_rows":11,)"
            R"("chunk_bytes":12,"row_group_rows":13,"row_group_bytes":14,"dictionary_bytes":15,)"
            R"("file_bytes":16,"file_column_chunks":17})");
}

TEST(EncodeOptions, JsonOfAnotherVersionOrShapeIsRefused) {
  const auto good = ParseJson(ToJson(Unusual()));
  auto refused = [](const Json& json) {
    auto result = FromJson(Dump(json));
    EXPECT_EQ(CodeOf(result.status()), FaultCode::kManifestCorrupt) << json;
  };
  for (const auto& [key, value] : good.items()) {
    auto without = good;
    without.erase(key);
    refused(without);
    for (const Json& wrong :
         std::vector<Json>{nullptr, "x", -1, 1e300, 18446744073709551615u, Json::object(), {1}}) {
      auto changed = good;
      changed[key] = wrong;
      refused(changed);
    }
  }
  auto newer = good;
  newer["version"] = kEncodeOptionsVersion + 1;
  refused(newer);
  auto extra = good;
  extra["later"] = 1;
  refused(extra);
  auto uneven = good;
  uneven["statistics"] = {true};
  refused(uneven);
  for (const char* text : {"", "{", "[]", "null", "7", "\"x\"", "{}"}) {
    EXPECT_EQ(CodeOf(FromJson(text).status()), FaultCode::kManifestCorrupt) << text;
  }
}

TEST(EncodeOptions, ValuesOutOfRangeAreRefused) {
  auto bad = [](auto change) {
    EncodeOptions options;
    change(options);
    EXPECT_EQ(CodeOf(CheckOptions(options, 3)), FaultCode::kBadValue);
  };
  bad([](auto& o) { o.level = 0; });
  bad([](auto& o) { o.level = 23; });
  bad([](auto& o) { o.codec = Codec::kSnappy; });  // with the level of zstd
  bad([](auto& o) { o.chunk_rows = 0; });
  bad([](auto& o) { o.chunk_rows = (1 << 20) + 1; });
  bad([](auto& o) { o.chunk_bytes = -1; });
  bad([](auto& o) { o.row_group_rows = 1ll << 40; });
  bad([](auto& o) { o.dictionary = {DictionaryUse::kOn}; });
  bad([](auto& o) { o.statistics = {true, true, true, true}; });
  EXPECT_TRUE(CheckOptions(EncodeOptions{}, 3).ok());
}

TEST(EncodeOptions, NamesAndValuesMatch) {
  for (Codec codec : {Codec::kNone, Codec::kSnappy, Codec::kZstd, Codec::kLz4})
    EXPECT_EQ(FindCodec(NameOf(codec)), codec);
  for (Profile profile : {Profile::kSpark3, Profile::kSpark4, Profile::kArrow})
    EXPECT_EQ(FindProfile(NameOf(profile)), profile);
  EXPECT_EQ(FindCodec("gzip"), std::nullopt);
  EXPECT_EQ(FindProfile("spark"), std::nullopt);
  for (ValueEncoding encoding : {ValueEncoding::kAuto, ValueEncoding::kPlain})
    EXPECT_EQ(FindValueEncoding(NameOf(encoding)), encoding);
  EXPECT_EQ(FindValueEncoding("delta"), std::nullopt);
}

std::shared_ptr<arrow::Schema> Lineitem() {
  return arrow::schema({field("l_orderkey", arrow::int64()), field("l_partkey", arrow::int64()),
                        field("l_quantity", arrow::decimal128(15, 2)),
                        field("l_returnflag", arrow::utf8()), field("l_comment", arrow::utf8())});
}

TEST(ChooseOptions, TakesDictionariesFromWhatTheSourceKnows) {
  const std::vector<ColumnHint> hints = {
      {1'500'000, -1, 0}, {200'000, -1, 0}, {50, -1, 0}, {3, 1, 0}, {-1, 26, 0}};
  auto options = ChooseOptions(*Lineitem(), hints, 6'000'000, {}).ValueOrDie();
  EXPECT_EQ(options.dictionary, (std::vector<DictionaryUse>{
                                    DictionaryUse::kOff, DictionaryUse::kOff, DictionaryUse::kOn,
                                    DictionaryUse::kOn, DictionaryUse::kAuto}));
  auto unknown = ChooseOptions(*Lineitem(), {}, -1, {}).ValueOrDie();
  EXPECT_EQ(unknown.dictionary, std::vector<DictionaryUse>(5, DictionaryUse::kAuto));
}

TEST(ChooseOptions, DictionariesFollowTheRowsOfTheTable) {
  // 1,000 different values pay in a million rows and not in a thousand.
  auto schema = arrow::schema({field("n", arrow::int64())});
  EXPECT_EQ(ChooseOptions(*schema, {{1000, -1, 0}}, 1'000'000, {})->dictionary[0],
            DictionaryUse::kOn);
  EXPECT_EQ(ChooseOptions(*schema, {{1000, -1, 0}}, 500, {})->dictionary[0], DictionaryUse::kOff);
  EXPECT_EQ(ChooseOptions(*schema, {{1000, -1, 1}}, 1'000'000, {})->dictionary[0],
            DictionaryUse::kAuto);
}

TEST(ChooseOptions, WhatTheUserWroteWins) {
  EncodeOverrides overrides;
  overrides.profile = Profile::kArrow;
  overrides.codec = Codec::kLz4;
  overrides.row_group_rows = 5000;
  overrides.row_group_bytes = 6000;
  overrides.file_bytes = 7000;
  overrides.dictionary = {{"l_comment", true}, {"l_quantity", false}};
  overrides.statistics = {{"l_comment", false}};
  auto options = ChooseOptions(*Lineitem(), {}, -1, overrides).ValueOrDie();
  EXPECT_EQ(options.profile, Profile::kArrow);
  EXPECT_EQ(options.codec, Codec::kLz4);
  EXPECT_EQ(options.level, 0);
  EXPECT_EQ(options.row_group_rows, 5000);
  EXPECT_EQ(options.row_group_bytes, 6000);
  EXPECT_EQ(options.file_bytes, 7000);
  EXPECT_EQ(options.dictionary[2], DictionaryUse::kOff);
  EXPECT_EQ(options.dictionary[4], DictionaryUse::kOn);
  EXPECT_EQ(options.statistics, (std::vector<bool>{true, true, true, true, false}));
}

TEST(ChooseOptions, RefusesWhatCannotBe) {
  EncodeOverrides unknown;
  unknown.dictionary = {{"l_coment", true}};
  auto status = ChooseOptions(*Lineitem(), {}, -1, unknown).status();
  EXPECT_EQ(CodeOf(status), FaultCode::kUnknownColumn);
  EXPECT_EQ(FaultOf(status).help(), "did you mean \"l_comment\"?");
  unknown = {};
  unknown.statistics = {{"nothing like it", true}};
  EXPECT_EQ(CodeOf(ChooseOptions(*Lineitem(), {}, -1, unknown).status()),
            FaultCode::kUnknownColumn);
  EncodeOverrides level;
  level.codec = Codec::kSnappy;
  level.level = 3;
  EXPECT_EQ(CodeOf(ChooseOptions(*Lineitem(), {}, -1, level).status()), FaultCode::kBadValue);
  EXPECT_EQ(CodeOf(ChooseOptions(*arrow::schema({field("t", arrow::null())}), {}, -1, {}).status()),
            FaultCode::kUnsupportedType);
  EXPECT_EQ(CodeOf(ChooseOptions(*Lineitem(), {{}}, -1, {}).status()), FaultCode::kInternal);
}

TEST(ChooseOptions, SizesFollowTheWidthOfARow) {
  auto narrow =
      ChooseOptions(*arrow::schema({field("n", arrow::int32())}), {}, -1, {}).ValueOrDie();
  EXPECT_EQ(narrow.chunk_rows, 32 * 1024);
  EXPECT_EQ(narrow.row_group_bytes, 8 << 20);
  arrow::FieldVector fields;
  for (int i = 0; i < 500; ++i) fields.push_back(field("c" + std::to_string(i), arrow::int64()));
  auto wide = ChooseOptions(*arrow::schema(fields), {}, -1, {}).ValueOrDie();
  EXPECT_EQ(wide.chunk_rows, 2048);
  EXPECT_GT(wide.row_group_bytes, 32 << 20);
  EXPECT_LE(wide.row_group_bytes, 64 << 20);
}

}  // namespace
}  // namespace levada::parquet_format
