#include "formats/pgcopy/captured.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

namespace levada::pgcopy {
namespace {

const std::map<std::string, ValueKind>& Kinds() {
  static const std::map<std::string, ValueKind> kinds = {{"bool", ValueKind::kBool},
                                                         {"int2", ValueKind::kInt2},
                                                         {"int4", ValueKind::kInt4},
                                                         {"int8", ValueKind::kInt8},
                                                         {"oid", ValueKind::kOid},
                                                         {"float4", ValueKind::kFloat4},
                                                         {"float8", ValueKind::kFloat8},
                                                         {"numeric", ValueKind::kNumeric},
                                                         {"text", ValueKind::kText},
                                                         {"char", ValueKind::kInternalChar},
                                                         {"jsonb", ValueKind::kJsonb},
                                                         {"bytea", ValueKind::kBytea},
                                                         {"date", ValueKind::kDate},
                                                         {"time", ValueKind::kTime},
                                                         {"timestamp", ValueKind::kTimestamp},
                                                         {"timestamptz", ValueKind::kTimestamptz},
                                                         {"interval", ValueKind::kInterval},
                                                         {"uuid", ValueKind::kUuid}};
  return kinds;
}

ValuePolicy PolicyOf(const std::string& name) {
  for (const ValuePolicy policy :
       {ValuePolicy::kNull, ValuePolicy::kString, ValuePolicy::kDouble}) {
    if (PolicyName(policy) == name) return policy;
  }
  return ValuePolicy::kError;
}

void ApplyOption(const std::string& option, ColumnType& type) {
  const size_t equals = option.find('=');
  const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
  if (option == "notnull") type.nullable = false;
  if (option == "trim") type.trim = true;
  if (option == "bytes") type.uuid_as_bytes = true;
  if (option.starts_with("special=")) type.special = PolicyOf(value);
  if (option.starts_with("unbounded=")) type.unbounded = PolicyOf(value);
  if (option.starts_with("oid=")) type.element_oid = static_cast<uint32_t>(std::stoul(value));
}

Column ParseColumn(const std::string& text) {
  std::istringstream words(text);
  Column column;
  std::string kind;
  words >> column.name >> kind;
  column.type.array = kind.ends_with("[]");
  if (column.type.array) kind.resize(kind.size() - 2);
  if (const size_t open = kind.find('('); open != std::string::npos) {
    NumericBounds bounds;
    char comma;
    std::istringstream(kind.substr(open + 1)) >> bounds.precision >> comma >> bounds.scale;
    column.type.numeric = bounds;
    kind.resize(open);
  }
  column.type.kind = Kinds().at(kind);
  for (std::string option; words >> option;) ApplyOption(option, column.type);
  return column;
}

/// The next cell of a line of COPY TEXT.
std::optional<std::string> TakeCell(std::string_view& line) {
  std::string cell;
  bool null = false;
  size_t i = 0;
  for (; i < line.size() && line[i] != '\t'; ++i) {
    if (line[i] != '\\') {
      cell += line[i];
      continue;
    }
    const char escaped = line[++i];
    if (escaped == 'N') null = true;
    cell += escaped == 't' ? '\t' : escaped == 'n' ? '\n' : escaped;
  }
  line.remove_prefix(std::min(i + 1, line.size()));
  return null ? std::nullopt : std::optional<std::string>(cell);
}

std::vector<uint8_t> FromHex(std::string_view digits) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Capture Read(const std::filesystem::path& path) {
  Capture capture;
  capture.name = path.stem().string();
  std::ifstream file(path);
  std::string digits;
  enum { kHead, kRows, kHex } part = kHead;
  for (std::string line; std::getline(file, line);) {
    if (part == kHead && line.starts_with("columns:")) {
      std::istringstream columns(line.substr(8));
      for (std::string column; std::getline(columns, column, ';');) {
        if (column != " ") capture.columns.push_back(ParseColumn(column));
      }
    } else if (part == kHead && line == "rows:") {
      part = kRows;
    } else if (part == kRows && line == "hex:") {
      part = kHex;
    } else if (part == kRows) {
      std::string_view rest = line;
      auto& row = capture.rows.emplace_back();
      while (row.size() < capture.columns.size()) row.push_back(TakeCell(rest));
    } else if (part == kHex) {
      digits += line;
    }
  }
  capture.stream = FromHex(digits);
  return capture;
}

int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  // By counting: leap days of whole years before, then whole months.
  static constexpr int64_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int64_t shifted = year + 400'000;  // a multiple of 400, so that all years are positive
  const int64_t y = shifted - 1;
  return 365 * shifted + y / 4 - y / 100 + y / 400 + kBefore[month - 1] +
         (leap && month > 2 ? 1 : 0) + day - 1 -
         (365 * 401'970LL + 401'969 / 4 - 401'969 / 100 + 401'969 / 400);
}

int64_t DaysOf(const std::string& text) {
  long year = 0;
  int month = 0, day = 0;
  std::sscanf(text.c_str(), "%ld-%d-%d", &year, &month, &day);
  return DaysFromCivil(text.ends_with(" BC") ? 1 - year : year, month, day);
}

/// "2026-11-22", then perhaps a time, a zone, " BC".
int64_t MicrosOf(const std::string& text) {
  int hour = 0, minute = 0;
  double second = 0;
  std::sscanf(text.c_str(), "%*d-%*d-%*d %d:%d:%lf", &hour, &minute, &second);
  return (((DaysOf(text) * 24 + hour) * 60 + minute) * 60) * 1'000'000 + std::llround(second * 1e6);
}

std::string DecimalText(std::string digits, int32_t scale) {
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  const size_t places = static_cast<size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, ".");
  return (negative ? "-" : "") + digits;
}

