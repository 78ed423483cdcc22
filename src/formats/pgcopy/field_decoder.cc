// The part of RowDecoder that deals with single fields off the common way: special values, text
// forms, arrays, and bytes that are wrong.

#include <arrow/util/utf8.h>

#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "formats/pgcopy/ascii.h"
#include "formats/pgcopy/row_decoder.h"
#include "formats/pgcopy/text_form.h"
#include "formats/pgcopy/wire.h"

namespace levada::pgcopy {

namespace {

constexpr int32_t kArrayHeaderBytes = 12;  // dimensions, flags, element type
constexpr int32_t kDimensionBytes = 8;     // size, lower bound
constexpr int32_t kDimensionsMax = 6;      // MAXDIM
constexpr uint8_t kJsonbVersion = 1;

bool IsUtf8(const uint8_t* bytes, int32_t size) {
  return IsAscii(bytes, size) || arrow::util::ValidateUTF8(bytes, size);
}

int32_t LoadInt32(const uint8_t* from) { return static_cast<int32_t>(LoadBig32(from)); }
int64_t LoadInt64(const uint8_t* from) { return static_cast<int64_t>(LoadBig64(from)); }

std::string SignedInfinity(bool negative) { return negative ? "-infinity" : "infinity"; }

}  // namespace

bool RowDecoder::DecodeField(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  switch (sink.step()) {
    case Step::kBool:
      return DecodeBool(sink, slot, bytes, size);
    case Step::kInt16:
      // Of the right size these never come here, and so below: the common way has no other reason
      // to give up.
      return CheckSize(size, 2);
    case Step::kInt32:
    case Step::kOid:
      return CheckSize(size, 4);
    case Step::kInt64:
      return CheckSize(size, 8);
    case Step::kDate:
    case Step::kDateText:
      return DecodeDate(sink, slot, bytes, size);
    case Step::kTime:
    case Step::kTimeText:
      return DecodeTime(sink, slot, bytes, size);
    case Step::kTimestamp:
    case Step::kTimestamptz:
    case Step::kTimestampText:
    case Step::kTimestamptzText:
      return DecodeTimestamp(sink, slot, bytes, size);
    case Step::kDecimal128:
    case Step::kDecimal256:
    case Step::kNumericText:
    case Step::kNumericDouble:
      return DecodeNumeric(sink, slot, bytes, size);
    case Step::kText:
      return PutText(sink, slot, bytes, size);
    case Step::kCheckedText:
    case Step::kTrimmedText:
      return DecodeText(sink, slot, bytes, size);
    case Step::kInternalChar:
      return DecodeInternalChar(sink, slot, bytes, size);
    case Step::kJsonb:
      return DecodeJsonb(sink, slot, bytes, size);
    case Step::kUuidText:
    case Step::kUuidBytes:
      return DecodeUuid(sink, slot, bytes, size);
    case Step::kInterval:
      return DecodeInterval(sink, slot, bytes, size);
    case Step::kList:
      return DecodeList(sink, slot, bytes, size);
  }
  return Malformed("a step that pgcopy does not know");
}

bool RowDecoder::DecodeBool(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 1)) return false;
  if (*bytes > 1) return Malformed("expected a boolean of 0 or 1, got " + std::to_string(*bytes));
  sink.PutBit(slot, *bytes != 0);
  return true;
}

bool RowDecoder::DecodeDate(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 4)) return false;
  const int32_t days = LoadInt32(bytes);
  const bool infinite =
      days == std::numeric_limits<int32_t>::max() || days == std::numeric_limits<int32_t>::min();
  if (!infinite && (days < kDateMin || days >= kDateEnd)) {
    return Malformed("a date that PostgreSQL does not have");
  }
  if (sink.step() == Step::kDateText) {
    char text[kTextFormSizeMax];
    return PutText(sink, slot, text, RenderDate(days, text) - text);
  }
  return PutSpecial(sink, slot, SignedInfinity(days < 0));
}

bool RowDecoder::DecodeTime(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 8)) return false;
  const int64_t micros = LoadInt64(bytes);
  if (micros < 0 || micros > kMicrosPerDay) {
    return Malformed("a time that PostgreSQL does not have");
  }
  if (sink.step() == Step::kTimeText) {
    char text[kTextFormSizeMax];
    return PutText(sink, slot, text, RenderTime(micros, text) - text);
  }
  return PutSpecial(sink, slot, "24:00:00");
}

