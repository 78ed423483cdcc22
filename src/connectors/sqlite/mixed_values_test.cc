#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Remembers every line.
class Lines final : public Logger {
 public:
  explicit Lines(LogLevel least) : least_(least) {}
  bool Enabled(LogLevel level) const override { return level >= least_; }
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    text += message;
    for (const LogField& field : fields) {
      text += " " + std::string(field.key) + "=";
      if (const auto* word = std::get_if<std::string>(&field.value)) text += *word;
      if (const auto* number = std::get_if<int64_t>(&field.value)) text += std::to_string(*number);
    }
    text += "\n";
  }
  std::string text;

 private:
  const LogLevel least_;
};

class MixedValuesTest : public SqliteFixture {
 protected:
  void MakeMixed() {
    Do("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, x TEXT, u);"
       "INSERT INTO t VALUES (1, 5, 'a', 1), (2, 'five', x'00ff', 1.0), (3, 0.5, NULL, '1'), "
       "(4, x'05', 'it''s', x'31'), (5, 9e999, '', NULL)");
  }
};

TEST_F(MixedValuesTest, EndsAtTheFirstByDefault) {
  MakeMixed();
  const Status status = TryRead("table: t\ncolumns: [id, n]").status();
  EXPECT_THAT(status, FailsWith(FaultCode::kValueRefused,
                                HasSubstr("column \"n\": expected int64, got a TEXT of 4 bytes")));
  EXPECT_EQ(FaultOf(status).Detail("table"), "t");
  EXPECT_EQ(FaultOf(status).Detail("rowid"), "2");
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("types: { n: { mixed: null } }"));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("SELECT \"n\" FROM \"t\" WHERE rowid = 2"));
}

TEST_F(MixedValuesTest, ShowsARefusedValueOnlyToWhoLooksForIt) {
  MakeMixed();
  auto lines = std::make_unique<Lines>(LogLevel::kDebug);
  ctx_.log = lines.get();
  const Status status = TryRead("table: t\ncolumns: [n]").status();
  EXPECT_THAT(status.ToString(), Not(HasSubstr("five")));
  EXPECT_THAT(lines->text, HasSubstr("rowid=2 value='five'"));
  Do("UPDATE t SET n = x'00' WHERE id = 1; UPDATE t SET n = hex(zeroblob(1000)) WHERE id = 1");
  lines->text.clear();
  EXPECT_FALSE(TryRead("table: t\ncolumns: [n]").ok());
  EXPECT_LT(lines->text.size(), 300u) << "bounded";
}

TEST_F(MixedValuesTest, ReadsThemAsNullAndSaysHowMany) {
  MakeMixed();
  auto lines = std::make_unique<Lines>(LogLevel::kInfo);
  ctx_.log = lines.get();
  const Read read = ReadAll("table: t\ncolumns: [id, n, x]\nmixed: null");
  EXPECT_EQ(read.table->schema()->ToString(), "id: int64 not null\nn: int64\nx: string")
      << "the rowid holds nothing else, so it stays NOT NULL";
  EXPECT_EQ(Column(read, "n"), "[5, null, null, null, null]");
  EXPECT_EQ(Column(read, "x"), "[a, null, null, it's, ]");
  EXPECT_EQ(lines->text,
            "values that their column does not hold were read as NULL column=n values=4\n"
            "values that their column does not hold were read as NULL column=x values=1\n");
}

TEST_F(MixedValuesTest, ReadsAColumnAsLiterals) {
  MakeMixed();
  const Read read = ReadAll(
      "table: t\ntypes: { n: { mixed: string }, x: { mixed: null }, "
      "u: { mixed: string } }");
  EXPECT_EQ(read.table->schema()->ToString(),
            "id: int64 not null\nn: string not null\nx: string\nu: string");
  EXPECT_EQ(Column(read, "n"), "[5, 'five', 0.5, x'05', 9e999]");
  EXPECT_EQ(Column(read, "x"), "[a, null, null, it's, ]");
  EXPECT_EQ(Column(read, "u"), "[1, 1.0, '1', x'31', null]") << "each is another";
  EXPECT_THAT(Describe("table: t\ntypes: { n: { mixed: string }, u: text, x: { mixed: null } }")
                  .source_types,
              ElementsAre("INTEGER", "INTEGER (read as literals)", "TEXT (others as NULL)", ""));
}

