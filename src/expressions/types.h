#pragma once
// Types: what the operators of expressions make of the types on both sides. All decisions are made
// before a row is read, and none of them loses a digit: what has no exact type for both is refused.

#include <arrow/type.h>

#include <memory>

namespace levada::expressions {

using TypePtr = std::shared_ptr<arrow::DataType>;

bool IsInteger(const arrow::DataType& type);
bool IsDecimal(const arrow::DataType& type);
bool IsFloat(const arrow::DataType& type);
bool IsNumber(const arrow::DataType& type);
bool IsText(const arrow::DataType& type);
bool IsTimestamp(const arrow::DataType& type);

/// decimal(p,s) of 128 bits where it fits and else of 256; null above 76 digits.
TypePtr DecimalOf(int precision, int scale);
/// The decimal that holds every value of an integer type; a decimal itself.
TypePtr AsDecimal(const TypePtr& type);

/// The type in which both are compared, and chosen between: int64 of integers, the decimal that
/// holds both, float64 as soon as one is a float, the finer unit of times. The null type yields to
/// every other. Null where there is none.
TypePtr JointType(const TypePtr& left, const TypePtr& right);

/// The type of + - *; null where there is none: a decimal of more than 76 digits, or no number.
TypePtr ArithmeticType(char symbol, const TypePtr& left, const TypePtr& right);

}  // namespace levada::expressions
