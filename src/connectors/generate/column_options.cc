#include "connectors/generate/column_options.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "connectors/generate/counter_random.h"
#include "connectors/generate/null_rule.h"
#include "connectors/generate/number_column.h"
#include "connectors/generate/number_type.h"
#include "connectors/generate/text_forms.h"
#include "elt/literal.h"
#include "elt/time_unit.h"
#include "elt/type_name.h"

namespace levada::generate {
namespace {

using elt::OptionSpec;
using elt::OptionType;
using Kind = NumberType::Kind;
using Wide = __int128;

constexpr int64_t kLengthMin = 8;
constexpr int64_t kLengthMax = 32;

OptionSpec LengthSpec() {
  OptionSpec length{.name = "length",
                    .type = OptionType::kGroup,
                    .doc = "bytes of a text or binary value; 8 to 32 when left out",
                    .example = "{ min: 5, max: 20 }",
                    .shorthand = "max"};
  length.fields = {{.name = "max",
                    .type = OptionType::kInteger,
                    .doc = "at most so many",
                    .required = true,
                    .max = kTextBytesMax,
                    .example = "20"},
                   {.name = "min",
                    .type = OptionType::kInteger,
                    .doc = "at least so many; left out: as many as max",
                    .max = kTextBytesMax,
                    .example = "5"}};
  return length;
}

std::string Written(const std::string& text) { return "\"" + text.substr(0, 100) + "\""; }

/// Reads one column. Every problem is collected, and the first of them says what is returned.
class Reader {
 public:
  Reader(const std::string& name, const elt::Options& options, uint64_t seed, int64_t rows,
         std::vector<Diagnostic>& problems)
      : name_(name),
        options_(options),
        key_(KeyOf(seed, name)),
        null_key_(KeyOf(key_, "nulls")),
        rows_(rows),
        problems_(problems),
        problems_before_(problems.size()) {}

  std::unique_ptr<Column> Read() {
    const auto type = elt::ParseTypeName(options_.Text("type"));
    if (!type.ok()) {
      const Fault fault = FaultOf(type.status());
      Refuse("type", fault.code(), fault.message(), fault.help());
      return nullptr;
    }
    const NullRule nulls = Nulls();
    auto field = arrow::field(name_, *type, /*nullable=*/nulls.any());
    std::unique_ptr<Column> column;
    switch ((*type)->id()) {
      case arrow::Type::BOOL:
        column = ReadBool(std::move(field), nulls);
        break;
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        column = ReadText(std::move(field), nulls);
        break;
      default:
        column = ReadNumber(std::move(field), nulls);
    }
    return problems_.size() == problems_before_ ? std::move(column) : nullptr;
  }

 private:
  void Refuse(std::string_view option, FaultCode code, const std::string& problem,
              std::string help) {
    problems_.push_back(
        options_.ErrorAt(option, code, "column \"" + name_ + "\": " + problem, std::move(help)));
  }

  /// Options that say nothing about a column of this kind: none may stand there unheeded.
  void Refuse(std::initializer_list<const char*> unheeded, const std::string& beside,
              const std::string& help) {
    for (const char* option : unheeded) {
      if (!options_.Given(option)) continue;
      Refuse(option, FaultCode::kImpossiblePlan,
             "\"" + std::string(option) + "\" has no meaning " + beside, help);
    }
  }

  std::string OfType() const { return "for type " + options_.Text("type"); }

  NullRule Nulls() {
    if (!options_.Given("nulls")) return {};
    constexpr int kDigits = 9;  // a billionth
    const std::string& text = options_.Text("nulls");
    const auto literal = elt::ParseDecimalLiteral(text, kDigits + 1, kDigits);
    const int64_t billionths =
        literal.ok() ? literal.value.ToInteger<int64_t>().ValueOr(-1) : int64_t{-1};
    if (billionths < 0 || billionths > NullRule::kBillion) {
      Refuse("nulls", FaultCode::kBadValue,
             "\"nulls\": expected a fraction from 0 to 1, got " + Written(text),
             "of ten rows about one is NULL with nulls: 0.1; there are 9 digits at most");
      return {};
    }
    return NullRule(null_key_, billionths);
  }

