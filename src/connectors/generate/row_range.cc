#include "connectors/generate/row_range.h"

#include <algorithm>

#include "base/json.h"

namespace levada::generate {

std::string RowRange::ToJson() const { return Dump({{"from", from}, {"to", to}}); }

Result<RowRange> RowRange::FromJson(const std::string& json, int64_t rows) {
  const Json parsed = ParseJson(json);
  const Fault corrupt(FaultCode::kManifestCorrupt,
                      "split record: bounds that the generate consumer did not write");
  if (!parsed.is_object() || parsed.size() != 2) return corrupt;
  RowRange range;
  for (auto [key, member] : {std::pair("from", &RowRange::from), std::pair("to", &RowRange::to)}) {
    const auto found = parsed.find(key);
    if (found == parsed.end() || !found->is_number_integer()) return corrupt;
    // Beyond an int64 a number would come back as another one.
    if (found->is_number_unsigned() && found->get<uint64_t>() > static_cast<uint64_t>(rows)) {
      return corrupt;
    }
    range.*member = found->get<int64_t>();
  }
  if (range.from < 0 || range.from > range.to || range.to > rows) return corrupt;
  return range;
}

std::vector<RowRange> EvenRanges(const RowRange& range, int64_t count) {
  count = std::max<int64_t>(1, std::min(count, range.rows()));
  std::vector<RowRange> ranges;
  int64_t from = range.from;
  for (int64_t i = 1; i <= count; ++i) {
    const auto to =
        range.from + static_cast<int64_t>(static_cast<__int128>(range.rows()) * i / count);
    ranges.push_back({from, to});
    from = to;
  }
  return ranges;
}

std::vector<RowRange> RangesOfSize(const RowRange& range, int64_t size) {
  std::vector<RowRange> ranges;
  int64_t from = range.from;
  do {
    // Not beyond the range, so nothing overflows.
    const int64_t left = size - from % size;
    const int64_t to = left < range.to - from ? from + left : range.to;
    ranges.push_back({from, to});
    from = to;
  } while (from < range.to);
  return ranges;
}

int64_t CountOfSize(const RowRange& range, int64_t size) {
  if (range.rows() == 0) return 1;
  return (range.to - 1) / size - range.from / size + 1;
}

}  // namespace levada::generate
