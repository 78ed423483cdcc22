#include "formats/aesql/types.h"

#include <array>

namespace levada::aesql {

std::string_view NameOf(Kind kind) {
  constexpr std::array<std::string_view, 8> kNames = {"integer",  "double", "string",   "boolean",
                                                      "datetime", "date",   "interval", "list"};
  return kNames[static_cast<size_t>(kind)];
}

bool IsNumber(Kind kind) {
  return kind == Kind::kInteger || kind == Kind::kDouble || kind == Kind::kBoolean;
}

bool IsTime(Kind kind) { return kind == Kind::kTime || kind == Kind::kDate; }

const std::vector<Column>& DatasetColumns() {
  static const std::vector<Column> kColumns = [] {
    constexpr int kBlobs = 20, kDoubles = 20;  // as many as writeDataPoint takes
    std::vector<Column> columns = {{"dataset", {Kind::kText, ""}, "String"},
                                   {"timestamp", {Kind::kTime, ""}, "DateTime('Etc/UTC')"},
                                   {"_sample_interval", {Kind::kInteger, ""}, "UInt32"},
                                   {"index1", {Kind::kText, ""}, "String"}};
    for (int i = 1; i <= kBlobs; ++i) {
      columns.push_back({"blob" + std::to_string(i), {Kind::kText, ""}, "String"});
    }
    for (int i = 1; i <= kDoubles; ++i) {
      columns.push_back({"double" + std::to_string(i), {Kind::kDouble, ""}, "Float64"});
    }
    return columns;
  }();
  return kColumns;
}

}  // namespace levada::aesql
