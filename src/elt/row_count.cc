#include "elt/row_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/quantity.h"

namespace levada::elt {
namespace {

Status Refused(int64_t rows, const std::string& expected) {
  return Fault(FaultCode::kRowCountRefused,
               fmt::format("rows of the run: expected {}, got {}", expected, FormatCount(rows)))
      .With("rows", std::to_string(rows))
      .Help(
          "nothing of it was published: run again when the source is right, or change rows: in the "
          "file");
}

int64_t MedianOf(std::vector<int64_t> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Status CheckRowCount(const RowCountRule& rule, int64_t rows, std::vector<int64_t> earlier) {
  if (rule.min && rows < *rule.min) {
    return Refused(rows, "at least " + FormatCount(*rule.min));
  }
  if (rule.max && rows > *rule.max) {
    return Refused(rows, "at most " + FormatCount(*rule.max));
  }
  if (!rule.change_percent || earlier.empty()) return Status::OK();
  const size_t count = earlier.size();
  const int64_t usual = MedianOf(std::move(earlier));
  // As floats: rows are far below 2^53.
  const double change =
      static_cast<double>(usual) * static_cast<double>(*rule.change_percent) / 100;
  if (std::abs(static_cast<double>(rows - usual)) <= change) return Status::OK();
  return Refused(rows, fmt::format("{} more or less than {}, the median of {} before",
                                   std::to_string(*rule.change_percent) + "%", FormatCount(usual),
                                   count == 1 ? "the run" : fmt::format("the {} runs", count)));
}

void RowHistory::Add(int64_t position, int64_t rows) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({position, rows});
}

std::vector<int64_t> RowHistory::Before(const RunInstance& run, int count) const {
  const bool is_whole_table = !run.window && !run.increment;
  std::vector<Entry> before;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (is_whole_table || entry.position < run.Position()) before.push_back(entry);
    }
  }
  std::ranges::sort(before, std::ranges::greater{}, &Entry::position);
  std::vector<int64_t> rows;
  for (const Entry& entry : before) {
    if (static_cast<int>(rows.size()) == count) break;
    rows.push_back(entry.rows);
  }
  return rows;
}

}  // namespace levada::elt
