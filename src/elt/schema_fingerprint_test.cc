#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include <map>

#include "elt/stages.h"

namespace levada::elt {
namespace {

std::string Of(arrow::FieldVector fields) {
  return SchemaFingerprint(arrow::Schema(std::move(fields)));
}

std::string OfType(const std::shared_ptr<arrow::DataType>& type) {
  return Of({arrow::field("x", type)});
}

TEST(SchemaFingerprint, ReadsAsPeopleWriteSchemas) {
  EXPECT_EQ(Of({arrow::field("id", arrow::int64(), false),
                arrow::field("amount", arrow::decimal128(15, 2)),
                arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                arrow::field("tags", arrow::list(arrow::field("item", arrow::utf8(), false)))}),
            "\"id\" int64 not null, \"amount\" decimal128(15,2), \"at\" timestamp(us, \"UTC\"), "
            "\"tags\" list<\"item\" utf8 not null>");
  EXPECT_EQ(Of({}), "");
}

TEST(SchemaFingerprint, IgnoresMetadata) {
  auto metadata = arrow::key_value_metadata({"k"}, {"v"});
  auto plain = arrow::field("x", arrow::int32());
  EXPECT_EQ(SchemaFingerprint(*arrow::schema({plain})),
            SchemaFingerprint(*arrow::schema({plain->WithMetadata(metadata)}, metadata)));
}

TEST(SchemaFingerprint, SeesNamesOrderAndNullability) {
  auto a = arrow::field("a", arrow::int32());
  auto b = arrow::field("b", arrow::int32());
  EXPECT_NE(Of({a, b}), Of({b, a}));
  EXPECT_NE(Of({a}), Of({b}));
  EXPECT_NE(Of({a}), Of({a->WithNullable(false)}));
  EXPECT_NE(Of({a}), Of({a, b}));
}

TEST(SchemaFingerprint, CannotBeForgedByANameThatLooksLikeAType) {
  EXPECT_NE(Of({arrow::field("a\" int32, \"b", arrow::int32())}),
            Of({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int32())}));
}

TEST(SchemaFingerprint, TellsEveryTypeFromEveryOther) {
  using arrow::TimeUnit;
  const arrow::DataTypeVector types = {
      arrow::null(),
      arrow::boolean(),
      arrow::int8(),
      arrow::int16(),
      arrow::int32(),
      arrow::int64(),
      arrow::uint8(),
      arrow::uint16(),
      arrow::uint32(),
      arrow::uint64(),
      arrow::float16(),
      arrow::float32(),
      arrow::float64(),
      arrow::utf8(),
      arrow::large_utf8(),
      arrow::utf8_view(),
      arrow::binary(),
      arrow::large_binary(),
      arrow::binary_view(),
      arrow::fixed_size_binary(16),
      arrow::fixed_size_binary(17),
      arrow::decimal128(10, 2),
      arrow::decimal128(11, 2),
      arrow::decimal128(10, 3),
      arrow::decimal256(10, 2),
      arrow::date32(),
      arrow::date64(),
      arrow::time32(TimeUnit::SECOND),
      arrow::time32(TimeUnit::MILLI),
      arrow::time64(TimeUnit::MICRO),
      arrow::time64(TimeUnit::NANO),
      arrow::timestamp(TimeUnit::SECOND),
      arrow::timestamp(TimeUnit::MILLI),
      arrow::timestamp(TimeUnit::MICRO),
      arrow::timestamp(TimeUnit::NANO),
      arrow::timestamp(TimeUnit::MICRO, "UTC"),
      arrow::timestamp(TimeUnit::MICRO, "+00:00"),
      arrow::duration(TimeUnit::SECOND),
      arrow::duration(TimeUnit::MICRO),
      arrow::month_interval(),
      arrow::day_time_interval(),
      arrow::month_day_nano_interval(),
      arrow::list(arrow::int32()),
      arrow::list(arrow::int64()),
      arrow::list(arrow::field("item", arrow::int32(), false)),
      arrow::list(arrow::list(arrow::int32())),
      arrow::large_list(arrow::int32()),
      arrow::fixed_size_list(arrow::int32(), 2),
      arrow::fixed_size_list(arrow::int32(), 3),
      arrow::struct_({}),
      arrow::struct_({arrow::field("a", arrow::int32())}),
      arrow::struct_({arrow::field("b", arrow::int32())}),
      arrow::map(arrow::utf8(), arrow::int32()),
      arrow::map(arrow::utf8(), arrow::int32(), true),
      arrow::map(arrow::utf8(), arrow::int64()),
      arrow::dictionary(arrow::int32(), arrow::utf8()),
      arrow::dictionary(arrow::int16(), arrow::utf8()),
      arrow::dictionary(arrow::int32(), arrow::utf8(), true),
      arrow::dictionary(arrow::int32(), arrow::decimal128(9, 1)),
  };
  std::map<std::string, std::string> seen;
  for (const auto& type : types) {
    auto [at, fresh] = seen.emplace(OfType(type), type->ToString());
    EXPECT_TRUE(fresh) << at->first << " for " << at->second << " and " << type->ToString();
  }
}

std::string Difference(arrow::FieldVector before, arrow::FieldVector now) {
  return SchemaDifference(Of(std::move(before)), Of(std::move(now)));
}

TEST(SchemaDifference, NamesTheColumns) {
  const auto a = arrow::field("a", arrow::int32());
  const auto amount = arrow::field("amount, \"net\"", arrow::decimal128(9, 2), false);
  const auto tags = arrow::field("tags", arrow::list(arrow::field("item", arrow::utf8(), false)));
  EXPECT_EQ(Difference({a, amount, tags}, {a, amount, tags}), "");
  EXPECT_EQ(Difference({a, amount}, {a, amount, tags}),
            "column \"tags\" is new: list<\"item\" utf8 not null>");
  EXPECT_EQ(Difference({a, amount, tags}, {a, tags}), "column \"amount, \\\"net\\\"\" is gone");
  EXPECT_EQ(
      Difference({a, amount}, {a->WithType(arrow::int64()), amount->WithType(arrow::float64())}),
      "column \"a\": expected int32, got int64; "
      "column \"amount, \\\"net\\\"\": expected decimal128(9,2) not null, got double not null");
  EXPECT_EQ(Difference({a, tags}, {tags, a}), "the columns come in another order");
  EXPECT_EQ(Difference({}, {a}), "column \"a\" is new: int32");
}

TEST(SchemaDifference, IsOfBoundedLength) {
  arrow::FieldVector many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(arrow::field("c" + std::to_string(i), arrow::int32()));
  }
  const std::string text = Difference(many, {});
  EXPECT_TRUE(text.ends_with("; and 992 more")) << text;
}

TEST(SchemaDifference, OfATextThatIsNoFingerprintReadsNoFurtherThanItsEnd) {
  const std::string whole =
      Of({arrow::field("a\\\"b", arrow::int32()),
          arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::string cut = whole.substr(0, length);
    EXPECT_NE(SchemaDifference(cut, whole), "") << cut;
    EXPECT_NE(SchemaDifference(whole, cut), "") << cut;
  }
  for (const char* text : {",", ", ", "\"", "\"\\", ")))", "\"a\"", "\"a\" ,\"b\","}) {
    EXPECT_NE(SchemaDifference(text, whole), "") << text;
  }
}

}  // namespace
}  // namespace levada::elt
