#include "conversions/column_cast.h"

#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>

#include <string>
#include <utility>

#include "conversions/cast_targets.h"
#include "elt/type_name.h"

namespace levada::conversions {
bool IsZoned(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !arrow::internal::checked_cast<const arrow::TimestampType&>(type).timezone().empty();
}

namespace {

using arrow::Type;
using CastResult = Result<std::unique_ptr<ColumnCast>>;

/// The column as it is: the types are equal.
class Identity final : public ColumnCast {
 public:
  Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& values,
                             arrow::MemoryPool*) const override {
    return CastColumn{values, {}};
  }
};

/// Only the type changes, not a value: from zone to zone.
class Relabel final : public ColumnCast {
 public:
  explicit Relabel(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}
  Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& values,
                             arrow::MemoryPool*) const override {
    ARROW_ASSIGN_OR_RAISE(auto view, values->View(type_));
    return CastColumn{std::move(view), {}};
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
};

/// A column without values of a type without values.
class AllNull final : public ColumnCast {
 public:
  explicit AllNull(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}
  Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& values,
                             arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type_, values->length(), pool));
    return CastColumn{std::move(nulls), {}};
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
};

/// Converts each value of the dictionary once, then follows the indices.
class DictionaryCast final : public ColumnCast {
 public:
  DictionaryCast(std::unique_ptr<ColumnCast> values, std::shared_ptr<arrow::DataType> type)
      : values_(std::move(values)), type_(std::move(type)) {}

  Result<CastColumn> Convert(const std::shared_ptr<arrow::Array>& array,
                             arrow::MemoryPool* pool) const override {
    const auto& dictionary = arrow::internal::checked_cast<const arrow::DictionaryArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(CastColumn converted, values_->Convert(dictionary.dictionary(), pool));
    std::vector<const char*> problems(converted.values->length());
    for (const CastFailure& failure : converted.failures) problems[failure.row] = failure.reason;
    std::unique_ptr<arrow::ArrayBuilder> builder;
    ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, type_, &builder));
    ARROW_RETURN_NOT_OK(builder->Reserve(array->length()));
    CastColumn column;
    for (int64_t i = 0; i < array->length(); ++i) {
      if (array->IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      const int64_t index = dictionary.GetValueIndex(i);
      if (problems[index] != nullptr) column.failures.push_back({i, problems[index]});
      ARROW_RETURN_NOT_OK(
          builder->AppendArraySlice(arrow::ArraySpan(*converted.values->data()), index, 1));
    }
    ARROW_RETURN_NOT_OK(builder->Finish(&column.values));
    return column;
  }

 private:
  const std::unique_ptr<ColumnCast> values_;
  const std::shared_ptr<arrow::DataType> type_;
};

Fault NoCast(const arrow::DataType& from, const arrow::DataType& to, const std::string& because,
             std::string help) {
  return Fault(FaultCode::kBadCast, "no cast from " + elt::TypeName(from) + " to " +
                                        elt::TypeName(to) + (because.empty() ? "" : ": ") + because)
      .Help(std::move(help));
}

CastResult MakeFor(const arrow::DataType& from, const CastTarget& to) {
  std::unique_ptr<ColumnCast> cast;
  switch (to.type->id()) {
    case Type::STRING:
    case Type::BINARY:
      cast = MakeTextCast(from, to);
      break;
    case Type::DATE32:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
      cast = MakeTimeCast(from, to);
      break;
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      cast = MakeNumberCast(from, to);
      break;
    default:
      cast = MakeIntegerCast(from, to);
  }
  if (cast != nullptr) return cast;
  return NoCast(from, *to.type, "", "cast to text first, or compute the column in the source");
}

bool IsText(const arrow::DataType& type) {
  return type.id() == Type::STRING || type.id() == Type::LARGE_STRING ||
         type.id() == Type::STRING_VIEW;
}

arrow::TimeUnit::type UnitOf(const arrow::DataType& timestamp) {
  return arrow::internal::checked_cast<const arrow::TimestampType&>(timestamp).unit();
}

/// Whether values of both kinds, with and without an offset, may meet in this cast.
bool CrossesZones(const arrow::DataType& from, const arrow::DataType& to) {
  const bool from_time = from.id() == Type::TIMESTAMP;
  if (to.id() == Type::TIMESTAMP) {
    return IsText(from) ||
           ((from_time || from.id() == Type::DATE32) && IsZoned(from) != IsZoned(to));
  }
  return to.id() == Type::DATE32 && from_time && IsZoned(from);
}

Status CheckOptions(const arrow::DataType& from, const CastTarget& to) {
  const bool crosses = CrossesZones(from, *to.type);
  if (crosses && !to.zone && !IsText(from)) {
    return NoCast(from, *to.type, "it depends on whose clock is meant",
                  "say so, timezone: UTC or timezone: Europe/Lisbon");
  }
  if (to.zone && !crosses) {
    return NoCast(from, *to.type, "timezone has no meaning here", "leave timezone out");
  }
  if (!to.format) return Status::OK();
  const bool date = to.type->id() == Type::DATE32 || to.type->id() == Type::TIMESTAMP;
  const bool time = to.type->id() == Type::TIME32 || to.type->id() == Type::TIME64;
  if (!IsText(from) || !(date || time)) {
    return NoCast(from, *to.type, "format is for texts that become dates or times",
                  "leave format out");
  }
  if (date && !to.format->has_date()) {
    return NoCast(from, *to.type, "the format has no date", "add %Y, %m and %d");
  }
  if (time && (to.format->has_date() || !to.format->has_time())) {
    return NoCast(from, *to.type, "the format is not of a time alone",
                  "use %H, %M, %S and %f only");
  }
  if (to.type->id() == Type::DATE32 && to.format->has_zone()) {
    return NoCast(from, *to.type, "the format has an offset, which a date has no place for",
                  "cast to a timestamp");
  }
  return Status::OK();
}

}  // namespace

CastResult MakeColumnCast(const std::shared_ptr<arrow::DataType>& from, const CastTarget& to) {
  if (from->id() == Type::DICTIONARY) {
    const auto& values =
        arrow::internal::checked_cast<const arrow::DictionaryType&>(*from).value_type();
    ARROW_ASSIGN_OR_RAISE(auto cast, MakeColumnCast(values, to));
    return std::make_unique<DictionaryCast>(std::move(cast), to.type);
  }
  if (from->id() == Type::NA) return std::make_unique<AllNull>(to.type);
  ARROW_RETURN_NOT_OK(CheckOptions(*from, to));
  if (from->Equals(*to.type)) return std::make_unique<Identity>();
  if (IsZoned(*from) && IsZoned(*to.type) && UnitOf(*from) == UnitOf(*to.type)) {
    return std::make_unique<Relabel>(to.type);
  }
  return MakeFor(*from, to);
}

}  // namespace levada::conversions
