#include "connectors/parquet/hive.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace levada::parquet {
namespace {

using arrow::internal::checked_cast;

bool MustBeEscaped(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f ||
         std::string_view("\"#%'*/:=?\\^[]{").find(c) != std::string_view::npos;
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

Fault Refused(FaultCode code, std::string_view column, const std::string& why) {
  return Fault(code, fmt::format("column \"{}\": {}", column, why))
      .With("column", std::string(column));
}

// Days since 1970-01-01 as "2026-01-31"; years outside 0..9999 are no dates to a reader.
Result<std::string> DateText(std::string_view column, int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999 || days > 2'932'896 || days < -719'528) {
    return Refused(FaultCode::kValueRefused, column,
                   fmt::format("a directory holds dates of the years 0 to 9999, got day {}", days));
  }
  return fmt::format("{:04}-{:02}-{:02}", year, static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Result<std::string> CheckedText(std::string_view column, std::string_view text) {
  if (text.empty()) {
    return Refused(FaultCode::kValueRefused, column,
                   "an empty text cannot be a directory: readers would take it for NULL")
        .Help("give the empty value a name, or leave the column out of partition_by");
  }
  if (text == kHiveNull) {
    return Refused(FaultCode::kValueRefused, column,
                   fmt::format("\"{}\" cannot be a directory: it stands for NULL", text));
  }
  if (!arrow::util::ValidateUTF8(text)) {
    return Refused(FaultCode::kInvalidUtf8, column, "a directory's name must be valid UTF-8");
  }
  return std::string(text);
}

template <typename ArrayType>
std::string IntegerText(const arrow::Array& values, int64_t row) {
  return std::to_string(checked_cast<const ArrayType&>(values).Value(row));
}

Result<std::string> ValueText(std::string_view column, const arrow::Array& values, int64_t row) {
  using arrow::Type;
  switch (values.type_id()) {
    case Type::BOOL:
      return checked_cast<const arrow::BooleanArray&>(values).Value(row) ? "true" : "false";
    case Type::INT8:
      return IntegerText<arrow::Int8Array>(values, row);
    case Type::INT16:
      return IntegerText<arrow::Int16Array>(values, row);
    case Type::INT32:
      return IntegerText<arrow::Int32Array>(values, row);
    case Type::INT64:
      return IntegerText<arrow::Int64Array>(values, row);
    case Type::UINT8:
      return IntegerText<arrow::UInt8Array>(values, row);
    case Type::UINT16:
      return IntegerText<arrow::UInt16Array>(values, row);
    case Type::UINT32:
      return IntegerText<arrow::UInt32Array>(values, row);
    case Type::UINT64:
      return IntegerText<arrow::UInt64Array>(values, row);
    case Type::DATE32:
      return DateText(column, checked_cast<const arrow::Date32Array&>(values).Value(row));
    case Type::STRING:
      return CheckedText(column, checked_cast<const arrow::StringArray&>(values).GetView(row));
    case Type::LARGE_STRING:
      return CheckedText(column, checked_cast<const arrow::LargeStringArray&>(values).GetView(row));
    default:
      return Refused(FaultCode::kInternal, column, "type was not checked at plan time");
  }
}

}  // namespace

std::string EscapeHive(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (MustBeEscaped(c)) {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::string UnescapeHive(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      plain.push_back(text[i]);
      continue;
    }
    plain.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return plain;
}

Status CheckPartitionColumn(const arrow::Field& field) {
  using arrow::Type;
  switch (field.type()->id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::DATE32:
    case Type::STRING:
    case Type::LARGE_STRING:
      return Status::OK();
    default:
      return Refused(FaultCode::kBadLayout, field.name(),
                     fmt::format("partition_by: expected booleans, integers, text or dates, got {}",
                                 field.type()->ToString()))
          .Help("cast the column to date or text, or partition by another one");
  }
}

Result<std::string> HiveDirectory(std::string_view column, const arrow::Array& values,
                                  int64_t row) {
  std::string text(kHiveNull);
  if (values.IsValid(row)) {
    ARROW_ASSIGN_OR_RAISE(text, ValueText(column, values, row));
    text = EscapeHive(text);
  }
  std::string directory = fmt::format("{}={}", EscapeHive(column), text);
  if (directory.size() <= kDirectoryNameBytesMax) return directory;
  return Refused(FaultCode::kValueRefused, column,
                 fmt::format("a directory's name may have {} bytes, got {}", kDirectoryNameBytesMax,
                             directory.size()))
      .Help("leave the column out of partition_by");
}

Result<std::shared_ptr<arrow::Scalar>> HiveValue(std::string_view directory,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  const size_t equals = directory.find('=');
  const std::string_view escaped =
      equals == std::string_view::npos ? "" : directory.substr(equals + 1);
  if (escaped == kHiveNull) return arrow::MakeNullScalar(type);
  auto parsed = arrow::Scalar::Parse(type, UnescapeHive(escaped));
  if (!parsed.ok() || equals == std::string_view::npos) {
    return Fault(
        FaultCode::kManifestCorrupt,
        fmt::format("directory \"{}\": expected a value of type {}", directory, type->ToString()));
  }
  return parsed;
}

}  // namespace levada::parquet
