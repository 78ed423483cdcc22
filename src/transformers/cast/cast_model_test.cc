// The cast transformer against a model of it: row by row, with numbers as digits on paper instead
// of machine words. Random batches from fixed seeds.

#include "transformers/cast/cast_model.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>

#include "conversions/conversion_fixture.h"
#include "elt/transformer_fixture.h"

namespace levada::cast {

void Register(elt::Catalog& catalog);

namespace {

using conversions::ArrayOf;
using conversions::TypeNamed;

Result<std::unique_ptr<elt::Transformer>> MakeCast(const std::string& yaml) {
  return elt::MakeTransformer(Register, "cast", yaml);
}

/// A value of an array in the words of the model.
std::string Canonical(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return "null";
  switch (array.type_id()) {
    case arrow::Type::DECIMAL128:
      return arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(i))
          .ToIntegerString();
    case arrow::Type::DECIMAL256:
      return arrow::Decimal256(static_cast<const arrow::Decimal256Array&>(array).GetValue(i))
          .ToIntegerString();
    case arrow::Type::DOUBLE:
      return HexFloat(static_cast<const arrow::DoubleArray&>(array).Value(i));
    case arrow::Type::DATE32:
      return std::to_string(static_cast<const arrow::Date32Array&>(array).Value(i));
    case arrow::Type::TIMESTAMP:
      return std::to_string(static_cast<const arrow::TimestampArray&>(array).Value(i));
    default:
      return ValueOf(array.GetScalar(i))->ToString();
  }
}

// ---------------------------------------------------------------------------------------------
// random columns

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t count) { return random_() % count; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  template <typename Range>
  auto Of(const Range& range) {
    return range[Below(std::size(range))];
  }
  std::string Digits(size_t count) {
    std::string digits;
    while (digits.size() < count) digits += static_cast<char>('0' + Below(10));
    return digits;
  }
  /// Of 64 bits, small ones as often as large ones.
  uint64_t Bits() { return random_() >> Below(64); }

 private:
  std::mt19937_64 random_;
};

const std::vector<std::string> kIntegers = {"int8",  "int16",  "int32",  "int64",
                                            "uint8", "uint16", "uint32", "uint64"};
const std::vector<std::string> kUnits = {"s", "ms", "us", "ns"};

std::string DecimalName(Dice& dice) {
  const auto precision = 1 + dice.Below(dice.OneIn(2) ? 12 : 76);
  return "decimal(" + std::to_string(precision) + "," + std::to_string(dice.Below(precision + 1)) +
         ")";
}

struct Column {
  std::string from;
  std::string to;
  std::vector<Value> values;
  std::shared_ptr<arrow::Array> array;
};

