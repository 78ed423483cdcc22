#pragma once
// Translate: from the text of a query to what the engine runs, all steps in one. The door of the
// service calls this and nothing below it. Pure: no I/O, no clock; any number of threads.
//
//     text -> tokens -> syntax -> (datasets) query -> SQL of ClickHouse

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "formats/aesql/binder.h"
#include "formats/aesql/problem.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// Longer SQL is refused: the engine's own limit by default (max_query_size).
inline constexpr size_t kEngineBytesMax = 256 << 10;

struct Translation {
  std::string sql;
  Format format = Format::kJson;  ///< of the answer; `sql` says so too
};

/// `sql` is whatever came in. What is refused is the caller's fault (Cloudflare answers 422) and
/// Describe(sql, problem) is for them.
std::variant<Translation, Problem> Translate(std::string_view sql,
                                             std::span<const Dataset> datasets);

}  // namespace levada::aesql
