#pragma once
// D1's requests and answers as JSON: what the v4 door and the binding of Workers share. Pure
// functions. Shapes: platform's D1 client (cloudflare/workerd src/cloudflare/internal/d1-api.ts)
// and Cloudflare's API reference, "Query D1 Database".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/sqlite/request.h"

namespace levada::services::d1 {

constexpr size_t kTextsMax = 10'000;
/// Of an answer's JSON. What is longer is not sent.
constexpr size_t kAnswerTextBytesMax = size_t{256} << 20;

struct ParsedRequest {
  std::optional<std::string> refusal;  ///< why it is none
  std::vector<db::sqlite::SqlText> texts;
  bool is_list = false;  ///< it was a list, and so is its answer
};

/// {"sql","params"?}, a list of them, or {"batch":[...]}. A parameter is a number, a text, null, a
/// boolean (as 1 or 0), or a blob as a list of bytes. A whole number is an INTEGER.
ParsedRequest ParseRequest(std::string_view body);

enum class RowShape : uint8_t {
  kObjects,  ///< [{"a":1}]
  kColumns,  ///< {"columns":["a"],"rows":[[1]]}
};
enum class AnswerItems : uint8_t {
  kStatements,  ///< one for each statement
  kTexts,       ///< one for each SqlText: the rows of its last statement, the sums of all
};

/// The list of results: [{"results":...,"success":true,"meta":{...}}, ...]. `text_count`: of the
/// request. nullopt: it would be longer than `bytes_max`.
std::optional<std::string> ResultsJson(const db::sqlite::SqlAnswer& answer, RowShape shape,
                                       AnswerItems items, size_t text_count,
                                       size_t bytes_max = kAnswerTextBytesMax);

/// {"duration":...,"changes":...,...}: of a result in its answer.
std::string MetaJson(const db::sqlite::SqlResult& result, bool is_changed, int64_t size_bytes);

/// All of an answer as one: sums, and no rows.
db::sqlite::SqlResult SumOf(const db::sqlite::SqlAnswer& answer);

}  // namespace levada::services::d1
