#include "connectors/sqlite/value_text.h"

#include <arrow/util/utf8.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>

#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;

Cell Of(int64_t value) {
  Cell cell;
  cell.type = CellType::kInteger;
  cell.integer = value;
  return cell;
}
Cell Of(double value) {
  Cell cell;
  cell.type = CellType::kReal;
  cell.real = value;
  return cell;
}
Cell Of(CellType type, std::string_view bytes) {
  Cell cell;
  cell.type = type;
  cell.bytes = bytes;
  return cell;
}
std::string Literal(const Cell& cell) {
  std::string text;
  EXPECT_TRUE(AppendLiteral(cell, text));
  return text;
}

class ValueTextTest : public SqliteFixture {
 protected:
  ValueTextTest() { arrow::util::InitializeUTF8(); }
};

TEST_F(ValueTextTest, WritesValuesAsTheirLiterals) {
  EXPECT_EQ(Literal(Cell()), "NULL");
  EXPECT_EQ(Literal(Of(int64_t{5})), "5");
  EXPECT_EQ(Literal(Of(std::numeric_limits<int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(Literal(Of(5.0)), "5.0");
  EXPECT_EQ(Literal(Of(-0.0)), "-0.0");
  EXPECT_EQ(Literal(Of(0.1)), "0.1");
  EXPECT_EQ(Literal(Of(0.1 + 0.2)), "0.30000000000000004");
  EXPECT_EQ(Literal(Of(1e300)), "1e+300");
  EXPECT_EQ(Literal(Of(std::numeric_limits<double>::denorm_min())), "5e-324");
  EXPECT_EQ(Literal(Of(std::numeric_limits<double>::infinity())), "9e999");
  EXPECT_EQ(Literal(Of(-std::numeric_limits<double>::infinity())), "-9e999");
  EXPECT_EQ(Literal(Of(CellType::kText, "")), "''");
  EXPECT_EQ(Literal(Of(CellType::kText, "it's ü")), "'it''s ü'");
  EXPECT_EQ(Literal(Of(CellType::kText, "5")), "'5'");
  EXPECT_EQ(Literal(Of(CellType::kText, "caf\xe9")), "CAST(x'636166e9' AS TEXT)");
  EXPECT_EQ(Literal(Of(CellType::kBlob, "")), "x''");
  EXPECT_EQ(Literal(Of(CellType::kBlob, std::string_view("\0\xff", 2))), "x'00ff'");
}

TEST_F(ValueTextTest, WritesNothingForATextThatIsLost) {
  Cell cell = Of(CellType::kText, "\xff");
  cell.is_lost = true;
  std::string text = "kept";
  EXPECT_FALSE(AppendLiteral(cell, text));
  EXPECT_EQ(text, "kept");
}

/// Every literal, given to SQLite, is the value again, of the same storage class; and no two values
/// have the same.
TEST_F(ValueTextTest, IsReadBackBySqliteAsTheSameValue) {
  auto chance = MakeSeededRandom(11);
  auto database = Writer();
  std::map<std::string, std::string> seen;  // literal -> class and bytes
  for (int i = 0; i < 3000; ++i) {
    std::string bytes;
    for (uint64_t n = chance->Next() % 12; n > 0; --n) bytes += static_cast<char>(chance->Next());
    if (chance->Next() % 2 == 0) std::erase(bytes, '\0');  // a literal ends there
    Cell cell;
    const uint64_t kind = chance->Next() % 4;
    if (kind == 0) cell = Of(static_cast<int64_t>(chance->Next() >> (chance->Next() % 64)));
    if (kind == 1) {
      const uint64_t bits = chance->Next();
      double value = 0;
      std::memcpy(&value, &bits, sizeof(value));
      if (!std::isnormal(value)) continue;  // SQLite has no NaN
      cell = Of(value);
    }
    if (kind == 2) cell = Of(CellType::kBlob, bytes);
    if (kind == 3) {
      std::erase(bytes, '\0');
      cell = Of(CellType::kText, bytes);
    }
    const std::string literal = Literal(cell);
    auto statement = ValueOf(database->Prepare(ctx_, "SELECT " + literal));
    ASSERT_TRUE(ValueOf(statement.Step(ctx_))) << literal;
    const Cell again = statement.At(0);
    ASSERT_EQ(again.type, cell.type) << literal;
    if (cell.type == CellType::kInteger) {
      ASSERT_EQ(again.integer, cell.integer);
    } else if (cell.type == CellType::kReal) {
      // SQLite may be a bit off with numbers of more than 300 places; strtod is not.
      ASSERT_EQ(std::strtod(literal.c_str(), nullptr), cell.real) << literal;
      ASSERT_NEAR(again.real / cell.real, 1, 1e-14) << literal;
    } else {
      ASSERT_EQ(again.bytes, cell.bytes) << literal;
    }
    std::string identity = std::to_string(static_cast<int>(cell.type)) + ":";
    if (cell.type == CellType::kInteger || cell.type == CellType::kReal) {
      identity.append(reinterpret_cast<const char*>(&cell.integer), sizeof(cell.integer));
    } else {
      identity += cell.bytes;
    }
    const auto [found, is_new] = seen.emplace(literal, identity);
    ASSERT_EQ(found->second, identity) << literal;
  }
}

TEST(UuidText, HasOneFormForAll) {
  const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  EXPECT_EQ(UuidOfText(uuid), uuid);
  EXPECT_EQ(UuidOfText("A0EEBC999C0B4EF8BB6D6BB9BD380A11"), uuid);
  EXPECT_EQ(UuidOfBytes("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"), uuid);
  for (const char* text :
       {"", "a0eebc99", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d6bb9bd380a11-", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1}",
        "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99--9c0b-4ef8-bb6-6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a1-"}) {
    EXPECT_EQ(UuidOfText(text), std::nullopt) << text;
  }
  EXPECT_EQ(UuidOfBytes("123456789012345"), std::nullopt);
  EXPECT_EQ(UuidOfBytes("12345678901234567"), std::nullopt);
}

}  // namespace
}  // namespace levada::sqlite