  // ------------------------------------------------------------------------------- bool and texts

  std::unique_ptr<Column> ReadBool(std::shared_ptr<arrow::Field> field, const NullRule& nulls) {
    Refuse({"sequence", "step", "min", "max", "values", "scale", "form", "length"}, OfType(),
           "remove it: half of the values are true");
    return MakeNumberColumn({.field = std::move(field),
                             .numbers = NumbersBy(Uniform{key_, 0, 2}),
                             .nulls = nulls,
                             .distinct = 2});
  }

  std::unique_ptr<Column> ReadText(std::shared_ptr<arrow::Field> field, const NullRule& nulls) {
    Refuse({"sequence", "step", "min", "max", "scale"}, OfType(),
           "say what its values are by values:, form: or length:");
    std::optional<TextForm> form = field->type()->id() == arrow::Type::BINARY ? Binary() : Text();
    if (!form) return nullptr;
    return MakeTextColumn(std::move(field), *std::move(form), nulls);
  }

  std::optional<TextForm> Binary() {
    Refuse({"values", "form"}, OfType(), "remove it: the bytes are random, length: says how many");
    const auto length = Length();
    if (!length) return std::nullopt;
    return RandomBytes(key_, length->first, length->second);
  }

  std::optional<TextForm> Text() {
    if (options_.Given("values")) {
      Refuse({"form", "length"}, "beside \"values\"", "keep one of them");
      const std::vector<std::string> values = options_.Texts("values");
      if (values.empty()) {
        RefuseEmpty();
        return std::nullopt;
      }
      return ChoiceTexts(key_, values);
    }
    const std::string& form = options_.Text("form");
    if (form == "uuid" || form == "json") {
      Refuse({"length"}, "beside form: " + form, "remove it");
      return form == "uuid" ? UuidTexts(key_) : JsonTexts(key_);
    }
    const auto length = Length();
    if (!length) return std::nullopt;
    return form == "words" ? WordTexts(key_, length->first, length->second)
                           : CharacterTexts(key_, length->first, length->second);
  }

  /// The least and the greatest; nullopt with a problem.
  std::optional<std::pair<int64_t, int64_t>> Length() {
    if (!options_.Given("length")) return std::pair(kLengthMin, kLengthMax);
    const elt::Options length = options_.Group("length");
    const int64_t greatest = length.Integer("max");
    const int64_t least = length.Given("min") ? length.Integer("min") : greatest;
    if (least <= greatest) return std::pair(least, greatest);
    problems_.push_back(
        length.ErrorAt("min", FaultCode::kBadValue,
                       "column \"" + name_ + "\": \"min\": expected at most \"max\", " +
                           std::to_string(greatest) + ", got " + std::to_string(least),
                       "exchange min and max"));
    return std::nullopt;
  }

  void RefuseEmpty() {
    Refuse("values", FaultCode::kBadValue, "\"values\" is empty",
           "list the values, values: [a, b]");
  }

  // ----------------------------------------------------------------------------- numbers and times

  std::unique_ptr<Column> ReadNumber(std::shared_ptr<arrow::Field> field, const NullRule& nulls) {
    const auto type = NumberTypeOf(*field->type(), static_cast<int>(options_.Integer("scale")));
    if (!type) {
      Refuse("type", FaultCode::kUnsupportedType,
             "no values are made of type " + options_.Text("type"),
             "decimals have up to 38 digits here");
      return nullptr;
    }
    type_ = *type;
    Refuse({"form", "length"}, OfType(), "remove it");
    if (type_.kind != Kind::kFloat) {
      Refuse({"scale"}, OfType(), "it is for float32 and float64; a decimal has it in its type");
    }
    NumberColumnParts parts{.field = std::move(field), .nulls = nulls};
    if (type_.kind == Kind::kFloat) parts.float_scale = type_.scale;
    if (options_.Given("sequence")) {
      ReadSequence(parts);
    } else {
      Refuse({"step"}, "without \"sequence\"", "add sequence: with the first value, or remove it");
      if (options_.Given("values")) {
        ReadValues(parts);
      } else {
        ReadRange(parts);
      }
    }
    return parts.numbers == nullptr ? nullptr : MakeNumberColumn(std::move(parts));
  }

