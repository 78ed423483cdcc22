#include "connectors/postgres/cuts.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace levada::postgres {
namespace {

using Wide = __int128;

std::optional<int64_t> IntegerOf(const std::string& text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

/// The points with the wide gaps between integers divided, so that no point weighs more than a
/// fraction of a range.
std::vector<WeightedValue> Divided(const std::vector<WeightedValue>& values, double target) {
  std::vector<WeightedValue> divided;
  for (size_t i = 0; i < values.size(); ++i) {
    const WeightedValue& point = values[i];
    const std::optional<int64_t> from = IntegerOf(point.value);
    const std::optional<int64_t> to =
        i + 1 < values.size() ? IntegerOf(values[i + 1].value) : std::nullopt;
    constexpr double kPartsPerRange = 4;
    const auto parts = static_cast<int64_t>(point.weight / target * kPartsPerRange);
    if (point.single || !from || !to || parts < 2 || Wide{*to} - *from < parts) {
      divided.push_back(point);
      continue;
    }
    for (int64_t part = 0; part < parts; ++part) {
      const Wide step = (Wide{*to} - *from) * part / parts;
      divided.push_back({std::to_string(static_cast<int64_t>(*from + step)),
                         point.weight / static_cast<double>(parts), false});
    }
  }
  return divided;
}

}  // namespace

std::vector<Cut> CutsByWeight(const std::vector<WeightedValue>& values, int64_t count,
                              bool integers) {
  double total = 0;
  for (const WeightedValue& value : values) total += value.weight;
  if (count < 2 || total <= 0) return {};
  const double target = total / static_cast<double>(count);
  constexpr double kHeavy = 1.5;
  constexpr double kWorthACut = 0.25;
  // So that sums of fractions that should reach the target do.
  const double enough = target * (1 - 1e-9);
  const std::vector<WeightedValue> points = integers ? Divided(values, target) : values;

  std::vector<Cut> cuts;
  const auto add = [&](Cut cut) {
    if (cuts.empty() || cuts.back() != cut) cuts.push_back(std::move(cut));
  };
  double left = total;  // from this point on
  double gathered = 0;  // since the last cut
  double at_value = 0;  // of that, what lies at and behind this very value
  const std::string* last_value = nullptr;
  for (const WeightedValue& point : points) {
    if (last_value == nullptr || *last_value != point.value) at_value = 0;
    last_value = &point.value;
    const bool heavy = point.single && point.weight > kHeavy * target;
    const bool behind_it = !cuts.empty() && cuts.back() == Cut{point.value, true};
    // A range that would have next to no rows is not worth a cut.
    const bool full = gathered >= enough && left >= kWorthACut * target;
    if ((heavy || full) && !behind_it) {
      add({point.value, false});
      gathered = at_value;
    }
    if (heavy) {
      add({point.value, true});
      // A point of the histogram at the same value weighs what lies behind that value.
      gathered = at_value;
    } else {
      gathered += point.weight;
      at_value += point.weight;
    }
    left -= point.weight;
  }
  return cuts;
}

std::vector<int64_t> EvenCuts(int64_t least, int64_t greatest, int64_t count) {
  std::vector<int64_t> cuts;
  const Wide width = Wide{greatest} - least + 1;
  for (int64_t i = 1; i < count; ++i) {
    const auto cut = static_cast<int64_t>(least + width * i / count);
    if (cut > least && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace levada::postgres
