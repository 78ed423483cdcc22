#include "connectors/generate/preset_tables.h"

#include <utility>

#include "connectors/generate/counter_random.h"
#include "connectors/generate/lineitem.h"
#include "connectors/generate/null_rule.h"
#include "connectors/generate/number_column.h"
#include "connectors/generate/text_forms.h"

namespace levada::generate {
namespace {

using Columns = std::vector<std::unique_ptr<const Column>>;

constexpr int64_t kStart = 1'735'689'600'000'000;  // 2025-01-01T00:00:00Z
constexpr int64_t kSecond = 1'000'000;

/// A column before its numbers or texts are known.
struct Named {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  int64_t null_billionths = 0;
};

NullRule NullsOf(const Named& named, uint64_t seed) {
  return NullRule(KeyOf(KeyOf(seed, named.name), "nulls"), named.null_billionths);
}

std::shared_ptr<arrow::Field> FieldOf(const Named& named) {
  return arrow::field(named.name, named.type, /*nullable=*/named.null_billionths > 0);
}

std::unique_ptr<const Column> UniformColumn(const Named& named, uint64_t seed, int64_t least,
                                            int64_t greatest, int float_scale = 0) {
  const Uniform uniform = UniformBetween(KeyOf(seed, named.name), least, greatest);
  return MakeNumberColumn({.field = FieldOf(named),
                           .numbers = NumbersBy(uniform),
                           .nulls = NullsOf(named, seed),
                           .distinct = static_cast<double>(uniform.count),
                           .float_scale = float_scale});
}

std::unique_ptr<const Column> RisingColumn(const std::string& name, int64_t step, uint64_t spread,
                                           uint64_t seed) {
  const Rise rise{.start = kStart, .step = step, .spread = spread, .key = KeyOf(seed, name)};
  return MakeNumberColumn(
      {.field = arrow::field(name, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
       .numbers = NumbersBy(rise),
       .rise = rise});
}

std::unique_ptr<const Column> IdColumn() {
  return MakeNumberColumn({.field = arrow::field("id", arrow::int64(), /*nullable=*/false),
                           .numbers = NumbersBy(Sequence{1, 1})});
}

std::unique_ptr<const Column> TextsColumn(const Named& named, uint64_t seed, TextForm form) {
  return MakeTextColumn(FieldOf(named), std::move(form), NullsOf(named, seed));
}

Columns NarrowColumns(uint64_t seed) {
  Columns columns;
  columns.push_back(IdColumn());
  columns.push_back(UniformColumn({"a", arrow::int32()}, seed, 0, 1'000'002));
  columns.push_back(UniformColumn({"b", arrow::float64()}, seed, 0, 1'000'000'000, 6));
  columns.push_back(RisingColumn("c", kSecond, 1, seed));
  columns.push_back(UniformColumn({"d", arrow::boolean()}, seed, 0, 1));
  return columns;
}

/// Times that grow as a log's do: never at the same distance.
constexpr int64_t kEventStep = 3'137'000;

Columns EventsColumns(uint64_t seed) {
  const auto key = [&](const char* name) { return KeyOf(seed, name); };
  const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const Rise created{
      .start = kStart, .step = kEventStep, .spread = kEventStep, .key = key("created_at")};
  const Named received{"received_at", time, 10'000'000};
  Columns columns;
  columns.push_back(IdColumn());
  columns.push_back(RisingColumn("created_at", kEventStep, kEventStep, seed));
  columns.push_back(
      MakeNumberColumn({.field = FieldOf(received),
                        .numbers = NumbersBy([created, delay = key("received_at")](int64_t row) {
                          // Most come within a second, the last after a minute.
                          const uint64_t word = WordAt(delay, row);
                          const uint64_t longest = (word & 15) == 0 ? 60 * kSecond : kSecond;
                          return created(row) + static_cast<int64_t>(Below(Mix(word), longest));
                        }),
                        .nulls = NullsOf(received, seed)}));
  columns.push_back(UniformColumn({"user_id", arrow::int32()}, seed, 1, 1'000'000));
  columns.push_back(
      TextsColumn({"session_id", arrow::utf8(), 10'000'000}, seed, UuidTexts(key("session_id"))));
  columns.push_back(TextsColumn({"action", arrow::utf8()}, seed,
                                ChoiceTexts(key("action"), {"page_view", "add_to_cart", "checkout",
                                                            "login", "search", "click"})));
  columns.push_back(TextsColumn(
      {"country", arrow::utf8(), 30'000'000}, seed,
      ChoiceTexts(key("country"), {"DE", "PT", "FR", "ES", "IT", "GB", "US", "BR", "IN", "JP"})));
  columns.push_back(UniformColumn({"amount", arrow::float64(), 20'000'000}, seed, 0, 1'000'000, 2));
  columns.push_back(UniformColumn({"is_mobile", arrow::boolean(), 30'000'000}, seed, 0, 1));
  columns.push_back(
      TextsColumn({"payload", arrow::utf8(), 50'000'000}, seed, JsonTexts(key("payload"))));
  return columns;
}

constexpr int kWideColumns = 500;
constexpr int64_t kWideNulls = 125'000'000;  // every eighth value

/// One of ten kinds, in turn.
std::unique_ptr<const Column> WideColumn(int index, uint64_t seed) {
  const std::string name = "c" + std::to_string(index);
  const uint64_t key = KeyOf(seed, name);
  const auto named = [&](std::shared_ptr<arrow::DataType> type) {
    return Named{name, std::move(type), kWideNulls};
  };
  switch (index % 10) {
    case 0:
      return UniformColumn(named(arrow::int64()), seed, 0, 1'000'000'000'000);
    case 1:
      return UniformColumn(named(arrow::int32()), seed, 0, 1'000'002);
    case 2:
      return UniformColumn(named(arrow::float64()), seed, -1'000'000'000, 1'000'000'000, 3);
    case 3:
      return UniformColumn(named(arrow::decimal128(12, 2)), seed, 0, 99'999'999);
    case 4:
      return TextsColumn(named(arrow::utf8()), seed, CharacterTexts(key, 4, 20));
    case 5:
      return UniformColumn(named(arrow::boolean()), seed, 0, 1);
    case 6:
      return UniformColumn(named(arrow::date32()), seed, 18'262, 21'914);  // 2020 to 2029
    case 7:
      return UniformColumn(named(arrow::timestamp(arrow::TimeUnit::MICRO)), seed, kStart,
                           kStart + 365 * kMicrosPerDay);
    case 8:
      return TextsColumn(named(arrow::utf8()), seed,
                         ChoiceTexts(key, {"new", "open", "held", "paid", "sent", "closed"}));
    default:
      return TextsColumn(named(arrow::utf8()), seed, WordTexts(key, 5, 40));
  }
}

Columns WideColumns(uint64_t seed) {
  Columns columns;
  columns.push_back(IdColumn());
  for (int index = 1; index < kWideColumns; ++index) columns.push_back(WideColumn(index, seed));
  return columns;
}

struct Preset {
  const char* name;
  Columns (*columns)(uint64_t seed);
};

constexpr Preset kPresets[] = {{"lineitem", LineitemColumns},
                               {"events", EventsColumns},
                               {"narrow", NarrowColumns},
                               {"wide-500", WideColumns}};

}  // namespace

const std::vector<std::string>& PresetNames() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Preset& preset : kPresets) names.emplace_back(preset.name);
    return names;
  }();
  return kNames;
}

std::vector<std::unique_ptr<const Column>> PresetColumns(const std::string& name, uint64_t seed) {
  for (const Preset& preset : kPresets) {
    if (name == preset.name) return preset.columns(seed);
  }
  return {};
}

}  // namespace levada::generate
