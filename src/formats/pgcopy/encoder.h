#pragma once
// Encoder: values to PostgreSQL's COPY BINARY stream. The decoder's counterpart, for tests, and for
// whoever loads a table.
//
// Call Header, then for each row BeginTuple and one value or Null per field, then Trailer; Bytes is
// the stream so far. An array is BeginArray, its elements, EndArray. Values are in Arrow's units:
// days and microseconds since 1970. That the calls make sense together is the caller's business,
// except where a Status says otherwise.

#include <arrow/status.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::pgcopy {

class Encoder final {
 public:
  void Header();
  void BeginTuple(int16_t field_count);
  void Trailer();

  void Null();
  void Bool(bool value);
  void Int2(int16_t value);
  void Int4(int32_t value);
  void Int8(int64_t value);
  void Oid(uint32_t value);
  void Float4(float value);
  void Float8(double value);
  /// "-12.50", "1e5", "NaN", "Infinity", "-Infinity", with as many decimal places as are written.
  /// Errors: kBadValue for other text, or a number outside NUMERIC's range.
  Status Numeric(std::string_view text);
  /// The same from its parts, as docs/wire/pgcopy.md has them: digits of base 10000, none of them
  /// zero at either end.
  void NumericDigits(bool negative, int16_t weight, uint16_t display_scale,
                     std::span<const uint16_t> digits);
  void Text(std::string_view value);
  void Bytea(std::span<const uint8_t> value);
  /// json text; the version goes in front.
  void Jsonb(std::string_view value);
  /// Errors for the three below: kBadValue out of PostgreSQL's range.
  Status Date(int32_t days);
  Status Time(int64_t micros);
  Status Timestamp(int64_t micros);  ///< and timestamptz
  void DateInfinity(bool negative);
  void TimestampInfinity(bool negative);
  void Interval(int32_t months, int32_t days, int64_t micros);
  void Uuid(std::span<const uint8_t, 16> value);

  /// One dimension of `size` elements, the first numbered `lower_bound`; of size 0: an empty array.
  void BeginArray(uint32_t element_oid, int32_t size, bool has_null, int32_t lower_bound = 1);
  void EndArray();

  std::span<const uint8_t> bytes() const { return bytes_; }
  /// Forgets the stream so far and keeps its memory.
  void Clear() { bytes_.clear(); }
  /// The stream so far; the encoder goes on behind it with none kept.
  std::vector<uint8_t> Take();

 private:
  void Put8(uint8_t value) { bytes_.push_back(value); }
  template <typename Value>
  void PutRaw(Value value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(value));
    std::memcpy(bytes_.data() + at, &value, sizeof(value));
  }
  void Put16(uint16_t value);
  void Put32(uint32_t value);
  void Put64(uint64_t value);
  void PutField(const void* bytes, size_t size);
  void NumericSpecial(uint16_t sign);

  std::vector<uint8_t> bytes_;
  size_t array_start_ = 0;  // of the length of the array that is open
};

}  // namespace levada::pgcopy