TEST_F(MixedValuesTest, ReadsAllColumnsAsLiteralsThatSqliteDoesNotHoldToAType) {
  MakeMixed();
  EXPECT_EQ(ReadAll("table: t\nmixed: string\ntypes: { x: binary, n: { mixed: null } }\n"
                    "columns: [id, n, u]")
                .table->schema()
                ->ToString(),
            "id: int64 not null\nn: int64\nu: string");
  // A file that an older SQLite wrote may have anything in d.
  Do("CREATE TABLE s (a INT, b TEXT, c ANY, d INT AS (a) VIRTUAL) STRICT;"
     "INSERT INTO s (a, b, c) VALUES (1, 'x', 'y')");
  const Read read = ReadAll("table: s\nmixed: string");
  EXPECT_EQ(read.table->schema()->ToString(), "a: int64\nb: string\nc: string\nd: string");
  EXPECT_EQ(Column(read, "b") + Column(read, "c"), "[x]['y']");
  Do("CREATE TABLE w (k INTEGER PRIMARY KEY, x INT) WITHOUT ROWID");
  EXPECT_EQ(Describe("table: w\nmixed: string").schema->ToString(),
            "k: string not null\nx: string");
}

TEST_F(MixedValuesTest, AppliesToTextThatIsNone) {
  Do("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(x'636166e9' AS TEXT)), ('café')");
  EXPECT_THAT(TryRead("table: t").status(), FailsWith(FaultCode::kInvalidUtf8));
  EXPECT_EQ(Column(ReadAll("table: t\nmixed: null"), "x"), "[null, café]");
  EXPECT_EQ(Column(ReadAll("table: t\nmixed: string"), "x"), "[CAST(x'636166e9' AS TEXT), 'café']");
  std::filesystem::remove(path_);
  Do("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (x TEXT);"
     "INSERT INTO t VALUES (CAST(x'61003DD86200' AS TEXT)), ('ok')");
  EXPECT_EQ(Column(ReadAll("table: t\nmixed: null"), "x"), "[null, ok]");
  EXPECT_THAT(TryRead("table: t\nmixed: string").status(), FailsWith(FaultCode::kInvalidUtf8))
      << "what its bytes are nobody knows";
}

TEST_F(MixedValuesTest, TakesWholeNumbersHoweverTheyAreStored) {
  Do("CREATE TABLE t (x BLOB); INSERT INTO t VALUES (1), (2.0), ('-3'), (-9007199254740991.0), "
     "('9223372036854775807'), ('+4')");
  EXPECT_EQ(Column(ReadAll("table: t\ntypes: { x: int64 }"), "x"),
            "[1, 2, -3, -9007199254740991, 9223372036854775807, 4]");
  for (const char* value : {"9007199254740992.0", "1.5", "'1.0'", "'9223372036854775808'", "' 1'",
                            "'0x10'", "''", "x'31'", "9e999"}) {
    Do(std::string("DELETE FROM t; INSERT INTO t VALUES (") + value + ")");
    EXPECT_THAT(TryRead("table: t\ntypes: { x: int64 }").status(),
                FailsWith(FaultCode::kValueRefused))
        << value;
  }
}

TEST_F(MixedValuesTest, ReadsJsonAndUuids) {
  Do("CREATE TABLE t (j JSON, u UUID, g GUID); INSERT INTO t VALUES "
     "('{\"a\": [1, null]}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', "
     "x'a0eebc999c0b4ef8bb6d6bb9bd380a11'), ('1.50', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', NULL), "
     "('7', NULL, NULL), ('\"x\"', NULL, NULL)");
  const Read read = ReadAll("table: t");
  EXPECT_EQ(Column(read, "j"), "[{\"a\": [1, null]}, 1.5, 7, \"x\"]")
      << "SQLite makes numbers of such texts";
  const std::string uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  EXPECT_EQ(Column(read, "u"), "[" + uuid + ", " + uuid + ", null, null]");
  EXPECT_EQ(Column(read, "g"), "[" + uuid + ", null, null, null]");
  EXPECT_EQ(Column(ReadAll("query: SELECT x'a0eebc999c0b4ef8bb6d6bb9bd380a11' AS u\n"
                           "types: { u: uuid }"),
                   "u"),
            "[" + uuid + "]");
}