std::string HexText(std::string_view bytes) {
  std::ostringstream out;
  for (const char byte : bytes) {
    const int value = static_cast<uint8_t>(byte);
    out << "0123456789abcdef"[value >> 4] << "0123456789abcdef"[value & 15];
  }
  return out.str();
}

std::string IfEqual(bool equal, const std::string& got) { return equal ? "" : "got " + got; }

std::string CompareText(std::string got, const std::string& text) {
  return IfEqual(got == text, "\"" + got + "\"");
}

std::string CompareNumber(int64_t got, int64_t expected) {
  return IfEqual(got == expected, std::to_string(got));
}

std::string CompareDouble(double got, double expected) {
  const bool equal = std::isnan(expected)
                         ? std::isnan(got)
                         : got == expected && std::signbit(got) == std::signbit(expected);
  return IfEqual(equal, std::to_string(got));
}

std::vector<std::optional<std::string>> ParseArray(const std::string& text) {
  std::vector<std::optional<std::string>> elements;
  size_t i = text.find('{') + 1;
  while (text[i] != '}') {
    if (text[i] == ',') ++i;
    std::string element;
    const bool quoted = text[i] == '"';
    if (quoted) ++i;
    for (; quoted ? text[i] != '"' : text[i] != ',' && text[i] != '}'; ++i) {
      if (text[i] == '\\') ++i;
      element += text[i];
    }
    if (quoted) ++i;
    if (!quoted && element == "NULL") {
      elements.push_back(std::nullopt);
    } else {
      elements.push_back(element);
    }
  }
  return elements;
}

std::string CompareList(const arrow::ListArray& array, int64_t index, ColumnType type,
                        const std::string& text) {
  type.array = false;
  const auto elements = ParseArray(text);
  const std::shared_ptr<arrow::Array> items = array.value_slice(index);
  if (items->length() != static_cast<int64_t>(elements.size())) {
    return "got " + std::to_string(items->length()) + " elements";
  }
  for (int64_t i = 0; i < items->length(); ++i) {
    const std::string difference = Compare(*items, i, type, elements[static_cast<size_t>(i)]);
    if (!difference.empty()) return "element " + std::to_string(i) + ": " + difference;
  }
  return "";
}