/// "1234.50" as this column would print it: a decimal of all its digits.
std::string PointText(std::string digits, int scale) {
  const bool negative = digits.front() == '-';
  if (negative) digits.erase(0, 1);
  if (static_cast<int>(digits.size()) <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (negative ? "-" : "") + digits;
}

Value NumberFor(const std::string& type, Dice& dice) {
  Value value(Value::Kind::kNumber);
  if (type.starts_with("decimal")) {
    const auto decimal = TypeNamed(type);
    const auto& shape = static_cast<const arrow::DecimalType&>(*decimal);
    std::string digits = dice.Digits(1 + dice.Below(shape.precision()));
    if (dice.OneIn(2)) digits.resize(1 + dice.Below(digits.size()));
    for (size_t i = digits.size(); i > 1 && dice.OneIn(2); --i) digits[i - 1] = '0';
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    if (digits != "0" && dice.OneIn(2)) digits.insert(0, "-");
    value.text = PointText(digits, shape.scale());
    return value;
  }
  const bool is_unsigned = type.front() == 'u';
  const int bits = std::stoi(type.substr(is_unsigned ? 4 : 3));
  const uint64_t raw = dice.Bits();
  value.text =
      is_unsigned ? std::to_string(raw >> (64 - bits))
                  : std::to_string(static_cast<int64_t>(dice.OneIn(2) ? raw : ~raw) >> (64 - bits));
  if (dice.OneIn(3)) value.text = dice.OneIn(2) ? "1" : "0";
  return value;
}

Value FloatFor(const std::string& type, Dice& dice) {
  Value value(Value::Kind::kFloat);
  const double whole =
      static_cast<double>(static_cast<int64_t>(dice.Bits()) * (dice.OneIn(2) ? 1 : -1));
  const double powers[] = {1, 1, 10, 100, 1024, 1e10};
  value.real = whole / dice.Of(powers);
  if (dice.OneIn(12))
    value.real = dice.OneIn(2) ? std::nan("") : (dice.OneIn(2) ? 1 : -1) * INFINITY;
  if (type == "float32") value.real = static_cast<float>(value.real);
  return value;
}

Value NumberText(Dice& dice) {
  static const std::vector<std::string> kGarbage = {"", "x", "1,5", " 1", "1 ", "--1", "1e", "."};
  Value value(Value::Kind::kText);
  const char* signs[] = {"", "", "-", "+"};
  value.text = dice.Of(signs) + dice.Digits(1 + dice.Below(dice.OneIn(4) ? 40 : 6));
  if (dice.OneIn(3)) value.text += "." + dice.Digits(dice.Below(5));
  if (dice.OneIn(6)) value.text += "e" + std::to_string(static_cast<int>(dice.Below(40)) - 20);
  if (dice.OneIn(8)) value.text = dice.Of(kGarbage);
  if (dice.OneIn(8)) value.text = dice.OneIn(2) ? "1" : "0";
  return value;
}

/// A moment in `unit`s, as a number of them in `text`.
Value MomentFor(const std::string& unit, Dice& dice) {
  Wide nanos_per_unit = 1;
  if (unit == "date") {
    nanos_per_unit = kModelNanosPerDay;
  } else {
    for (auto u = std::ranges::find(kUnits, unit); *u != "ns"; ++u) nanos_per_unit *= 1000;
  }
  Wide units = static_cast<Wide>(dice.Bits() >> 1) * (dice.OneIn(2) ? 1 : -1);
  // Often at a whole second or day, so that coarser types have a place for it.
  const Wide grains[] = {1, 1'000'000'000, kModelNanosPerDay};
  const Wide grain = std::max<Wide>(1, dice.Of(grains) / nanos_per_unit);
  units -= units % grain;
  if (unit == "date") units %= INT32_MAX;
  Value value(Value::Kind::kMoment);
  value.text = WideText(units);
  value.nanos = units * nanos_per_unit;
  return value;
}

Value MomentText(Dice& dice) {
  static const std::vector<std::string> kGarbage = {
      "", "today", "2026-02-30", "2026-01-01 24:00", "2026-01-01 00:00Z", "2026-1-1"};
  Value value(Value::Kind::kText);
  if (dice.OneIn(8)) {
    value.text = dice.Of(kGarbage);
    return value;
  }
  const int64_t day = static_cast<int64_t>(dice.Below(3'652'425)) - 719'528;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  value.text = text;
  value.nanos = day * kModelNanosPerDay;
  value.has_time = !dice.OneIn(3);
  if (!value.has_time) return value;
  const auto second = static_cast<int64_t>(dice.Below(86'400));
  const bool has_seconds = !dice.OneIn(3);
  std::snprintf(text, sizeof text, "%c%02d:%02d", " Tt"[dice.Below(3)],
                static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60));
  value.text += text;
  *value.nanos += Wide{has_seconds ? second : second / 60 * 60} * 1'000'000'000;
  if (!has_seconds) return value;
  std::snprintf(text, sizeof text, ":%02d", static_cast<int>(second % 60));
  value.text += text;
  if (dice.OneIn(2)) return value;
  const std::string fraction = dice.Digits(1 + dice.Below(9));
  value.text += "." + fraction;
  *value.nanos += std::stoll(fraction + std::string(9 - fraction.size(), '0'));
  return value;
}

std::string JsonOf(const Value& value, const std::string& type) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kFloat:
      if (std::isnan(value.real)) return "NaN";
      if (std::isinf(value.real)) return value.real < 0 ? "-Inf" : "Inf";
      return Shortest(value.real);
    case Value::Kind::kText:
      return "\"" + value.text + "\"";
    case Value::Kind::kNumber:
      return type.starts_with("decimal") ? "\"" + value.text + "\"" : value.text;
    default:
      return value.text;
  }
}

/// Any pair of types that the model knows, with `rows` values.
Column RandomColumn(Dice& dice, int64_t rows) {
  Column column;
  std::function<Value()> next;
  const std::string decimal = DecimalName(dice);
  const std::string timestamp = "timestamp(" + dice.Of(kUnits) + ")";
  std::vector<std::string> targets = kIntegers;
  targets.insert(targets.end(), {"float64", decimal, decimal, decimal});
  switch (dice.Below(7)) {
    case 0:
      column.from = dice.Of(kIntegers);
      targets.insert(targets.end(), {"text", "bool"});
      next = [&] { return NumberFor(column.from, dice); };
      break;
    case 1:
      column.from = DecimalName(dice);
      targets.push_back("text");
      next = [&] { return NumberFor(column.from, dice); };
      break;
    case 2:
      column.from = dice.OneIn(2) ? "float64" : "float32";
      next = [&] { return FloatFor(column.from, dice); };
      break;
    case 3:
      column.from = "text";
      targets.insert(targets.end(), {"text", "bool"});
      next = [&] { return NumberText(dice); };
      break;
    case 4:
      column.from = "text";
      targets = {"date", timestamp};
      next = [&] { return MomentText(dice); };
      break;
    case 5:
      column.from = dice.OneIn(3) ? "date" : "timestamp(" + dice.Of(kUnits) + ")";
      targets = {"date", timestamp};
      next = [&] {
        const size_t open = column.from.find('(');
        return MomentFor(open == std::string::npos
                             ? column.from
                             : column.from.substr(open + 1, column.from.size() - open - 2),
                         dice);
      };
      break;
    default:
      column.from = "bool";
      targets = kIntegers;
      targets.push_back("text");
      next = [&] { return Value(Value::Kind::kBool, dice.OneIn(2) ? "true" : "false"); };
  }
  column.to = dice.Of(targets);
  std::string json;
  for (int64_t i = 0; i < rows; ++i) {
    column.values.push_back(dice.OneIn(6) ? Value() : next());
    json += (i > 0 ? ", " : "") + JsonOf(column.values.back(), column.from);
  }
  column.array = ArrayOf(column.from, "[" + json + "]");
  return column;
}

// ---------------------------------------------------------------------------------------------
// batches

const std::vector<std::string> kWords = {"fail", "discard_value", "discard_row", "quarantine"};

/// What the stage should make of a batch, row by row.
struct Expected {
  std::optional<std::pair<int64_t, std::string>> failure;  ///< row and column of the first
  std::vector<std::vector<std::string>> rows;              ///< of the columns, then the row's id
  std::vector<std::string> rejects;                        ///< the column that was the reason
  int64_t filtered = 0;
};

Expected Expect(const std::vector<Column>& columns, const std::vector<std::string>& words,
                int64_t begin, int64_t end) {
  Expected expected;
  for (int64_t i = begin; i < end; ++i) {
    std::vector<std::string> row;
    std::string reject;
    bool is_filtered = false;
    for (size_t c = 0; c < columns.size(); ++c) {
      const Value& value = columns[c].values[i];
      const Answer answer = value.kind == Value::Kind::kNull
                                ? "null"
                                : ModelOf(value, columns[c].from, *TypeNamed(columns[c].to));
      const std::string name = "c" + std::to_string(c);
      row.push_back(answer.value_or("null"));
      if (answer) continue;
      if (words[c] == "fail" && !expected.failure) expected.failure = {i - begin, name};
      if (words[c] == "quarantine" && reject.empty()) reject = name;
      is_filtered = is_filtered || words[c] == "discard_row";
    }
    row.push_back(std::to_string(i));
    if (!reject.empty()) {
      expected.rejects.push_back(reject);
    } else if (is_filtered) {
      ++expected.filtered;
    } else {
      expected.rows.push_back(std::move(row));
    }
  }
  return expected;
}

std::string Told(const std::vector<Column>& columns, const std::vector<std::string>& words) {
  std::string text;
  for (size_t c = 0; c < columns.size(); ++c) {
    text += columns[c].from + " to " + columns[c].to + ", " + words[c] + "; ";
  }
  return text;
}

/// Whether the stage came through, after comparing everything it said.
bool RunBatch(uint64_t seed) {
  Dice dice(seed);
  const auto offset = static_cast<int64_t>(dice.Below(10));
  const auto rows = static_cast<int64_t>(dice.Below(30));
  std::vector<Column> columns(1 + dice.Below(3));
  std::vector<std::string> words;
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  std::string yaml, ids;
  for (size_t c = 0; c < columns.size(); ++c) {
    columns[c] = RandomColumn(dice, offset + rows + 3);
    // Most batches would fail if a third of the columns could make them.
    words.push_back(dice.OneIn(12) ? kWords[0] : kWords[1 + dice.Below(3)]);
    const std::string name = "c" + std::to_string(c);
    fields.push_back(arrow::field(name, columns[c].array->type()));
    arrays.push_back(columns[c].array);
    yaml += name + ": { type: \"" + columns[c].to + "\", on_error: " + words[c] + " }\n";
  }
  for (int64_t i = 0; i < offset + rows + 3; ++i) ids += (i > 0 ? ", " : "") + std::to_string(i);
  fields.push_back(arrow::field("id", arrow::int64(), false));
  arrays.push_back(ArrayOf("int64", "[" + ids + "]"));
  const auto schema = arrow::schema(fields);
  const auto batch =
      arrow::RecordBatch::Make(schema, offset + rows + 3, arrays)->Slice(offset, rows);

  TestContext surroundings;
  Context ctx = surroundings.context();
  elt::RejectBuffer rejects;
  auto transformer = ValueOf(MakeCast(yaml));
  auto bound = ValueOf(transformer->Bind(schema, elt::RunInstance{}));
  const auto mapped = bound->Map(ctx, batch, rejects);
  const Expected expected = Expect(columns, words, offset, offset + rows);
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + Told(columns, words));
  if (expected.failure) {
    EXPECT_THAT(mapped, FailsWith(FaultCode::kCastFailed));
    if (mapped.ok()) return false;
    EXPECT_EQ(FaultOf(mapped.status()).Detail("column"), expected.failure->second);
    EXPECT_EQ(FaultOf(mapped.status()).Detail("batch_row"),
              std::to_string(expected.failure->first + 1));
    return false;
  }
  EXPECT_THAT(mapped, IsOk());
  if (!mapped.ok()) return false;
  EXPECT_THAT(mapped->batch->ValidateFull(), IsOk());
  EXPECT_EQ(mapped->filtered, expected.filtered);
  EXPECT_EQ(mapped->rejected, static_cast<int64_t>(expected.rejects.size()));
  std::vector<std::string> reasons;
  for (const elt::Reject& reject : rejects.Take()) reasons.push_back(reject.column);
  EXPECT_EQ(reasons, expected.rejects);
  std::vector<std::vector<std::string>> got(mapped->batch->num_rows());
  for (int64_t i = 0; i < mapped->batch->num_rows(); ++i) {
    for (const auto& array : mapped->batch->columns()) got[i].push_back(Canonical(*array, i));
  }
  EXPECT_EQ(got, expected.rows);
  return true;
}

TEST(CastModel, AgreesOnRandomBatches) {
  int came_through = 0;
  for (uint64_t seed = 1; seed <= 2000 && !testing::Test::HasFailure(); ++seed) {
    came_through += RunBatch(seed) ? 1 : 0;
  }
  EXPECT_GT(came_through, 1500);
  EXPECT_LT(came_through, 2000) << "some have to fail, too";
}

}  // namespace
}  // namespace levada::cast