TEST_F(MixedValuesTest, AdvisesWhatToWriteForAColumnOfUnknownType) {
  Do("CREATE TABLE t (a, b, c MONEY, d, e MONEY, f); INSERT INTO t VALUES (1, 'x', 1.5, 2.5, 3, "
     "NULL), (2, 'y', 2, 3, 'n/a', NULL), (NULL, x'00', NULL, NULL, 1, NULL)");
  const auto diagnostics = FaultOf(DescribeFails("table: t")).diagnostics();
  ASSERT_EQ(diagnostics.size(), 6u);
  EXPECT_EQ(diagnostics[0].help,
            "its first 3 rows hold INTEGER: say what it is, types: {a: int64}");
  EXPECT_EQ(diagnostics[1].help,
            "its first 3 rows hold TEXT and BLOB: say what it is, types: {b: { mixed: string }}");
  EXPECT_THAT(diagnostics[2].help, HasSubstr("types: {c: \"decimal(18,2)\"}"));
  EXPECT_THAT(diagnostics[3].help, HasSubstr("types: {d: float64}"));
  EXPECT_THAT(diagnostics[4].help, HasSubstr("INTEGER and TEXT"));
  EXPECT_EQ(diagnostics[5].help, "say what it is, types: {f: text}");
  EXPECT_THAT(FaultOf(DescribeFails("query: SELECT a + 1 AS next FROM t")).diagnostics().at(0).help,
              HasSubstr("types: {next: int64}"));
  EXPECT_EQ(Describe("table: t\nmixed: string").schema->field(0)->type()->ToString(), "string")
      << "literals need no type";
}

TEST_F(MixedValuesTest, DoesNotTakeWindowsOnTrustWhereMisfitsBecomeNull) {
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATE); INSERT INTO t VALUES (1, '2026-01-01'), "
     "(2, '2026-01-01x')");
  const auto run = WindowRun("at", kNewYear, kNewYear + kDay);
  EXPECT_THAT(TryRead("table: t\nmixed: null", run).status(),
              FailsWith(FaultCode::kValueRefused, HasSubstr("another form")));
}

// ------------------------------------------------------------------ random tables against a model

struct Value {
  int storage = 0;  ///< 0 NULL, 1 INTEGER, 2 REAL, 3 TEXT, 4 BLOB
  int64_t integer = 0;
  double real = 0;
  std::string bytes;
};

std::string SqlOf(const Value& value) {
  std::string text;
  char buffer[64];
  switch (value.storage) {
    case 0:
      return "NULL";
    case 1:
      return std::to_string(value.integer);
    case 2:
      std::snprintf(buffer, sizeof(buffer), "%.17g", value.real);
      text = buffer;
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    case 3:
      return db::sqlite::QuoteText(value.bytes);
    default:
      break;
  }
  text = "x'";
  for (const unsigned char byte : value.bytes) {
    std::snprintf(buffer, sizeof(buffer), "%02x", byte);
    text += buffer;
  }
  return text + "'";
}

class RandomTables : public MixedValuesTest {
 protected:
  uint64_t Upto(uint64_t n) { return chance_->Next() % n; }

