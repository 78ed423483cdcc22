#pragma once
// For the tests of conversions and of what uses them: columns from JSON, casts by the words of the
// pipeline file, and results as text.

#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>

#include <memory>
#include <string>
#include <vector>

#include "base/testing.h"
#include "conversions/column_cast.h"
#include "elt/type_name.h"

namespace levada::conversions {

/// A type by its name in `cast:`, or one of those that only sources have.
inline std::shared_ptr<arrow::DataType> TypeNamed(const std::string& name) {
  if (name == "float16") return arrow::float16();
  if (name == "large_text") return arrow::large_utf8();
  if (name == "text_view") return arrow::utf8_view();
  if (name == "large_binary") return arrow::large_binary();
  if (name == "binary_view") return arrow::binary_view();
  if (name == "binary3") return arrow::fixed_size_binary(3);
  if (name == "wide(10,2)") return arrow::decimal256(10, 2);
  if (name == "scaled(3,-2)") return arrow::decimal128(3, -2);
  if (name == "null") return arrow::null();
  if (name == "list") return arrow::list(arrow::int64());
  if (name == "struct") return arrow::struct_({arrow::field("a", arrow::int64())});
  if (name == "map") return arrow::map(arrow::utf8(), arrow::int64());
  if (name == "dictionary") return arrow::dictionary(arrow::int8(), arrow::utf8());
  return ValueOf(elt::ParseTypeName(name));
}

inline std::shared_ptr<arrow::Array> ArrayOf(const std::string& type, const std::string& json) {
  if (type.starts_with("scaled")) {  // JSON has no such decimals: what is written is unscaled
    auto data = ArrayOf("decimal(3,0)", json)->data()->Copy();
    data->type = TypeNamed(type);
    return arrow::MakeArray(data);
  }
  return ValueOf(arrow::json::ArrayFromJSONString(TypeNamed(type), json));
}

/// The same values as a part of a longer array: with an offset that no byte or block ends at.
inline std::shared_ptr<arrow::Array> Sliced(const std::shared_ptr<arrow::Array>& array) {
  auto whole = ValueOf(arrow::Concatenate({array, array, array}));
  return whole->Slice(array->length(), array->length());
}

inline CastTarget TargetOf(const std::string& type, const std::string& format = "",
                           const std::string& zone = "") {
  CastTarget target;
  target.type = TypeNamed(type);
  if (!format.empty()) target.format = ValueOf(TimeFormat::Make(format));
  if (!zone.empty()) target.zone = ValueOf(elt::TimeZone::Find(zone));
  return target;
}

/// Value by value as Arrow prints them: "1, null, !out of range" with the reason where one failed.
inline std::string Shown(const CastColumn& column) {
  std::string text;
  size_t failure = 0;
  for (int64_t i = 0; i < column.values->length(); ++i) {
    text += i > 0 ? ", " : "";
    if (failure < column.failures.size() && column.failures[failure].row == i) {
      EXPECT_TRUE(column.values->IsNull(i));
      text += std::string("!") + column.failures[failure++].reason;
    } else {
      text += column.values->IsNull(i) ? "null" : ValueOf(column.values->GetScalar(i))->ToString();
    }
  }
  EXPECT_EQ(failure, column.failures.size()) << "failures in the order of rows, each once";
  return text;
}

/// Casts the array, also as a slice and as nothing, which has to give the same.
inline std::string CastOf(const std::shared_ptr<arrow::Array>& array, const CastTarget& target) {
  auto cast = ValueOf(MakeColumnCast(array->type(), target));
  auto run = [&](const std::shared_ptr<arrow::Array>& values) {
    CastColumn column = ValueOf(cast->Convert(values, arrow::default_memory_pool()));
    EXPECT_THAT(column.values->ValidateFull(), IsOk());
    EXPECT_TRUE(column.values->type()->Equals(*target.type)) << column.values->type()->ToString();
    EXPECT_EQ(column.values->length(), values->length());
    return Shown(column);
  };
  const std::string text = run(array);
  EXPECT_EQ(run(Sliced(array)), text) << "of a slice";
  EXPECT_EQ(run(array->Slice(0, 0)), "") << "of an empty array";
  return text;
}

inline std::string CastOf(const std::string& from, const std::string& json, const std::string& to,
                          const std::string& format = "", const std::string& zone = "") {
  return CastOf(ArrayOf(from, json), TargetOf(to, format, zone));
}

}  // namespace levada::conversions
