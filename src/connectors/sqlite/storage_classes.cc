#include "connectors/sqlite/storage_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;

// Rows that are looked at, and for how long: enough for advice, nothing beside a run.
constexpr int kRowsMax = 10'000;
constexpr std::chrono::milliseconds kTimeMax{500};

struct Seen {
  std::vector<std::string> classes;  ///< "INTEGER", the most frequent first; without NULL
  int64_t rows = 0;
};

Result<Seen> Look(const Context& ctx, Database& database, const std::string& from,
                  const std::string& column) {
  const std::string name = QuoteName(column);
  ARROW_ASSIGN_OR_RAISE(
      Statement classes,
      database.Prepare(ctx, fmt::format("SELECT upper(typeof({0})), count(*) FROM (SELECT {0} FROM "
                                        "{1} LIMIT {2}) GROUP BY 1 ORDER BY 2 DESC, 1",
                                        name, from, kRowsMax)));
  Seen seen;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, classes.Step(ctx));
    if (!row) return seen;
    seen.rows += classes.Int64(1);
    if (classes.Text(0) != "NULL") seen.classes.push_back(classes.Text(0));
  }
}

std::string_view TypeFor(const std::vector<std::string>& classes, Affinity affinity) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(classes, name) != classes.end();
  };
  if (classes.size() == 1) {
    if (has("INTEGER")) return "{COLUMN: int64}";
    if (has("TEXT")) return "{COLUMN: text}";
    if (has("BLOB")) return "{COLUMN: binary}";
  }
  const bool numbers = !has("TEXT") && !has("BLOB");
  if (numbers) {
    return affinity == Affinity::kNumeric ? "{COLUMN: \"decimal(18,2)\"}" : "{COLUMN: float64}";
  }
  return "{COLUMN: { mixed: string }}";
}

}  // namespace

Result<std::string> TypeAdvice(const Context& ctx, Database& database, const std::string& from,
                               const std::string& column, Affinity affinity) {
  const Context hurried = ctx.clock == nullptr ? ctx : ctx.Within(kTimeMax);
  const Result<Seen> seen = Look(hurried, database, from, column);
  // Advice is not worth an error of its own, but a stop is one.
  ARROW_RETURN_NOT_OK(ctx.Check());
  if (!seen.ok() || seen->classes.empty()) return std::string();
  std::string list;
  for (const std::string& name : seen->classes) list += (list.empty() ? "" : " and ") + name;
  return fmt::format("its first {} hold {}: say what it is, types: {}",
                     seen->rows == 1 ? "row" : std::to_string(seen->rows) + " rows", list,
                     TypeFor(seen->classes, affinity));
}

}  // namespace levada::sqlite
