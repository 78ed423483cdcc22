#include "connectors/generate/lineitem.h"

#include <array>
#include <string>
#include <utility>

#include "connectors/generate/counter_random.h"
#include "connectors/generate/number_column.h"
#include "connectors/generate/text_forms.h"

namespace levada::generate {
namespace {

// TPC-H 2.18, 4.2.3, at scale factor 1 whatever the number of rows is: a row does not depend on how
// many there are.
constexpr uint64_t kParts = 200'000;
constexpr uint64_t kSuppliers = 10'000;
constexpr int64_t kStartDate = 8'035;    // 1992-01-01
constexpr uint64_t kOrderDates = 2'406;  // to 1998-08-02
constexpr int64_t kCurrentDate = 9'298;  // 1995-06-17

// Orders have one to seven lines; seven orders, in which each size is there once, have 28.
constexpr std::array<int, 7> kOrderSizes = {4, 1, 6, 3, 7, 2, 5};
constexpr int64_t kCycleRows = 28;
constexpr int64_t kCycleOrders = 7;

struct Line {
  int order = 0;   ///< in its cycle
  int number = 0;  ///< in its order, from 1
};

constexpr std::array<Line, kCycleRows> LinesOfCycle() {
  std::array<Line, kCycleRows> lines{};
  size_t at = 0;
  for (size_t order = 0; order < kOrderSizes.size(); ++order) {
    for (int number = 1; number <= kOrderSizes[order]; ++number) {
      lines[at++] = {static_cast<int>(order), number};
    }
  }
  return lines;
}
constexpr std::array<Line, kCycleRows> kLines = LinesOfCycle();

int64_t OrderOf(int64_t row) {
  return row / kCycleRows * kCycleOrders + kLines[static_cast<size_t>(row % kCycleRows)].order;
}

/// The values of a row that others follow from.
struct Facts {
  explicit Facts(uint64_t seed)
      : part_key(KeyOf(seed, "l_partkey")),
        quantity_key(KeyOf(seed, "l_quantity")),
        order_date_key(KeyOf(seed, "o_orderdate")),
        ship_key(KeyOf(seed, "l_shipdate")),
        receipt_key(KeyOf(seed, "l_receiptdate")) {}

  int64_t Part(int64_t row) const {
    return 1 + static_cast<int64_t>(Below(WordAt(part_key, row), kParts));
  }
  int64_t Quantity(int64_t row) const {
    return 1 + static_cast<int64_t>(Below(WordAt(quantity_key, row), 50));
  }
  int64_t OrderDate(int64_t row) const {
    return kStartDate +
           static_cast<int64_t>(Below(WordAt(order_date_key, OrderOf(row)), kOrderDates));
  }
  int64_t ShipDate(int64_t row) const {
    return OrderDate(row) + 1 + static_cast<int64_t>(Below(WordAt(ship_key, row), 121));
  }
  int64_t ReceiptDate(int64_t row) const {
    return ShipDate(row) + 1 + static_cast<int64_t>(Below(WordAt(receipt_key, row), 30));
  }

  uint64_t part_key;
  uint64_t quantity_key;
  uint64_t order_date_key;
  uint64_t ship_key;
  uint64_t receipt_key;
};

/// The columns in their order.
class Columns {
 public:
  explicit Columns(uint64_t seed) : seed_(seed) {}

  template <typename At>
  void AddNumbers(const std::string& name, std::shared_ptr<arrow::DataType> type, double distinct,
                  At at) {
    columns_.push_back(
        MakeNumberColumn({.field = arrow::field(name, std::move(type), /*nullable=*/false),
                          .numbers = NumbersBy(std::move(at)),
                          .distinct = distinct}));
  }
  void AddTexts(const std::string& name, TextForm form) {
    columns_.push_back(MakeTextColumn(arrow::field(name, arrow::utf8(), /*nullable=*/false),
                                      std::move(form), NullRule()));
  }
  /// One letter.
  template <typename Write>
  void AddLetters(const std::string& name, double distinct, Write write) {
    AddTexts(name, {TextsBy(std::move(write)), 1, 1, distinct});
  }
  uint64_t Key(const std::string& name) const { return KeyOf(seed_, name); }

