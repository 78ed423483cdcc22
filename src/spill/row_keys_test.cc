#include "spill/row_keys.h"

#include <arrow/builder.h>

#include <algorithm>
#include <string>
#include <vector>

#include "elt/transformer_fixture.h"

namespace levada::spill {
namespace {

TEST(RowKeys, AreEqualWhereAllColumnsAre) {
  const auto batch = elt::MakeBatch({{"a", "text", R"(["x", "xy", "x", null, null, ""])"},
                                     {"b", "text", R"(["yz", "z", "yz", "q", "q", "q"])"},
                                     {"c", "int64", "[1, 1, 2, 3, 3, 3]"}});
  const std::vector<int> columns = {0, 1};
  const RowKeys keys = ValueOf(RowKeys::Of(*batch, columns));
  EXPECT_EQ(keys[0], keys[2]);
  EXPECT_EQ(keys.Hash(0), keys.Hash(2));
  EXPECT_NE(keys[0], keys[1]) << "where one ends is part of it";
  EXPECT_EQ(keys[3], keys[4]);
  EXPECT_NE(keys[4], keys[5]) << "NULL is not an empty text";
  const auto slice = batch->Slice(2, 3);
  const RowKeys sliced = ValueOf(RowKeys::Of(*slice, columns));
  EXPECT_EQ(sliced[0], keys[2]);
  EXPECT_EQ(sliced[2], keys[4]);
}

// Values that are in order already, NULL first: so are their bytes.
void ExpectOrder(const std::string& type, const std::string& ordered) {
  SCOPED_TRACE(type);
  const auto batch = elt::MakeBatch({{"x", type, ordered}});
  ASSERT_TRUE(HasOrder(*batch->column(0)->type()));
  std::vector<std::string> bytes(static_cast<size_t>(batch->num_rows()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    ASSERT_THAT(AppendOrdered(*batch->column(0), static_cast<int64_t>(i), bytes[i]), IsOk());
  }
  EXPECT_TRUE(std::ranges::is_sorted(bytes, std::less<>{}));
  EXPECT_EQ(std::ranges::adjacent_find(bytes), bytes.end()) << "two values are one";
}

TEST(AppendOrdered, FollowsTheOrderOfValues) {
  ExpectOrder("bool", "[null, false, true]");
  ExpectOrder("int8", "[null, -128, -1, 0, 1, 127]");
  ExpectOrder("int64", "[null, -9223372036854775808, -256, -1, 0, 255, 9223372036854775807]");
  ExpectOrder("uint64", "[null, 0, 1, 255, 256, 18446744073709551615]");
  ExpectOrder("float64", "[null, -1e300, -1.5, -1e-300, 0, 1e-300, 1.5, 1e300]");
  ExpectOrder("float32", "[null, -2.5, 0, 2.5]");
  ExpectOrder("decimal(9,2)", R"([null, "-9999999.99", "-0.01", "0.00", "0.01", "9999999.99"])");
  ExpectOrder("decimal(60,2)", R"([null, "-99999999999999999999999999999999.99", "-0.01", "0.00",
                                   "99999999999999999999999999999999.99"])");
  ExpectOrder("text", R"([null, "", "\u0000", "\u0000\u0000", "\u0000a", "a", "a\u0000", "ab", "b",
                          "ä"])");
  ExpectOrder("date", "[null, -25567, -1, 0, 20786]");
  ExpectOrder("timestamp", R"([null, "1969-12-31 23:59:59", "2026-11-29 12:00:00"])");
}

TEST(AppendOrdered, HasOneZeroAndPutsNanLast) {
  arrow::DoubleBuilder builder;
  ASSERT_THAT(builder.AppendValues({-0.0, 0.0, std::numeric_limits<double>::infinity(),
                                    std::numeric_limits<double>::quiet_NaN()}),
              IsOk());
  const auto values = ValueOf(builder.Finish());
  std::vector<std::string> bytes(4);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_THAT(AppendOrdered(*values, static_cast<int64_t>(i), bytes[i]), IsOk());
  }
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_LT(bytes[1], bytes[2]);
  EXPECT_LT(bytes[2], bytes[3]);
}

TEST(HasOrder, IsOfSingleValues) {
  EXPECT_FALSE(HasOrder(*arrow::list(arrow::int64())));
  EXPECT_FALSE(HasOrder(*arrow::struct_({arrow::field("a", arrow::int64())})));
  EXPECT_FALSE(HasOrder(*arrow::month_day_nano_interval()));
  EXPECT_FALSE(HasOrder(*arrow::null()));
}

}  // namespace
}  // namespace levada::spill
