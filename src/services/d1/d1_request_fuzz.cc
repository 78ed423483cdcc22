// What of D1 reads bytes of clients: requests, and their values on the way back as an answer.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "services/d1/d1_json.h"

namespace levada::services::d1 {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadRequest(std::string_view text) {
  const ParsedRequest request = ParseRequest(text);
  if (request.refusal) {
    Check(request.texts.empty() && !request.refusal->empty());
    return;
  }
  Check(!request.texts.empty() && request.texts.size() <= kTextsMax);
  db::sqlite::SqlAnswer answer;
  for (size_t i = 0; i < request.texts.size(); ++i) {
    db::sqlite::SqlResult result;
    result.text = i;
    for (size_t column = 0; column < request.texts[i].parameters.size(); ++column) {
      result.columns.push_back(request.texts[i].sql);
    }
    result.rows.push_back(request.texts[i].parameters);
    answer.results.push_back(std::move(result));
  }
  constexpr size_t kBytesMax = 1 << 20;
  for (const RowShape shape : {RowShape::kObjects, RowShape::kColumns}) {
    const auto json =
        ResultsJson(answer, shape, AnswerItems::kTexts, request.texts.size(), kBytesMax);
    if (!json) continue;
    const Json items = ParseJson(*json);
    Check(items.is_array() && items.size() == request.texts.size());
  }
}

}  // namespace
}  // namespace levada::services::d1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::services::d1::ReadRequest({reinterpret_cast<const char*>(data), size});
  return 0;
}