bool RowDecoder::DecodeTimestamp(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 8)) return false;
  const int64_t micros = LoadInt64(bytes);
  const bool infinite = micros == std::numeric_limits<int64_t>::max() ||
                        micros == std::numeric_limits<int64_t>::min();
  if (!infinite && (micros < kTimestampMin || micros >= kTimestampEnd)) {
    return Malformed("a timestamp that PostgreSQL does not have");
  }
  if (sink.step() == Step::kTimestampText || sink.step() == Step::kTimestamptzText) {
    char text[kTextFormSizeMax];
    const bool with_zone = sink.step() == Step::kTimestamptzText;
    return PutText(sink, slot, text, RenderTimestamp(micros, with_zone, text) - text);
  }
  // What is left is infinite, or in the last 30 years before 294277, which microseconds since 1970
  // do not reach.
  return PutSpecial(sink, slot,
                    infinite ? SignedInfinity(micros < 0) : "a timestamp after the year 294246");
}

bool RowDecoder::DecodeInterval(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 16)) return false;
  const int64_t micros = LoadInt64(bytes);
  const int32_t days = LoadInt32(bytes + 8);
  const int32_t months = LoadInt32(bytes + 12);
  if (IsInfiniteInterval(months, days, micros) && sink.special() != ValuePolicy::kString) {
    return PutSpecial(sink, slot, SignedInfinity(months < 0));
  }
  char text[kTextFormSizeMax];
  return PutText(sink, slot, text, RenderInterval(months, days, micros, text) - text);
}

bool RowDecoder::DecodeUuid(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 16)) return false;
  if (sink.step() == Step::kUuidBytes) {
    sink.PutSlot(slot, bytes);
    return true;
  }
  if (!Check(sink.ReserveBytes(slot, kUuidTextBytes))) return false;
  RenderUuid(bytes, reinterpret_cast<char*>(sink.Bytes(slot)));
  sink.SetEnd(slot, sink.Offset(slot) + kUuidTextBytes);
  batch_bytes_ += kUuidTextBytes;
  return true;
}

bool RowDecoder::DecodeText(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (sink.step() == Step::kTrimmedText) {
    while (size > 0 && bytes[size - 1] == ' ') --size;
  }
  if (sink.check_utf8() && !IsUtf8(bytes, size)) {
    return Refuse(FaultCode::kInvalidUtf8, "text that is not UTF-8",
                  "select the column with convert_from(), or as bytea");
  }
  return PutText(sink, slot, bytes, size);
}

bool RowDecoder::DecodeInternalChar(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (!CheckSize(size, 1)) return false;
  char text[kTextFormSizeMax];
  return PutText(sink, slot, text, RenderInternalChar(*bytes, text) - text);
}

bool RowDecoder::DecodeJsonb(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (size < 1 || *bytes != kJsonbVersion) {
    return Malformed("expected jsonb of version 1, got " +
                     (size < 1 ? "no version" : "version " + std::to_string(*bytes)));
  }
  return DecodeText(sink, slot, bytes + 1, size - 1);
}

/// The fast way for what the common one does not take: decimal256, and a number at the very end of
/// a chunk.
bool RowDecoder::PutShortDecimal(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  uint8_t padded[16] = {};
  if (size < 8 || size > 16) return false;
  std::memcpy(padded, bytes, static_cast<size_t>(size));
  int64_t value;
  if (!sink.short_numeric().Decode(padded, size, value)) return false;
  const int64_t sign = value >> 63;
  if (sink.step() == Step::kDecimal128) {
    sink.Put(slot, std::array<int64_t, 2>{value, sign});
  } else {
    sink.Put(slot, std::array<int64_t, 4>{value, sign, sign, sign});
  }
  return true;
}

bool RowDecoder::DecodeNumeric(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  const bool decimal = sink.step() == Step::kDecimal128 || sink.step() == Step::kDecimal256;
  if (decimal && PutShortDecimal(sink, slot, bytes, size)) return true;
  const std::optional<NumericView> value = ParseNumeric(bytes, size);
  if (!value) return Malformed("malformed numeric");
  if (value->value_class != NumericView::Class::kFinite) {
    if (decimal || sink.special() == ValuePolicy::kNull) {
      char text[kTextFormSizeMax];
      const char* const end = RenderNumeric(*value, text);
      return PutSpecial(sink, slot, std::string_view(text, static_cast<size_t>(end - text)));
    }
  }
  switch (sink.step()) {
    case Step::kNumericText:
      return PutNumericText(sink, slot, *value);
    case Step::kNumericDouble:
      return PutDouble(sink, slot, *value);
    default:
      return PutDecimal(sink, slot, *value);
  }
}

