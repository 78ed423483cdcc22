#pragma once
// RowCountRule: how many rows a run may publish, by numbers and by what earlier runs had.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "elt/run.h"

namespace levada::elt {

struct RowCountRule {
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  std::optional<int64_t> change_percent;  ///< from the median of earlier runs, up or down
  int history = 7;                        ///< earlier runs that are looked at, at most
};

/// kRowCountRefused. `earlier` are the rows of earlier runs; with none only min and max count.
Status CheckRowCount(const RowCountRule& rule, int64_t rows, std::vector<int64_t> earlier);

/// What runs of a pipeline have published. Thread-safe.
class RowHistory final {
 public:
  /// `position` is RunInstance::Position().
  void Add(int64_t position, int64_t rows);
  /// Of the last `count` runs before `run`; of a whole table, what its publication had before.
  std::vector<int64_t> Before(const RunInstance& run, int count) const;

 private:
  struct Entry {
    int64_t position = 0;
    int64_t rows = 0;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace levada::elt