  std::vector<std::unique_ptr<const Column>> Take() { return std::move(columns_); }

 private:
  const uint64_t seed_;
  std::vector<std::unique_ptr<const Column>> columns_;
};

void AddKeys(Columns& columns, const Facts& facts) {
  // Of each 32 order keys the first eight are in use.
  columns.AddNumbers("l_orderkey", arrow::int64(), kAllDistinct, [](int64_t row) {
    const int64_t order = OrderOf(row);
    return order / 8 * 32 + order % 8 + 1;
  });
  columns.AddNumbers("l_partkey", arrow::int64(), kParts,
                     [facts](int64_t row) { return facts.Part(row); });
  columns.AddNumbers("l_suppkey", arrow::int64(), kSuppliers,
                     UniformBetween(columns.Key("l_suppkey"), 1, kSuppliers));
  columns.AddNumbers("l_linenumber", arrow::int32(), 7, [](int64_t row) {
    return int64_t{kLines[static_cast<size_t>(row % kCycleRows)].number};
  });
}

void AddAmounts(Columns& columns, const Facts& facts) {
  const auto money = arrow::decimal128(15, 2);
  columns.AddNumbers("l_quantity", money, 50,
                     [facts](int64_t row) { return facts.Quantity(row) * 100; });
  columns.AddNumbers("l_extendedprice", money, kAllDistinct, [facts](int64_t row) {
    const int64_t part = facts.Part(row);
    const int64_t retail_price = 90'000 + part / 10 % 20'001 + 100 * (part % 1'000);
    return facts.Quantity(row) * retail_price;
  });
  columns.AddNumbers("l_discount", money, 11, UniformBetween(columns.Key("l_discount"), 0, 10));
  columns.AddNumbers("l_tax", money, 9, UniformBetween(columns.Key("l_tax"), 0, 8));
}

void AddFlags(Columns& columns, const Facts& facts) {
  const uint64_t key = columns.Key("l_returnflag");
  columns.AddLetters("l_returnflag", 3, [facts, key](int64_t row, uint8_t* out) {
    const bool received = facts.ReceiptDate(row) <= kCurrentDate;
    *out = static_cast<uint8_t>(!received ? 'N' : (WordAt(key, row) >> 63) != 0 ? 'R' : 'A');
    return out + 1;
  });
  columns.AddLetters("l_linestatus", 2, [facts](int64_t row, uint8_t* out) {
    *out = static_cast<uint8_t>(facts.ShipDate(row) > kCurrentDate ? 'O' : 'F');
    return out + 1;
  });
}

void AddDates(Columns& columns, const Facts& facts) {
  columns.AddNumbers("l_shipdate", arrow::date32(), kOrderDates + 121,
                     [facts](int64_t row) { return facts.ShipDate(row); });
  const uint64_t key = columns.Key("l_commitdate");
  columns.AddNumbers("l_commitdate", arrow::date32(), kOrderDates + 61, [facts, key](int64_t row) {
    return facts.OrderDate(row) + 30 + static_cast<int64_t>(Below(WordAt(key, row), 61));
  });
  columns.AddNumbers("l_receiptdate", arrow::date32(), kOrderDates + 151,
                     [facts](int64_t row) { return facts.ReceiptDate(row); });
}

}  // namespace

std::vector<std::unique_ptr<const Column>> LineitemColumns(uint64_t seed) {
  Columns columns(seed);
  const Facts facts(seed);
  AddKeys(columns, facts);
  AddAmounts(columns, facts);
  AddFlags(columns, facts);
  AddDates(columns, facts);
  columns.AddTexts("l_shipinstruct",
                   ChoiceTexts(columns.Key("l_shipinstruct"),
                               {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}));
  columns.AddTexts("l_shipmode",
                   ChoiceTexts(columns.Key("l_shipmode"),
                               {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}));
  columns.AddTexts("l_comment", WordTexts(columns.Key("l_comment"), 10, 43));
  return columns.Take();
}

}  // namespace levada::generate