bool RowDecoder::PutDecimal(Sink& sink, int64_t slot, const NumericView& value) {
  const DecimalShape& shape = sink.decimal();
  const std::optional<DecimalWords> words = ToDecimal(value, shape.precision, shape.scale);
  if (!words) {
    return Refuse(FaultCode::kValueRefused,
                  "a number that does not fit decimal(" + std::to_string(shape.precision) + "," +
                      std::to_string(shape.scale) + ") exactly",
                  "choose a wider decimal, or string");
  }
  if (sink.step() == Step::kDecimal128) {
    sink.Put(slot, std::array<uint64_t, 2>{(*words)[0], (*words)[1]});
  } else {
    sink.Put(slot, *words);
  }
  return true;
}

bool RowDecoder::PutDouble(Sink& sink, int64_t slot, const NumericView& value) {
  const std::optional<double> number = ToDouble(value);
  if (!number) {
    return Refuse(FaultCode::kValueRefused, "a number out of the range of double",
                  "choose string for the column");
  }
  sink.Put(slot, *number);
  return true;
}

bool RowDecoder::PutNumericText(Sink& sink, int64_t slot, const NumericView& value) {
  if (!Check(sink.ReserveBytes(slot, static_cast<int64_t>(RenderedSizeMax(value))))) return false;
  char* const text = reinterpret_cast<char*>(sink.Bytes(slot));
  const char* const end = RenderNumeric(value, text);
  if (end == nullptr) return Malformed("a numeric with digits behind its display scale");
  sink.SetEnd(slot, sink.Offset(slot) + (end - text));
  batch_bytes_ += end - text;
  return true;
}

bool RowDecoder::DecodeList(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size) {
  if (size < kArrayHeaderBytes) {
    return Malformed("expected at least 12 bytes of array, got " + std::to_string(size));
  }
  const int32_t dimensions = LoadInt32(bytes);
  const int32_t flags = LoadInt32(bytes + 4);
  const uint32_t element_oid = LoadBig32(bytes + 8);
  if (dimensions < 0 || dimensions > kDimensionsMax || (flags & ~1) != 0) {
    return Malformed("malformed array");
  }
  if (sink.element_oid() != 0 && element_oid != sink.element_oid()) {
    return Malformed("expected array elements of type " + std::to_string(sink.element_oid()) +
                     ", got " + std::to_string(element_oid));
  }
  if (dimensions > 1) {
    return Refuse(FaultCode::kValueRefused,
                  "an array of " + std::to_string(dimensions) + " dimensions",
                  "choose text for the column, which holds every array");
  }
  if (dimensions == 0) {
    if (!CheckSize(size, kArrayHeaderBytes)) return false;
    sink.SetEnd(slot, sink.Offset(slot));
    return true;
  }
  if (size < kArrayHeaderBytes + kDimensionBytes) return Malformed("malformed array");
  const int32_t count = LoadInt32(bytes + kArrayHeaderBytes);
  const uint8_t* const first = bytes + kArrayHeaderBytes + kDimensionBytes;
  // Each element has a length at least, so this bounds what is reserved for them.
  if (count < 0 || count > (bytes + size - first) / 4) {
    return Malformed("an array of " + std::to_string(count) + " elements in " +
                     std::to_string(size) + " bytes");
  }
  return DecodeItems(sink, slot, first, bytes + size, count);
}

bool RowDecoder::PutText(Sink& sink, int64_t slot, const void* bytes, int64_t size) {
  batch_bytes_ += size;
  return sink.PutBytesIfRoom(slot, static_cast<const uint8_t*>(bytes), size, size) ||
         Check(sink.PutBytes(slot, bytes, size));
}

/// A value that the column's type does not hold, and which nothing but the policy decides about.
bool RowDecoder::PutSpecial(Sink& sink, int64_t slot, std::string_view what) {
  if (sink.special() == ValuePolicy::kNull) return Check(sink.PutNull(slot));
  const bool numeric = sink.step() == Step::kDecimal128 || sink.step() == Step::kDecimal256;
  return Refuse(FaultCode::kValueRefused,
                std::string(what) + ", which the column's Arrow type does not hold",
                numeric ? "choose a policy for it: null, string or double"
                        : "choose a policy for it: null or string");
}

bool RowDecoder::CheckSize(int32_t size, int32_t expected) {
  if (size == expected) return true;
  return Malformed("expected " + std::to_string(expected) + " bytes, got " + std::to_string(size));
}

}  // namespace levada::pgcopy
