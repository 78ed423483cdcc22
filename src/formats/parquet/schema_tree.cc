#include "formats/parquet/schema_tree.h"

#include <array>
#include <charconv>
#include <utility>

namespace levada::parquet_format {
namespace {

using Kind = Annotation::Kind;

constexpr std::array<std::string_view, 8> kPhysical = {
    "boolean", "int32", "int64", "int96", "float", "double", "binary", "fixed_len_byte_array"};
constexpr std::array<std::string_view, 3> kRepetition = {"required", "optional", "repeated"};
constexpr std::array<std::string_view, 3> kUnits = {"MILLIS", "MICROS", "NANOS"};
constexpr std::array<std::string_view, 19> kAnnotations = {
    "",     "STRING",  "MAP",       "MAP_KEY_VALUE", "LIST",    "ENUM", "DECIMAL",
    "DATE", "TIME",    "TIMESTAMP", "INTEGER",       "UNKNOWN", "JSON", "BSON",
    "UUID", "FLOAT16", "INTERVAL",  "VARIANT",       "OTHER"};

template <typename Names>
std::string_view NameIn(const Names& names, auto value) {
  return names[static_cast<size_t>(value)];
}

template <typename Enum, typename Names>
std::optional<Enum> FindIn(const Names& names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name && !name.empty()) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || (c >= '0' && c <= '9'); }

std::string NameText(const std::string& name) {
  bool is_plain = !name.empty() && IsWordStart(name[0]);
  for (char c : name) is_plain = is_plain && IsWord(c);
  if (is_plain) return name;
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string AnnotationText(const Annotation& annotation) {
  std::string text(NameIn(kAnnotations, annotation.kind));
  const char* flag = annotation.is_flag ? ",true)" : ",false)";
  switch (annotation.kind) {
    case Kind::kDecimal:
      return text + "(" + std::to_string(annotation.precision) + "," +
             std::to_string(annotation.scale) + ")";
    case Kind::kTime:
    case Kind::kTimestamp:
      return text + "(" + std::string(NameIn(kUnits, annotation.unit)) + flag;
    case Kind::kInteger:
      return text + "(" + std::to_string(annotation.precision) + flag;
    case Kind::kVariant:
      return text + "(" + std::to_string(annotation.precision) + ")";
    default:
      return text;
  }
}

std::string PhysicalText(const SchemaNode& node) {
  if (node.is_group()) return "group";
  std::string text(NameIn(kPhysical, node.physical));
  if (node.physical == PhysicalType::kFixedLenByteArray) {
    text += "(" + std::to_string(node.length) + ")";
  }
  return text;
}

void AppendNode(const SchemaNode& node, std::string& out) {
  out += std::string(NameIn(kRepetition, node.repetition)) + " " + PhysicalText(node) + " " +
         NameText(node.name);
  if (node.annotation.kind != Kind::kNone) out += " (" + AnnotationText(node.annotation) + ")";
  if (node.field_id) out += " = " + std::to_string(*node.field_id);
  if (!node.is_group()) {
    out += ";";
    return;
  }
  out += " { ";
  for (const SchemaNode& child : node.children) {
    AppendNode(child, out);
    out += " ";
  }
  out += "}";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<SchemaTree> Parse() {
    SchemaTree tree;
    ARROW_RETURN_NOT_OK(Expect("message"));
    ARROW_ASSIGN_OR_RAISE(tree.name, Name());
    ARROW_RETURN_NOT_OK(ParseChildren(tree.columns, 0));
    SkipSpaces();
    if (at_ != text_.size()) return Bad("nothing more");
    return tree;
  }

 private:
  Status Bad(std::string_view expected) const {
    return Fault(FaultCode::kBadValue, "schema text: expected " + std::string(expected) +
                                           " at byte " + std::to_string(at_));
  }
  void SkipSpaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Take(char c) {
    SkipSpaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view Word() {
    SkipSpaces();
    const size_t begin = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  Status Expect(std::string_view word) { return Word() == word ? Status::OK() : Bad(word); }
  Status ExpectChar(char c) { return Take(c) ? Status::OK() : Bad(std::string(1, c)); }
  Result<int> Number() {
    const bool is_negative = Take('-');
    const std::string_view word = Word();
    int value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return Bad("a number");
    return is_negative ? -value : value;
  }
  Result<std::string> Name() {
    if (!Take('"')) {
      const std::string_view word = Word();
      if (word.empty()) return Bad("a name");
      return std::string(word);
    }
    std::string name;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_++];
    }
    if (at_ == text_.size()) return Bad("a quote");
    ++at_;
    return name;
  }
  Result<bool> Flag() {
    const std::string_view word = Word();
    if (word != "true" && word != "false") return Bad("true or false");
    return word == "true";
  }

  Result<Annotation> ParseAnnotation() {
    Annotation annotation;
    const auto kind = FindIn<Kind>(kAnnotations, Word());
    if (!kind) return Bad("a logical type");
    annotation.kind = *kind;
    const bool is_time = *kind == Kind::kTime || *kind == Kind::kTimestamp;
    const bool is_number =
        *kind == Kind::kDecimal || *kind == Kind::kInteger || *kind == Kind::kVariant;
    if (!is_time && !is_number) return annotation;
    ARROW_RETURN_NOT_OK(ExpectChar('('));
    if (is_time) {
      const auto unit = FindIn<TimeUnit>(kUnits, Word());
      if (!unit) return Bad("a unit");
      annotation.unit = *unit;
    } else {
      ARROW_ASSIGN_OR_RAISE(annotation.precision, Number());
    }
    if (*kind != Kind::kVariant) {
      ARROW_RETURN_NOT_OK(ExpectChar(','));
      if (*kind == Kind::kDecimal) {
        ARROW_ASSIGN_OR_RAISE(annotation.scale, Number());
      } else {
        ARROW_ASSIGN_OR_RAISE(annotation.is_flag, Flag());
      }
    }
    ARROW_RETURN_NOT_OK(ExpectChar(')'));
    return annotation;
  }

  Status ParsePhysical(SchemaNode& node) {
    const std::string_view word = Word();
    if (word == "group") return Status::OK();
    const auto physical = FindIn<PhysicalType>(kPhysical, word);
    if (!physical) return Bad("a type");
    node.physical = *physical;
    if (node.physical != PhysicalType::kFixedLenByteArray) return Status::OK();
    ARROW_RETURN_NOT_OK(ExpectChar('('));
    ARROW_ASSIGN_OR_RAISE(node.length, Number());
    return ExpectChar(')');
  }

  Result<SchemaNode> ParseNode(int depth) {
    SchemaNode node;
    const auto repetition = FindIn<RepetitionType>(kRepetition, Word());
    if (!repetition) return Bad("a repetition");
    node.repetition = *repetition;
    ARROW_RETURN_NOT_OK(ParsePhysical(node));
    ARROW_ASSIGN_OR_RAISE(node.name, Name());
    if (Take('(')) {
      ARROW_ASSIGN_OR_RAISE(node.annotation, ParseAnnotation());
      ARROW_RETURN_NOT_OK(ExpectChar(')'));
    }
    if (Take('=')) {
      ARROW_ASSIGN_OR_RAISE(node.field_id, Number());
    }
    ARROW_RETURN_NOT_OK(node.is_group() ? ParseChildren(node.children, depth + 1)
                                        : ExpectChar(';'));
    return node;
  }

  Status ParseChildren(std::vector<SchemaNode>& children, int depth) {
    if (depth > kSchemaDepthMax) return Bad("less nesting");
    ARROW_RETURN_NOT_OK(ExpectChar('{'));
    while (!Take('}')) {
      if (++nodes_ > kSchemaNodesMax) return Bad("fewer columns");
      ARROW_ASSIGN_OR_RAISE(SchemaNode child, ParseNode(depth));
      children.push_back(std::move(child));
    }
    return Status::OK();
  }

  const std::string_view text_;
  size_t at_ = 0;
  int nodes_ = 0;
};

}  // namespace

std::string DescribeType(const SchemaNode& node) {
  std::string text = PhysicalText(node);
  if (node.annotation.kind != Kind::kNone) text += " (" + AnnotationText(node.annotation) + ")";
  return text;
}

std::string ToText(const SchemaTree& tree) {
  std::string out = "message " + NameText(tree.name) + " { ";
  for (const SchemaNode& column : tree.columns) {
    AppendNode(column, out);
    out += " ";
  }
  return out + "}";
}

Result<SchemaTree> ParseSchemaText(std::string_view text) { return Parser(text).Parse(); }

}  // namespace levada::parquet_format
