#include "formats/chnative/type.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace levada::chnative {
namespace {

// Of FixedString: the largest that ClickHouse makes.
constexpr int64_t kFixedStringMax = 0xFFFFFF;
constexpr size_t kShownMax = 200;
constexpr int kNumberPrecisionMax = 76;

std::string Shown(std::string_view name) {
  std::string text(name.substr(0, kShownMax));
  if (name.size() > kShownMax) text += "...";
  return "\"" + text + "\"";
}

struct SimpleName {
  std::string_view name;
  Kind kind;
  int bits;
};
constexpr SimpleName kSimpleNames[] = {
    {"Int8", Kind::kInt, 8},           {"Int16", Kind::kInt, 16},
    {"Int32", Kind::kInt, 32},         {"Int64", Kind::kInt, 64},
    {"Int128", Kind::kInt, 128},       {"Int256", Kind::kInt, 256},
    {"UInt8", Kind::kUInt, 8},         {"UInt16", Kind::kUInt, 16},
    {"UInt32", Kind::kUInt, 32},       {"UInt64", Kind::kUInt, 64},
    {"UInt128", Kind::kUInt, 128},     {"UInt256", Kind::kUInt, 256},
    {"Float32", Kind::kFloat, 32},     {"Float64", Kind::kFloat, 64},
    {"BFloat16", Kind::kBFloat16, 16}, {"Bool", Kind::kBool, 8},
    {"String", Kind::kString, 0},      {"Date", Kind::kDate, 16},
    {"Date32", Kind::kDate32, 32},     {"UUID", Kind::kUuid, 128},
    {"IPv4", Kind::kIPv4, 32},         {"IPv6", Kind::kIPv6, 128},
    {"Nothing", Kind::kNothing, 8},
};
/// Names that stand for compositions of Float64.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"Point", "Tuple(Float64, Float64)"},     {"Ring", "Array(Point)"},
    {"LineString", "Array(Point)"},           {"Polygon", "Array(Ring)"},
    {"MultiLineString", "Array(LineString)"}, {"MultiPolygon", "Array(Polygon)"},
};

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || (c >= '0' && c <= '9'); }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Result<Type> Whole() {
    ARROW_ASSIGN_OR_RAISE(Type type, One(0));
    Blanks();
    if (!rest_.empty()) return Bad("expected its end");
    return type;
  }

 private:
  Result<Type> One(int depth) {
    if (depth > kDepthMax) return Bad("nested deeper than " + std::to_string(kDepthMax));
    ARROW_ASSIGN_OR_RAISE(const std::string name, Word());
    for (const SimpleName& simple : kSimpleNames) {
      if (name == simple.name) return Type{.kind = simple.kind, .bits = simple.bits};
    }
    for (const auto& [alias, meaning] : kAliases) {
      if (name == alias) return Parser(meaning).One(depth + 1);
    }
    if (name.starts_with("Interval")) return Type{.kind = Kind::kInterval, .bits = 64};
    if (name == "JSON") {
      ARROW_RETURN_NOT_OK(SkipArguments());
      return Type{.kind = Kind::kJson};
    }
    if (name == "DateTime") return DateTimeType();
    return Parametric(name, depth);
  }

  Result<Type> Parametric(const std::string& name, int depth) {
    if (name == "Nullable") return Wrapped(Kind::kNullable, depth);
    if (name == "LowCardinality") return Wrapped(Kind::kLowCardinality, depth);
    if (name == "Array") return Wrapped(Kind::kArray, depth);
    if (name == "Map") return MapType(depth);
    if (name == "Tuple") return TupleType(depth);
    if (name == "Nested") {
      ARROW_ASSIGN_OR_RAISE(Type tuple, TupleType(depth + 1));
      Type array{.kind = Kind::kArray};
      array.children.push_back(std::move(tuple));
      return array;
    }
    if (name == "FixedString") {
      ARROW_RETURN_NOT_OK(Expect('('));
      ARROW_ASSIGN_OR_RAISE(const int64_t length, Number(1, kFixedStringMax));
      ARROW_RETURN_NOT_OK(Expect(')'));
      return Type{.kind = Kind::kFixedString, .length = length};
    }
    if (name == "DateTime64") return DateTime64Type();
    if (name.starts_with("Decimal")) return DecimalType(name);
    if (name == "Enum8") return EnumType(8);
    if (name == "Enum16") return EnumType(16);
    if (name == "SimpleAggregateFunction") return SimpleAggregate(depth);
    return Unsupported(name);
  }

  Result<Type> Wrapped(Kind kind, int depth) {
    ARROW_RETURN_NOT_OK(Expect('('));
    ARROW_ASSIGN_OR_RAISE(Type child, One(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(')'));
    const Kind inner = child.kind;
    const bool fits = kind == Kind::kArray ||
                      (kind == Kind::kNullable
                           ? inner != Kind::kNullable && inner != Kind::kLowCardinality &&
                                 inner != Kind::kArray && inner != Kind::kMap
                           : FitsDictionary(inner == Kind::kNullable ? child.children[0] : child));
    if (!fits) return Bad("a type that cannot stand there");
    Type type{.kind = kind};
    type.children.push_back(std::move(child));
    return type;
  }

  static bool FitsDictionary(const Type& type) {
    switch (type.kind) {
      case Kind::kNullable:
      case Kind::kLowCardinality:
      case Kind::kArray:
      case Kind::kTuple:
      case Kind::kMap:
      case Kind::kJson:
        return false;
      default:
        return true;
    }
  }

  Result<Type> MapType(int depth) {
    ARROW_RETURN_NOT_OK(Expect('('));
    ARROW_ASSIGN_OR_RAISE(Type key, One(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(','));
    ARROW_ASSIGN_OR_RAISE(Type value, One(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(')'));
    const bool nullable = key.kind == Kind::kNullable || (key.kind == Kind::kLowCardinality &&
                                                          key.children[0].kind == Kind::kNullable);
    if (nullable) return Bad("keys of a Map that may be NULL");
    Type type{.kind = Kind::kMap};
    type.children.push_back(std::move(key));
    type.children.push_back(std::move(value));
    return type;
  }

  Result<Type> TupleType(int depth) {
    ARROW_RETURN_NOT_OK(Expect('('));
    Type type{.kind = Kind::kTuple};
    if (Take(')')) return Unsupported("Tuple()");
    do {
      ARROW_ASSIGN_OR_RAISE(std::optional<std::string> name, FieldName());
      ARROW_ASSIGN_OR_RAISE(Type child, One(depth + 1));
      type.children.push_back(std::move(child));
      type.field_names.push_back(name ? *std::move(name) : std::to_string(type.children.size()));
    } while (Take(','));
    ARROW_RETURN_NOT_OK(Expect(')'));
    return type;
  }

  /// The name of a field, where one stands before its type.
  Result<std::optional<std::string>> FieldName() {
    Blanks();
    if (!rest_.empty() && (rest_.front() == '`' || rest_.front() == '"')) {
      ARROW_ASSIGN_OR_RAISE(std::string name, Quoted());
      return name;
    }
    size_t size = 0;
    while (size < rest_.size() && (IsWord(rest_[size]) || rest_[size] == '.')) ++size;
    // A type's name is followed by its arguments, a comma or the end; a field's by its type.
    if (size == 0 || size + 1 >= rest_.size() || rest_[size] != ' ') {
      return std::optional<std::string>();
    }
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }

  Result<Type> DateTimeType() {
    if (Take('(')) {
      ARROW_RETURN_NOT_OK(Quoted().status());  // its zone is for display: the value is an instant
      ARROW_RETURN_NOT_OK(Expect(')'));
    }
    return Type{.kind = Kind::kDateTime, .bits = 32};
  }

  Result<Type> DateTime64Type() {
    ARROW_RETURN_NOT_OK(Expect('('));
    ARROW_ASSIGN_OR_RAISE(const int64_t scale, Number(0, 9));
    if (Take(',')) ARROW_RETURN_NOT_OK(Quoted().status());
    ARROW_RETURN_NOT_OK(Expect(')'));
    return Type{.kind = Kind::kDateTime64, .bits = 64, .scale = static_cast<int>(scale)};
  }

  Result<Type> DecimalType(const std::string& name) {
    Type type{.kind = Kind::kDecimal};
    ARROW_RETURN_NOT_OK(Expect('('));
    if (name == "Decimal") {
      ARROW_ASSIGN_OR_RAISE(const int64_t precision, Number(1, kNumberPrecisionMax));
      ARROW_RETURN_NOT_OK(Expect(','));
      type.precision = static_cast<int>(precision);
    } else if (name == "Decimal32") {
      type.precision = 9;
    } else if (name == "Decimal64") {
      type.precision = 18;
    } else if (name == "Decimal128") {
      type.precision = 38;
    } else if (name == "Decimal256") {
      type.precision = kNumberPrecisionMax;
    } else {
      return Unsupported(name);
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t scale, Number(0, type.precision));
    ARROW_RETURN_NOT_OK(Expect(')'));
    type.scale = static_cast<int>(scale);
    type.bits = type.precision <= 9    ? 32
                : type.precision <= 18 ? 64
                : type.precision <= 38 ? 128
                                       : 256;
    return type;
  }

  Result<Type> EnumType(int bits) {
    Type type{.kind = Kind::kEnum, .bits = bits};
    const int64_t most = (int64_t{1} << (bits - 1)) - 1;
    ARROW_RETURN_NOT_OK(Expect('('));
    do {
      ARROW_ASSIGN_OR_RAISE(std::string name, Quoted());
      ARROW_RETURN_NOT_OK(Expect('='));
      ARROW_ASSIGN_OR_RAISE(const int64_t value, Number(-most - 1, most));
      type.enum_values.push_back({std::move(name), static_cast<int16_t>(value)});
    } while (Take(','));
    ARROW_RETURN_NOT_OK(Expect(')'));
    return type;
  }

  /// On the wire it is what it is made of: its last argument.
  Result<Type> SimpleAggregate(int depth) {
    ARROW_RETURN_NOT_OK(Expect('('));
    ARROW_RETURN_NOT_OK(Word().status());
    ARROW_RETURN_NOT_OK(SkipArguments());
    ARROW_RETURN_NOT_OK(Expect(','));
    ARROW_ASSIGN_OR_RAISE(Type type, One(depth + 1));
    ARROW_RETURN_NOT_OK(Expect(')'));
    return type;
  }

  /// Balanced parentheses, if they are next, with whatever is in them.
  Status SkipArguments() {
    Blanks();
    if (rest_.empty() || rest_.front() != '(') return Status::OK();
    int depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '\'' || c == '`' || c == '"') {
        ARROW_RETURN_NOT_OK(Quoted().status());
        continue;
      }
      rest_.remove_prefix(1);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth == 0) return Status::OK();
    }
    return Bad("a parenthesis that is not closed");
  }

  Result<std::string> Word() {
    Blanks();
    size_t size = 0;
    while (size < rest_.size() && IsWord(rest_[size])) ++size;
    if (size == 0) return Bad("expected a name");
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return word;
  }

  Result<int64_t> Number(int64_t least, int64_t most) {
    Blanks();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < least || value > most) {
      return Bad("expected a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  /// A text in quotes of whichever kind, with backslashes.
  Result<std::string> Quoted() {
    Blanks();
    if (rest_.empty()) return Bad("expected a text in quotes");
    const char quote = rest_.front();
    if (quote != '\'' && quote != '`' && quote != '"') return Bad("expected a text in quotes");
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (c == '\\' && i + 1 < rest_.size()) c = Unescaped(rest_[++i]);
      text.push_back(c);
    }
    return Bad("a text without its end");
  }

  static char Unescaped(char c) {
    constexpr std::string_view kLetters = "bfrnt0av";
    constexpr std::string_view kMeant("\b\f\r\n\t\0\a\v", 8);
    const size_t at = kLetters.find(c);
    return at == std::string_view::npos ? c : kMeant[at];
  }

  void Blanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool Take(char c) {
    Blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Status Expect(char c) {
    if (Take(c)) return Status::OK();
    return Bad(std::string("expected \"") + c + "\"");
  }

  Fault Bad(const std::string& problem) const {
    return Fault(FaultCode::kSourceProtocol, "type " + Shown(text_) + ": " + problem +
                                                 ", at character " +
                                                 std::to_string(text_.size() - rest_.size() + 1));
  }

  Fault Unsupported(const std::string& name) const {
    std::string help = "leave the column out, or convert it in query:, toString(...)";
    if (name == "AggregateFunction") {
      help = "read its value in query:, finalizeAggregation(...), or leave the column out";
    }
    return Fault(FaultCode::kUnsupportedType, "type " + Shown(text_) +
                                                  (name == text_ ? "" : ", in it " + Shown(name)) +
                                                  ": it has no counterpart that is exact")
        .Help(std::move(help));
  }

  const std::string_view text_;
  std::string_view rest_;
};

std::shared_ptr<arrow::DataType> IntegerType(const Type& type, const TypeOptions& options) {
  const bool is_signed = type.kind == Kind::kInt;
  switch (type.bits) {
    case 8:
      return is_signed ? arrow::int8() : options.keep_unsigned ? arrow::uint8() : arrow::int16();
    case 16:
      return is_signed ? arrow::int16() : options.keep_unsigned ? arrow::uint16() : arrow::int32();
    case 32:
      return is_signed ? arrow::int32() : options.keep_unsigned ? arrow::uint32() : arrow::int64();
    case 64:
      if (is_signed) return arrow::int64();
      return options.keep_unsigned ? arrow::uint64() : arrow::decimal128(20, 0);
    default:
      return arrow::utf8();  // no reader of Parquet has an integer so wide
  }
}

std::shared_ptr<arrow::DataType> ArrowType(const Type& type, const TypeOptions& options) {
  switch (type.kind) {
    case Kind::kInt:
    case Kind::kUInt:
      return IntegerType(type, options);
    case Kind::kFloat:
      return type.bits == 32 ? arrow::float32() : arrow::float64();
    case Kind::kBFloat16:
      return arrow::float32();
    case Kind::kDecimal:
      if (type.precision <= 38) return arrow::decimal128(type.precision, type.scale);
      return arrow::decimal256(type.precision, type.scale);
    case Kind::kBool:
      return arrow::boolean();
    case Kind::kString:
      return options.strings_as_binary ? arrow::binary() : arrow::utf8();
    case Kind::kFixedString:
      return arrow::binary();
    case Kind::kDate:
    case Kind::kDate32:
      return arrow::date32();
    case Kind::kDateTime:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case Kind::kDateTime64:
      return arrow::timestamp(type.scale <= 6 ? arrow::TimeUnit::MICRO : arrow::TimeUnit::NANO,
                              "UTC");
    case Kind::kInterval:
      return arrow::int64();
    case Kind::kUuid:
    case Kind::kIPv4:
    case Kind::kIPv6:
    case Kind::kEnum:
    case Kind::kNothing:
    case Kind::kJson:
      return arrow::utf8();
    case Kind::kNullable:
    case Kind::kLowCardinality:
      return ArrowType(type.children[0], options);
    case Kind::kArray:
      return arrow::list(FieldOf("item", type.children[0], options));
    case Kind::kTuple: {
      arrow::FieldVector fields;
      for (size_t i = 0; i < type.children.size(); ++i) {
        fields.push_back(FieldOf(type.field_names[i], type.children[i], options));
      }
      return arrow::struct_(std::move(fields));
    }
    case Kind::kMap:
      return std::make_shared<arrow::MapType>(FieldOf("key", type.children[0], options),
                                              FieldOf("value", type.children[1], options));
  }
  return arrow::null();
}

bool IsNullable(const Type& type) {
  if (type.kind == Kind::kLowCardinality) return IsNullable(type.children[0]);
  return type.kind == Kind::kNullable || type.kind == Kind::kNothing;
}

}  // namespace

Result<Type> ParseType(std::string_view name) {
  if (static_cast<int64_t>(name.size()) > kTypeNameBytesMax) {
    return Fault(FaultCode::kSourceProtocol, "a type's name: expected at most " +
                                                 std::to_string(kTypeNameBytesMax) +
                                                 " bytes, got " + std::to_string(name.size()));
  }
  return Parser(name).Whole();
}

std::shared_ptr<arrow::Field> FieldOf(const std::string& name, const Type& type,
                                      const TypeOptions& options) {
  return arrow::field(name, ArrowType(type, options), IsNullable(type));
}

}  // namespace levada::chnative