std::string CompareUtf8(std::string got, const ColumnType& type, std::string text) {
  if (type.trim) text.erase(text.find_last_not_of(' ') + 1);
  return CompareText(std::move(got), text);
}

std::string ComparePresent(const arrow::Array& array, int64_t index, const ColumnType& type,
                           const std::string& text) {
  using arrow::internal::checked_cast;
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return CompareText(checked_cast<const arrow::BooleanArray&>(array).Value(index) ? "t" : "f",
                         text);
    case arrow::Type::INT16:
      return CompareNumber(checked_cast<const arrow::Int16Array&>(array).Value(index),
                           std::stoll(text));
    case arrow::Type::INT32:
      return CompareNumber(checked_cast<const arrow::Int32Array&>(array).Value(index),
                           std::stoll(text));
    case arrow::Type::INT64:
      return CompareNumber(checked_cast<const arrow::Int64Array&>(array).Value(index),
                           std::stoll(text));
    case arrow::Type::FLOAT:
      return CompareDouble(checked_cast<const arrow::FloatArray&>(array).Value(index),
                           std::strtof(text.c_str(), nullptr));
    case arrow::Type::DOUBLE:
      return CompareDouble(checked_cast<const arrow::DoubleArray&>(array).Value(index),
                           std::strtod(text.c_str(), nullptr));
    case arrow::Type::DATE32:
      return CompareNumber(checked_cast<const arrow::Date32Array&>(array).Value(index),
                           DaysOf(text));
    case arrow::Type::TIME64:
      return CompareNumber(checked_cast<const arrow::Time64Array&>(array).Value(index),
                           MicrosOf("1970-01-01 " + text));
    case arrow::Type::TIMESTAMP:
      return CompareNumber(checked_cast<const arrow::TimestampArray&>(array).Value(index),
                           MicrosOf(text));
    case arrow::Type::DECIMAL128: {
      const auto& decimals = checked_cast<const arrow::Decimal128Array&>(array);
      return CompareText(
          DecimalText(arrow::Decimal128(decimals.GetValue(index)).ToIntegerString(),
                      checked_cast<const arrow::DecimalType&>(*array.type()).scale()),
          text);
    }
    case arrow::Type::DECIMAL256: {
      const auto& decimals = checked_cast<const arrow::Decimal256Array&>(array);
      return CompareText(
          DecimalText(arrow::Decimal256(decimals.GetValue(index)).ToIntegerString(),
                      checked_cast<const arrow::DecimalType&>(*array.type()).scale()),
          text);
    }
    case arrow::Type::STRING:
      return CompareUtf8(checked_cast<const arrow::StringArray&>(array).GetString(index), type,
                         text);
    case arrow::Type::BINARY:
      return CompareText(
          "\\x" + HexText(checked_cast<const arrow::BinaryArray&>(array).GetView(index)), text);
    case arrow::Type::FIXED_SIZE_BINARY: {
      std::string digits = text;
      std::erase(digits, '-');
      return CompareText(
          HexText(checked_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(index)), digits);
    }
    case arrow::Type::LIST:
      return CompareList(checked_cast<const arrow::ListArray&>(array), index, type, text);
    default:
      return "a type no column becomes: " + array.type()->ToString();
  }
}

}  // namespace

std::vector<Capture> ReadCaptures() {
  std::vector<Capture> captures;
  for (const auto& entry : std::filesystem::directory_iterator(LEVADA_TESTDATA "/captures")) {
    captures.push_back(Read(entry.path()));
  }
  std::ranges::sort(captures, {}, &Capture::name);
  EXPECT_FALSE(captures.empty());
  return captures;
}

Capture ReadCapture(const std::string& name) {
  return Read(std::filesystem::path(LEVADA_TESTDATA "/captures") / (name + ".capture"));
}