  /// The value of a text option or list item.
  std::optional<int64_t> Number(const elt::Options& where, std::string_view option,
                                const std::string& text) {
    const elt::Literal<int64_t> literal = type_.Parse(text);
    if (literal.ok()) return literal.value;
    std::string help = "write it as " + options_.Text("type") + " is written";
    if (type_.kind == Kind::kFloat) {
      help += ", with up to " + std::to_string(type_.scale) +
              " digits behind the point; scale: allows up to 15";
    } else if (type_.kind == Kind::kDecimal) {
      help += ", in up to 18 digits";
    } else if (type_.kind == Kind::kTimestamp) {
      help += type_.zoned ? ", 2026-01-31T05:00:00Z" : ", 2026-01-31T05:00:00";
    }
    problems_.push_back(where.ErrorAt(option, FaultCode::kBadValue,
                                      "column \"" + name_ + "\": " + Written(text) + " is no " +
                                          options_.Text("type") + ": " + literal.problem,
                                      std::move(help)));
    return std::nullopt;
  }

  void ReadSequence(NumberColumnParts& parts) {
    Refuse({"min", "max", "values"}, "beside \"sequence\"", "keep one of them");
    if (type_.kind == Kind::kTime) {
      Refuse("sequence", FaultCode::kImpossiblePlan, "\"sequence\" has no meaning " + OfType(),
             "a day ends: make a timestamp, or say min: and max:");
      return;
    }
    const auto start = Number(options_, "sequence", options_.Text("sequence"));
    const auto step = Step();
    if (!start || !step) return;
    if (type_.IsCalendar()) {
      parts.rise = RiseFrom(*start, *step);
      ReadRise(*parts.rise, parts);
    } else {
      if (!FitsAll(Wide{*start}, *step, type_.greatest)) return;
      parts.numbers = NumbersBy(Sequence{*start, *step});
    }
    // A value that is NULL has no place in time.
    if (parts.nulls.any()) parts.rise.reset();
  }

  std::optional<int64_t> Step() {
    if (!options_.Given("step")) {
      if (type_.kind == Kind::kDate) return kMicrosPerDay;
      return type_.kind == Kind::kTimestamp ? elt::UnitsPerSecond(type_.unit) : 1;
    }
    const std::string& text = options_.Text("step");
    const elt::Literal<int64_t> literal = type_.ParseStep(text);
    if (literal.ok()) return literal.value;
    Refuse("step", FaultCode::kBadValue, "\"step\": " + Written(text) + ": " + literal.problem,
           type_.IsCalendar() ? "write a duration, step: 1s" : "write a number, step: 1");
    return std::nullopt;
  }

  Rise RiseFrom(int64_t start, int64_t step) const {
    if (type_.kind == Kind::kDate) return {.start = start * kMicrosPerDay, .step = step};
    return {.start = start, .step = step, .unit = type_.unit};
  }

  void ReadRise(const Rise& rise, NumberColumnParts& parts) {
    if (type_.kind == Kind::kTimestamp) {
      if (!FitsAll(rise.start, rise.step, type_.greatest)) return;
      parts.numbers = NumbersBy(rise);
      return;
    }
    const Wide last = (Wide{type_.greatest} + 1) * kMicrosPerDay - 1;
    if (!FitsAll(rise.start, rise.step, last)) return;
    parts.numbers = NumbersBy(RisingDate{rise});
    const double days = static_cast<double>(rows_) * static_cast<double>(rise.step) / kMicrosPerDay;
    parts.distinct = days + 1;
  }

  /// Whether the values of all rows are in the range of the type.
  bool FitsAll(Wide start, int64_t step, Wide greatest) {
    const Wide room = (greatest - start) / step + 1;
    if (rows_ <= room) return true;
    Refuse("sequence", FaultCode::kBadValue,
           "the sequence leaves the range of " + options_.Text("type") + " behind row " +
               std::to_string(static_cast<int64_t>(room)) + " of " + std::to_string(rows_),
           "choose a smaller step:, fewer rows: or a wider type:");
    return false;
  }