  Value RandomValue() {
    Value value;
    value.storage = static_cast<int>(Upto(5));
    switch (Upto(4)) {
      case 0:
        value.integer = static_cast<int64_t>(chance_->Next());
        value.real = static_cast<double>(value.integer) / 3;
        break;
      case 1:
        value.integer = static_cast<int64_t>(Upto(3));
        value.real = static_cast<double>(Upto(100)) - 50;
        break;
      default:
        value.integer = static_cast<int64_t>(Upto(2'000)) - 1'000;
        value.real = static_cast<double>(value.integer) / 100;
    }
    constexpr const char* kTexts[] = {"",     "12",   "-7",   "1.5",        "1e3",
                                      "true", "it's", "€",    "2026-01-01", "2026-01-01 05:00",
                                      "abc",  " 12",  "0x10", "12:30"};
    value.bytes = kTexts[Upto(std::size(kTexts))];
    if (value.storage == 4 && Upto(2) == 0) value.bytes = std::string("\0\xff", 2);
    return value;
  }

  std::unique_ptr<Random> chance_ = MakeSeededRandom(20260101);
};

/// What SQLite says of a value itself, row by row: no storage class is lost and none is invented.
TEST_F(RandomTables, ReadAsLiteralsSayWhatSqliteHasStored) {
  for (int round = 0; round < 30; ++round) {
    constexpr const char* kTypes[] = {"",     "INTEGER",      "REAL", "TEXT",
                                      "BLOB", "NUMERIC",      "DATE", "BOOLEAN",
                                      "JSON", "DECIMAL(9,2)", "UUID", "VARCHAR(5)"};
    const size_t columns = 1 + Upto(6);
    std::string create = "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY";
    for (size_t c = 0; c < columns; ++c) {
      create += ", c" + std::to_string(c) + " " + kTypes[Upto(std::size(kTypes))];
    }
    std::string insert;
    const size_t rows = 1 + Upto(60);
    for (size_t r = 0; r < rows; ++r) {
      insert += "; INSERT INTO t VALUES (" + std::to_string(r * 3);
      for (size_t c = 0; c < columns; ++c) insert += ", " + SqlOf(RandomValue());
      insert += ")";
    }
    Do("BEGIN; " + create + ")" + insert + "; COMMIT");
    const Read read = ReadAll("table: t\nmixed: string", {}, {.rows = 7, .bytes = 1 << 20});
    ASSERT_EQ(read.table->num_rows(), static_cast<int64_t>(rows));
    auto reader = Writer();
    for (size_t c = 0; c < columns; ++c) {
      const std::string name = "c" + std::to_string(c);
      const auto& literals =
          static_cast<const arrow::StringArray&>(*read.table->GetColumnByName(name)->chunk(0));
      for (size_t r = 0; r < rows; ++r) {
        const auto at = static_cast<int64_t>(r);
        const std::string literal =
            literals.IsNull(at) ? "NULL" : std::string(literals.GetView(at));
        // Compared by SQLite: the same class and, without any conversion, the same value.
        auto same = ValueOf(reader->Prepare(
            ctx_, "SELECT typeof(+" + name + ") = typeof(" + literal + ") AND +" + name + " IS " +
                      literal + " FROM t WHERE id = " + std::to_string(r * 3)));
        ASSERT_TRUE(ValueOf(same.Step(ctx_)));
        ASSERT_EQ(same.Int64(0), 1) << name << " row " << r << ": " << literal;
      }
    }
  }
}

/// Whole numbers and floats as a plain model of the rules in README.md says, value by value.
TEST_F(RandomTables, ReadAsNumbersFollowTheRulesOfEachType) {
  for (int round = 0; round < 40; ++round) {
    std::vector<Value> values;
    std::string insert = "DROP TABLE IF EXISTS t; CREATE TABLE t (x BLOB, y BLOB, z BLOB)";
    for (int r = 0; r < 50; ++r) {
      values.push_back(RandomValue());
      const std::string sql = SqlOf(values.back());
      insert += "; INSERT INTO t VALUES (" + sql + ", " + sql + ", " + sql + ")";
    }
    Do("BEGIN; " + insert + "; COMMIT");
    const Read read = ReadAll("table: t\ntypes: { x: int64, y: float64, z: bool }\nmixed: null");
    const auto& whole = static_cast<const arrow::Int64Array&>(*read.table->column(0)->chunk(0));
    const auto& floats = static_cast<const arrow::DoubleArray&>(*read.table->column(1)->chunk(0));
    const auto& bools = static_cast<const arrow::BooleanArray&>(*read.table->column(2)->chunk(0));
    for (size_t r = 0; r < values.size(); ++r) {
      const Value& value = values[r];
      const auto at = static_cast<int64_t>(r);
      std::optional<int64_t> integer;
      if (value.storage == 1) integer = value.integer;
      if (value.storage == 2 && std::trunc(value.real) == value.real &&
          std::abs(value.real) < 9007199254740992.0) {
        integer = static_cast<int64_t>(value.real);
      }
      if (value.storage == 3 && (value.bytes == "12" || value.bytes == "-7")) {
        integer = std::stoll(value.bytes);
      }
      ASSERT_EQ(whole.IsValid(at), integer.has_value()) << SqlOf(value);
      if (integer) {
        ASSERT_EQ(whole.Value(at), *integer);
      }
      const bool exact = value.storage == 1 && std::llabs(value.integer / 2) <= 4503599627370496 &&
                         value.integer >= -9007199254740992 && value.integer <= 9007199254740992;
      ASSERT_EQ(floats.IsValid(at), value.storage == 2 || exact) << SqlOf(value);
      if (value.storage == 2) {
        ASSERT_EQ(floats.Value(at), value.real);
      }
      const bool is_bool = value.storage == 1 && (value.integer == 0 || value.integer == 1);
      ASSERT_EQ(bools.IsValid(at), is_bool) << SqlOf(value);
    }
  }
}

}  // namespace
}  // namespace levada::sqlite
