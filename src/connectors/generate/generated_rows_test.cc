// The rows themselves: golden hashes of the tables, and that no cut of them changes a row.

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "connectors/generate/generate_fixture.h"

namespace levada::generate {
namespace {

class GeneratedRowsTest : public GenerateFixture {};

// One column of each way to say what a column is.
constexpr const char* kOwnColumns =
    "columns:\n"
    "  id: { type: int64, sequence: 1 }\n"
    "  small: { type: int8, min: -5, max: 5, nulls: 0.2 }\n"
    "  unsigned: uint64\n"
    "  amount: { type: \"decimal(18,2)\", min: 0, max: 1000, nulls: 0.1 }\n"
    "  ratio: { type: float32, min: -1, max: 1 }\n"
    "  precise: { type: float64, scale: 15 }\n"
    "  kind: { type: text, values: [a, b, c] }\n"
    "  long: { type: text, values: [x, \"a value of more than thirty-two bytes in all\"] }\n"
    "  note: { type: text, length: { min: 0, max: 60 }, nulls: 0.5 }\n"
    "  code: { type: text, form: characters, length: 12 }\n"
    "  key: { type: text, form: uuid }\n"
    "  body: { type: text, form: json, nulls: 0.01 }\n"
    "  raw: { type: binary, length: { min: 1, max: 9 } }\n"
    "  flag: { type: bool, nulls: 0.3 }\n"
    "  day: { type: date, min: 2026-01-01, max: 2026-02-01 }\n"
    "  clock: time\n"
    "  at: { type: timestamp, sequence: 2026-01-01, step: 10m }\n"
    "  zoned: { type: \"timestamp(ms, UTC)\", min: 2026-01-01, max: 2026-02-01 }\n";

std::string Yaml(const std::string& what, int64_t rows, int seed, const std::string& more = "") {
  const std::string columns = what == "own" ? kOwnColumns : "table: " + what + "\n";
  return columns + "rows: " + std::to_string(rows) + "\nseed: " + std::to_string(seed) + "\n" +
         more;
}

struct Golden {
  const char* what;
  int64_t rows;
  int seed;
  const char* hash;   ///< docs/wire/hash.md
  const char* order;  ///< of the rows in their order
};

// Every build on every machine makes these. A change here changes what people have in their files.
constexpr Golden kGoldens[] = {
    {"lineitem", 1'000, 0, "391cd41f714ba3db", "9722314426595194784"},
    {"lineitem", 20'011, 7, "c303b65cbc6eade6", "4976469335040619769"},
    {"events", 1'000, 0, "68c3827104200a3b", "597762522119682337"},
    {"events", 20'011, 7, "45c7630bcf5ff646", "14412168859350273441"},
    {"narrow", 1'000, 0, "3f652527e4a9fddb", "5346629933075054905"},
    {"narrow", 50'021, 7, "fb03a2f00bd593b7", "8561389380949696674"},
    {"wide-500", 100, 0, "be6d3f905ae5a91e", "11424870852645937625"},
    {"wide-500", 703, 7, "1851ebe0ca982f19", "5809115015323640533"},
    {"own", 1'000, 0, "a872143c2dc9d664", "14239547514639813201"},
    {"own", 20'011, 7, "d77d6c83041fb6ba", "5490480368911590046"},
};

TEST_F(GeneratedRowsTest, AreTheSameEverywhere) {
  for (const Golden& golden : kGoldens) {
    const Hashes hashes = HashesOf(*ReadAll(Yaml(golden.what, golden.rows, golden.seed)).table);
    EXPECT_EQ(hashes.rows, golden.hash) << golden.what << " " << golden.rows;
    EXPECT_EQ(hashes.order, golden.order) << golden.what << " " << golden.rows;
  }
}

TEST_F(GeneratedRowsTest, DoNotDependOnWhereTheyAreCut) {
  struct Cut {
    const char* options;
    elt::BatchLimits limits;
  };
  const Cut cuts[] = {{"", {1, 4 << 20}},
                      {"", {7, 4 << 20}},
                      {"", {1'024, 4 << 20}},
                      {"", {16'384, 1}},
                      {"", {16'384, 5'000}},
                      {"", {int64_t{1} << 40, int64_t{1} << 40}},
                      {"partition: { size: 37 }\n", {}},
                      {"partition: { count: 11 }\nslices: 3\n", {50, 4 << 20}},
                      {"slices: 16\n", {16'384, 20'000}}};
  const std::map<std::string, int64_t> tables = {
      {"lineitem", 701}, {"events", 701}, {"narrow", 1'501}, {"wide-500", 40}, {"own", 701}};
  for (const auto& [what, rows] : tables) {
    const auto whole = ReadAll(Yaml(what, rows, 5)).table;
    for (const Cut& cut : cuts) {
      const Read read = ReadAll(Yaml(what, rows, 5, cut.options), {}, cut.limits);
      EXPECT_TRUE(read.table->Equals(*whole))
          << what << " " << cut.options << cut.limits.rows << " " << cut.limits.bytes;
    }
  }
}

TEST_F(GeneratedRowsTest, DoNotDependOnRandomCuts) {
  std::mt19937_64 random(1);  // the same each time
  const auto whole = ReadAll(Yaml("own", 1'500, 5)).table;
  for (int i = 0; i < 30; ++i) {
    const std::string cut = random() % 2 == 0 ? "size: " + std::to_string(1 + random() % 1'500)
                                              : "count: " + std::to_string(1 + random() % 40);
    const std::string options =
        "partition: { " + cut + " }\nslices: " + std::to_string(1 + random() % 16) + "\n";
    const elt::BatchLimits limits{static_cast<int64_t>(1 + random() % 2'000),
                                  static_cast<int64_t>(1 + random() % 100'000)};
    const Read read = ReadAll(Yaml("own", 1'500, 5, options), {}, limits);
    EXPECT_TRUE(read.table->Equals(*whole)) << options << limits.rows << " " << limits.bytes;
  }
}

TEST_F(GeneratedRowsTest, BatchesKeepToTheirLimits) {
  for (const char* what : {"lineitem", "events", "wide-500", "own"}) {
    const int64_t rows = what == std::string("wide-500") ? 30 : 700;
    const Read read = ReadAll(Yaml(what, rows, 0), {}, {100, 20 << 10});
    for (size_t i = 0; i < read.batch_rows.size(); ++i) {
      EXPECT_LE(read.batch_rows[i], 100);
      // A batch of texts has one offset more than rows, and bits are counted in bytes.
      EXPECT_LE(read.batch_bytes[i], (20 << 10) + 6 * read.table->num_columns()) << what;
      EXPECT_GE(read.batch_bytes[i], i + 1 < read.batch_rows.size() ? 4 << 10 : 0) << what;
    }
  }
}

TEST_F(GeneratedRowsTest, LinesOfAnOrderAreNumbered) {
  const auto table = ReadAll(Yaml("lineitem", 2'800, 0)).table;
  const auto& orders = static_cast<const arrow::Int64Array&>(*table->column(0)->chunk(0));
  const auto& numbers = static_cast<const arrow::Int32Array&>(*table->column(3)->chunk(0));
  std::map<int64_t, int> lines;
  for (int64_t i = 0; i < orders.length(); ++i) {
    EXPECT_EQ(numbers.Value(i), ++lines[orders.Value(i)]);
    EXPECT_LT((orders.Value(i) - 1) % 32, 8);
    EXPECT_GE(orders.Value(i), orders.Value(std::max<int64_t>(i - 1, 0)));
  }
  EXPECT_EQ(lines.size(), 700u);
}

TEST_F(GeneratedRowsTest, LinesKeepToTheRulesOfTpcH) {
  const auto table = ReadAll(Yaml("lineitem", 5'000, 0)).table;
  const auto date = [&](int column, int64_t row) {
    return static_cast<const arrow::Date32Array&>(*table->column(column)->chunk(0)).Value(row);
  };
  const auto text = [&](int column, int64_t row) {
    return static_cast<const arrow::StringArray&>(*table->column(column)->chunk(0)).GetString(row);
  };
  constexpr int32_t kCurrentDate = 9'298;
  for (int64_t row = 0; row < table->num_rows(); ++row) {
    EXPECT_LT(date(10, row), date(12, row)) << "shipped before it is received";
    EXPECT_EQ(text(9, row), date(10, row) > kCurrentDate ? "O" : "F");
    EXPECT_EQ(text(8, row) == "N", date(12, row) > kCurrentDate);
    EXPECT_GE(text(15, row).size(), 10u);
    EXPECT_LE(text(15, row).size(), 43u);
  }
}

}  // namespace
}  // namespace levada::generate