  void ReadValues(NumberColumnParts& parts) {
    Refuse({"min", "max"}, "beside \"values\"", "keep one of them");
    const std::vector<elt::Options> items = options_.List("values");
    if (items.empty()) return RefuseEmpty();
    Choice choice{key_, {}};
    for (const elt::Options& item : items) {
      if (const auto value = Number(item, "", item.Scalar())) choice.values.push_back(*value);
    }
    if (choice.values.size() < items.size()) return;
    parts.distinct = static_cast<double>(choice.values.size());
    parts.numbers = NumbersBy(std::move(choice));
  }

  void ReadRange(NumberColumnParts& parts) {
    const auto bound = [&](const char* option, int64_t otherwise) {
      return options_.Given(option) ? Number(options_, option, options_.Text(option))
                                    : std::optional(otherwise);
    };
    const auto least = bound("min", type_.first);
    const auto greatest = bound("max", type_.last);
    if (!least || !greatest) return;
    if (*least > *greatest) {
      const bool both = options_.Given("min") && options_.Given("max");
      Refuse(
          options_.Given("min") ? "min" : "max", FaultCode::kBadValue,
          "no value is at least \"min\" and at most \"max\"",
          both ? "exchange min and max" : "say both: the range of the type begins or ends there");
      return;
    }
    const Uniform uniform = UniformBetween(key_, *least, *greatest);
    parts.distinct = uniform.count == 0 ? kAllDistinct : static_cast<double>(uniform.count);
    parts.numbers = NumbersBy(uniform);
  }

  const std::string& name_;
  const elt::Options& options_;
  const uint64_t key_;
  const uint64_t null_key_;
  const int64_t rows_;
  std::vector<Diagnostic>& problems_;
  const size_t problems_before_;
  NumberType type_;
};

}  // namespace

elt::OptionSpec ColumnSpec() {
  OptionSpec column{.name = "column",
                    .type = OptionType::kGroup,
                    .doc = "a type, or a type with what its values are",
                    .shorthand = "type"};
  column.fields = {
      {.name = "type",
       .doc = "the type of the column, in the words of cast",
       .required = true,
       .example = "decimal(18,2)"},
      {.name = "sequence",
       .doc = "the value of the first row; each further row adds step",
       .example = "1"},
      {.name = "step",
       .doc = "what each row of a sequence adds: a number, of times a duration; left out: 1, of "
              "timestamps 1s, of dates 1d",
       .example = "10m"},
      {.name = "min",
       .doc = "the least random value; left out: 0, 2020-01-01 of dates and timestamps",
       .example = "0"},
      {.name = "max",
       .doc = "the greatest random value; left out: the type's, 2029-12-31 of dates and "
              "timestamps, 1 of floats",
       .example = "1000"},
      {.name = "values",
       .type = OptionType::kList,
       .doc = "the values to choose from, each as likely",
       .example = "[new, paid]",
       .fields = {{.name = "value", .doc = "a value"}}},
      {.name = "scale",
       .type = OptionType::kInteger,
       .doc = "digits behind the point of random floats",
       .default_text = "6",
       .max = 15,
       .example = "2"},
      {.name = "form",
       .type = OptionType::kChoice,
       .doc = "texts of words, of random characters, UUIDs or JSON objects",
       .default_text = "words",
       .choices = {"words", "characters", "uuid", "json"},
       .example = "uuid"},
      LengthSpec(),
      {.name = "nulls",
       .doc = "the fraction of rows that are NULL; left out: none, and the column is not nullable",
       .example = "0.1"},
  };
  return column;
}

std::unique_ptr<Column> ReadColumn(const std::string& name, const elt::Options& options,
                                   uint64_t seed, int64_t rows, std::vector<Diagnostic>& problems) {
  return Reader(name, options, seed, rows, problems).Read();
}

}  // namespace levada::generate
