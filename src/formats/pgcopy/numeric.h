#pragma once
// PostgreSQL's NUMERIC on the wire: a header of four 16-bit words and base-10000 digits, most
// significant first.
//
//     ndigits  weight  sign  display scale   digit[0] ... digit[ndigits - 1]
//
// The value is the sum of digit[i] * 10000^(weight - i). The server strips zero digits at both
// ends; we accept them. This is the general way, for any width; numbers of a few digits take
// short_numeric.h. Source: numeric_send, numeric_recv and get_str_from_var in
// src/backend/utils/adt/numeric.c.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace levada::pgcopy {

/// A parsed field. Borrows the digits from the field's bytes.
struct NumericView {
  enum class Class : uint8_t { kFinite, kNaN, kPositiveInfinity, kNegativeInfinity };
  Class value_class;
  bool negative;
  int32_t digit_count;
  int32_t weight;
  int32_t display_scale;
  const uint8_t* digits;  ///< big-endian 16-bit words
};

/// Absent when the bytes are no numeric: a length that does not follow from the count of digits, a
/// digit over 9999, an unknown sign, a display scale over 16383.
std::optional<NumericView> ParseNumeric(const uint8_t* bytes, int32_t size);

/// 256 bits of two's complement, least significant word first; the first two words alone are the
/// 128-bit form.
using DecimalWords = std::array<uint64_t, 4>;

/// value * 10^scale. Absent when that is not an integer of at most `precision` digits (at most 76).
/// Precondition: finite.
std::optional<DecimalWords> ToDecimal(const NumericView& value, int32_t precision, int32_t scale);

/// Upper bound of what RenderNumeric writes.
size_t RenderedSizeMax(const NumericView& value);
/// Writes PostgreSQL's text form: all of the display scale, "NaN", "Infinity". Returns the end of
/// it, or nullptr when the digits go on behind the display scale, which the server never sends.
char* RenderNumeric(const NumericView& value, char* out);

/// The nearest double. Absent when that is out of range; NaN and infinities are themselves.
std::optional<double> ToDouble(const NumericView& value);

}  // namespace levada::pgcopy