std::string Compare(const arrow::Array& array, int64_t index, const ColumnType& type,
                    const std::optional<std::string>& text) {
  if (!text) return array.IsNull(index) ? "" : "expected NULL";
  if (array.IsNull(index)) return "got NULL";
  const std::string difference = ComparePresent(array, index, type, *text);
  return difference.empty() ? "" : "expected \"" + *text + "\", " + difference;
}

Decoded DecodeInChunks(const std::vector<Column>& columns, const DecoderOptions& options,
                       std::span<const uint8_t> stream, std::span<const size_t> cuts) {
  Decoded decoded;
  auto decoder = Decoder::Make(columns, options, arrow::default_memory_pool());
  decoded.status = decoder.status();
  if (!decoder.ok()) return decoded;
  const auto take = [&] {
    while ((*decoder)->BatchReady()) decoded.batches.push_back(*(*decoder)->TakeBatch());
  };
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size() && decoded.status.ok(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : stream.size();
    const std::vector<uint8_t> chunk(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                     stream.begin() + static_cast<std::ptrdiff_t>(end));
    decoded.status = (*decoder)->Decode(chunk);
    take();
    begin = end;
  }
  if (decoded.status.ok()) decoded.status = (*decoder)->Finish();
  take();
  decoded.rows = (*decoder)->rows_decoded();
  return decoded;
}

Decoded DecodeBySize(const std::vector<Column>& columns, const DecoderOptions& options,
                     std::span<const uint8_t> stream, size_t size) {
  std::vector<size_t> cuts;
  for (size_t cut = size; cut < stream.size(); cut += size) cuts.push_back(cut);
  return DecodeInChunks(columns, options, stream, cuts);
}

std::string Difference(const Decoded& left, const Decoded& right) {
  if (left.status.ToString() != right.status.ToString()) {
    return left.status.ToString() + " against " + right.status.ToString();
  }
  if (!left.status.ok())
    return "";  // what was ready before the error depends on when it was asked for
  if (left.rows != right.rows || left.batches.size() != right.batches.size()) {
    return "different rows or batches";
  }
  for (size_t i = 0; i < left.batches.size(); ++i) {
    for (const Decoded* side : {&left, &right}) {
      const Status valid = side->batches[i]->ValidateFull();
      if (!valid.ok()) return valid.ToString();
    }
    if (!left.batches[i]->Equals(*right.batches[i], /*check_metadata=*/true,
                                 arrow::EqualOptions::Defaults().nans_equal(true))) {
      return "batch " + std::to_string(i) + " differs";
    }
  }
  return "";
}

namespace {

TEST(CapturesTest, HoldEveryKindWithItsStream) {
  std::vector<bool> seen(Kinds().size());
  for (const Capture& capture : ReadCaptures()) {
    EXPECT_GE(capture.stream.size(), 21u) << capture.name;
    for (const Column& column : capture.columns) seen[static_cast<size_t>(column.type.kind)] = true;
  }
  EXPECT_EQ(std::ranges::count(seen, false), 0);
}

TEST(CapturesTest, AreReadAsTheServerWroteThem) {
  const Capture capture = ReadCapture("text");
  ASSERT_EQ(capture.rows.size(), 40u);
  EXPECT_EQ(capture.rows[1][1], std::nullopt);
  EXPECT_EQ(capture.rows[6][1], "tab\tline\nback\\slash");
  EXPECT_EQ(ParseArray("{a,NULL,\"NULL\",\"q\\\"\"}"),
            (std::vector<std::optional<std::string>>{"a", std::nullopt, "NULL", "q\""}));
  EXPECT_EQ(MicrosOf("1970-01-01"), 0);
  EXPECT_EQ(MicrosOf("1969-12-31 23:59:59.5"), -500'000);
}

}  // namespace
}  // namespace levada::pgcopy
