// Any bytes as an expression. Invariants: nothing is read or written out of bounds, problems lie
// within the text, values are valid and of the promised type, and each row alone gives what it
// gives among the others.

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>

#include <string>

#include "elt/type_name.h"
#include "expressions/expression.h"

namespace levada::expressions {
namespace {

void Require(bool holds, const std::string& what) {
  if (!holds) Status::Invalid(what).Abort();
}

std::shared_ptr<arrow::RecordBatch> MakeRows() {
  const std::pair<const char*, const char*> columns[] = {
      {"int64", "[0, -1, 9223372036854775807, null]"},
      {"int16", "[1, 0, -32768, null]"},
      {"uint64", "[0, 1, 18446744073709551615, null]"},
      {"float64", "[0, -1.5, 1e300, null]"},
      {"decimal(15,2)", R"(["0.00", "-1.25", "9999999999999.99", null])"},
      {"decimal(60,10)", R"(["0.0000000000", "1.0000000001", "-2.0000000000", null])"},
      {"text", R"(["", "x", "12", null])"},
      {"binary", R"(["", "x", "y", null])"},
      {"date", "[0, -719528, 2932896, null]"},
      {"time", "[0, 1, 86399999999, null]"},
      {"timestamp", "[0, -1, 253402300799999999, null]"},
      {"timestamp(us, UTC)", "[0, -1, 253402300799999999, null]"},
      {"bool", "[true, false, true, null]"}};
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [type_name, json] : columns) {
    const auto type = elt::ParseTypeName(type_name).ValueOrDie();
    fields.push_back(arrow::field(std::string(1, static_cast<char>('a' + fields.size())), type));
    arrays.push_back(arrow::json::ArrayFromJSONString(type, json).ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 4, arrays);
}

void TryExpression(std::string_view text) {
  static const auto kRows = MakeRows();
  const Compiled compiled = Compile(text, *kRows->schema());
  Require((compiled.expression == nullptr) == !compiled.problems.empty(),
          "nothing, without a reason");
  for (const Problem& problem : compiled.problems) {
    Require(problem.range.begin <= problem.range.end && problem.range.end <= text.size(),
            "no place");
    Require(!problem.message.empty(), "no message");
  }
  if (compiled.expression == nullptr) return;
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  const auto whole = compiled.expression->Evaluate(*kRows, pool);
  if (!whole.ok()) return;  // out of memory, a text of more than 2 GiB
  Require(whole->values->length() == 4, "rows");
  Require(whole->values->type()->Equals(*compiled.expression->type()), "another type");
  Require(whole->values->ValidateFull().ok(), "invalid values");
  size_t failure = 0;
  for (int64_t row = 0; row < 4; ++row) {
    const auto alone = compiled.expression->Evaluate(*kRows->Slice(row, 1), pool);
    Require(alone.ok(), "one row fails where four do not");
    const bool failed = failure < whole->failures.size() && whole->failures[failure].row == row;
    Require(failed == !alone->failures.empty(), "another failure");
    if (failed) ++failure;
    Require(alone->values->Equals(whole->values->Slice(row, 1),
                                  arrow::EqualOptions::Defaults().nans_equal(true)),
            "another value");
  }
}

}  // namespace
}  // namespace levada::expressions

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::expressions::TryExpression({reinterpret_cast<const char*>(data), size});
  return 0;
}
