#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/quantity.h"
#include "elt/option_node.h"
#include "elt/option_problems.h"
#include "elt/option_reference.h"
#include "elt/options.h"
#include "elt/yaml_text.h"

namespace levada::elt {
namespace {

/// Entries of one list or map: more is a mistake, and everything behind us is linear in it at best.
constexpr size_t kEntriesMax = 10'000;

bool IsScalarType(OptionType type) {
  return type != OptionType::kList && type != OptionType::kMap && type != OptionType::kGroup;
}

/// Checks one tree. Every path returns a node, so that one problem does not hide the next.
class Validator {
 public:
  Validator(const std::string& what, const std::shared_ptr<const SourceText>& source,
            const std::shared_ptr<const Environment>& environment,
            std::vector<Diagnostic>& diagnostics, std::optional<Span> default_span = {})
      : what_(what),
        source_(source),
        environment_(environment),
        diagnostics_(diagnostics),
        default_span_(default_span),
        place_(source) {}

  /// `path`: how messages name the option, empty for the root. `key_span` is unknown where there is
  /// no key.
  NodePtr Check(const OptionSpec& spec, const Value& value, const std::string& path,
                Span key_span) {
    const std::shared_ptr<const SourceText> outer = place_;
    place_ = value.origin != nullptr ? value.origin : source_;
    NodePtr node = CheckHere(spec, value, path, key_span);
    place_ = outer;
    return node;
  }

 private:
  NodePtr CheckHere(const OptionSpec& spec, const Value& value, const std::string& path,
                    Span key_span) {
    std::shared_ptr<Options::Node> node = MakeNode(spec);
    node->present = true;
    node->given = !default_span_;
    node->key_span = key_span;
    node->span = default_span_.value_or(value.span);
    if (IsScalarType(spec.type)) {
      CheckScalar(spec, value, path, *node);
      return node;
    }
    if (key_span.known() && !default_span_) node->span = key_span;
    if (spec.type == OptionType::kList) {
      CheckList(spec, value, path, *node);
    } else if (spec.type == OptionType::kMap) {
      CheckMap(spec, value, path, *node);
    } else {
      CheckGroup(spec, value, path, *node);
    }
    return node;
  }

  std::shared_ptr<Options::Node> MakeNode(const OptionSpec& spec) const {
    auto node = std::make_shared<Options::Node>();
    node->name = spec.name;
    node->type = spec.type;
    node->secret = spec.secret;
    node->runtime = spec.runtime;
    node->source = place_;
    node->environment = environment_;
    return node;
  }

  Diagnostic& Problem(FaultCode code, Span span, std::string message, std::string help = {}) {
    scratch_ = Diagnostic{};
    Diagnostic& problem =
        diagnostics_.size() < kProblemsMax ? diagnostics_.emplace_back() : scratch_;
    problem.code = code;
    problem.message = std::move(message);
    problem.source = place_;
    problem.span = span;
    problem.help = std::move(help);
    return problem;
  }

  std::string Name(const std::string& path) const { return path.empty() ? what_ : Quoted(path); }
  /// "consumer "postgres"", or "\"partition\" of consumer "postgres"".
  std::string Owner(const std::string& path) const {
    return path.empty() ? what_ : Quoted(path) + " of " + what_;
  }
  static std::string Below(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  void WrongType(const OptionSpec& spec, const Value& value, const std::string& path,
                 std::string help = {}) {
    if (help.empty()) help = ExampleHelp(spec);
    if (help.empty()) help = ShapeHelp(spec);
    Problem(FaultCode::kWrongType, value.span,
            Name(path) + ": expected " + DescribeExpected(spec) + ", got " + DescribeValue(value),
            std::move(help));
  }

  // ---- scalars

  /// `non_finite: null`: YAML reads no text there, the user wrote one of the choices.
  static bool IsTheWordNull(const OptionSpec& spec, const Value& value) {
    return value.kind == Value::Kind::kNull && spec.type == OptionType::kChoice &&
           value.span.length == std::string_view("null").size() &&
           std::ranges::find(spec.choices, "null") != spec.choices.end();
  }

  void CheckScalar(const OptionSpec& spec, const Value& value, const std::string& path,
                   Options::Node& node) {
    if (IsTheWordNull(spec, value)) {
      node.text = "null";
      return;
    }
    if (value.kind != Value::Kind::kScalar) return WrongType(spec, value, path);
    node.text = value.text;
    const bool reference = HasReference(value.text);
    if (spec.secret) {
      if (auto problem = CheckReferences(value.text)) ReferenceFault(*problem, value, path);
      return;
    }
    if (reference) {
      Resolved resolved = ResolveReferences(value.text, *environment_);
      if (resolved.problem) return ReferenceFault(*resolved.problem, value, path);
      node.text = std::move(resolved.text);
      if (node.text.find('\0') != std::string::npos ||
          ValidUtf8Prefix(node.text) < node.text.size()) {
        Problem(FaultCode::kUnresolvedReference, value.span,
                Name(path) + ": what " + Quoted(value.text) + " stands for is not UTF-8 text",
                "store it as UTF-8, without NUL bytes");
        return;
      }
    }
    if (value.quoted && !reference &&
        (spec.type == OptionType::kBool || spec.type == OptionType::kInteger)) {
      return WrongType(spec, value, path, "remove the quotes: they make it text");
    }
    ParseScalar(spec, value, path, node);
  }

  void ReferenceFault(const ReferenceProblem& problem, const Value& value,
                      const std::string& path) {
    Span span = value.span;
    // Only a plain scalar is written as it reads.
    if (!value.quoted && span.length == value.text.size()) {
      span.column += static_cast<uint32_t>(problem.offset);
      span.length = static_cast<uint32_t>(std::max<size_t>(problem.length, 1));
    }
    Problem(FaultCode::kUnresolvedReference, span, Name(path) + ": " + problem.message,
            problem.help);
  }

  void ParseScalar(const OptionSpec& spec, const Value& value, const std::string& path,
                   Options::Node& node) {
    const std::string& text = node.text;
    if (spec.type == OptionType::kBool) {
      node.boolean = text == "true";
      if (text != "true" && text != "false") WrongType(spec, value, path, BoolHelp(spec, text));
    } else if (spec.type == OptionType::kInteger) {
      const auto [end, error] =
          std::from_chars(text.data(), text.data() + text.size(), node.number);
      if (error == std::errc::result_out_of_range) return OutOfRange(spec, value, path);
      if (error != std::errc() || end != text.data() + text.size()) {
        return WrongType(spec, value, path);
      }
      if (node.number < spec.min || node.number > spec.max) OutOfRange(spec, value, path);
    } else if (spec.type == OptionType::kBytes) {
      const Result<int64_t> bytes = ParseBytes(text);
      if (!bytes.ok()) return BadQuantity(spec, value, path, bytes.status());
      node.number = *bytes;
      if (node.number < spec.min || node.number > spec.max) OutOfRange(spec, value, path);
    } else if (spec.type == OptionType::kDuration) {
      const Result<std::chrono::nanoseconds> duration = ParseDuration(text);
      if (!duration.ok()) return BadQuantity(spec, value, path, duration.status());
      node.number = duration->count();
    } else if (spec.type == OptionType::kChoice &&
               std::ranges::find(spec.choices, text) == spec.choices.end()) {
      const std::string nearest = NearestName(text, spec.choices);
      Problem(FaultCode::kBadValue, value.span,
              Name(path) + ": expected " + DescribeExpected(spec) + ", got " + Quoted(value.text),
              nearest.empty() ? ChoiceHelp(spec) : DidYouMean(nearest));
    }
  }

  static std::string ChoiceHelp(const OptionSpec& spec) {
    std::string help = ExampleHelp(spec);
    return help.empty() ? ShapeHelp(spec) : help;
  }

  static std::string BoolHelp(const OptionSpec& spec, const std::string& text) {
    for (std::string_view word : {"yes", "on", "Yes", "On", "True", "TRUE", "y", "1"}) {
      if (text == word) return "write true";
    }
    for (std::string_view word : {"no", "off", "No", "Off", "False", "FALSE", "n", "0"}) {
      if (text == word) return "write false";
    }
    return ExampleHelp(spec);
  }

  void OutOfRange(const OptionSpec& spec, const Value& value, const std::string& path) {
    const auto show = [&](int64_t number) {
      return spec.type == OptionType::kBytes ? FormatBytes(number) : std::to_string(number);
    };
    std::string range = "at least " + show(spec.min);
    if (spec.max != std::numeric_limits<int64_t>::max())
      range = show(spec.min) + " to " + show(spec.max);
    std::string help = ExampleHelp(spec);
    if (help.empty()) help = "write a value of " + range;
    Problem(FaultCode::kBadValue, value.span,
            Name(path) + ": expected " + range + ", got " + Quoted(value.text), std::move(help));
  }

  void BadQuantity(const OptionSpec& spec, const Value& value, const std::string& path,
                   const Status& status) {
    std::string help = ExampleHelp(spec);
    if (help.empty()) {
      help = HasReference(value.text) ? "the reference has to stand for " + DescribeExpected(spec)
                                      : FaultOf(status).help();
    }
    Problem(FaultCode::kBadValue, value.span,
            Name(path) + ": expected " + DescribeExpected(spec) + ", got " + Quoted(value.text),
            std::move(help));
  }

  // ---- lists, maps, groups

  bool TooMany(size_t count, const Value& value, const std::string& path) {
    if (count <= kEntriesMax) return false;
    Problem(FaultCode::kPlanTooLarge, value.span,
            Name(path) + ": " + std::to_string(count) + " entries, more than " +
                std::to_string(kEntriesMax),
            "split the pipeline");
    return true;
  }

  void CheckList(const OptionSpec& spec, const Value& value, const std::string& path,
                 Options::Node& node) {
    if (value.kind != Value::Kind::kList) {
      const bool one = value.kind == Value::Kind::kScalar && spec.example.empty();
      return WrongType(spec, value, path, one ? "write it as [" + value.text + "]" : "");
    }
    if (TooMany(value.items.size(), value, path) || spec.fields.empty()) return;
    for (size_t i = 0; i < value.items.size(); ++i) {
      const std::string item = path + "[" + std::to_string(i) + "]";
      node.children.push_back({"", Span{}, Check(spec.fields[0], value.items[i], item, Span{})});
    }
  }

  void CheckMap(const OptionSpec& spec, const Value& value, const std::string& path,
                Options::Node& node) {
    if (value.kind != Value::Kind::kMap) return WrongType(spec, value, path);
    if (TooMany(value.entries.size(), value, path) || spec.fields.empty()) return;
    for (const Entry* entry : WithoutRepeats(value)) {
      node.children.push_back(
          {entry->key, entry->key_span,
           Check(spec.fields[0], entry->value, Below(path, entry->key), entry->key_span)});
    }
  }

  void CheckGroup(const OptionSpec& spec, const Value& value, const std::string& path,
                  Options::Node& node) {
    if (value.kind == Value::Kind::kScalar && !spec.shorthand.empty()) {
      return CheckShorthand(spec, value, path, node);
    }
    // A stage may be written as its bare name; what it requires is then found missing.
    const bool bare = value.kind == Value::Kind::kNull && path.empty();
    if (value.kind != Value::Kind::kMap && !bare) {
      AddDefaults(spec, node);
      node.present = false;  // what is missing inside of it is no second problem
      return WrongType(spec, value, path, ShorthandHelp(spec, path));
    }
    std::vector<std::string> suggested;
    const std::unordered_map<std::string_view, const Entry*> known =
        KnownEntries(spec, value, path, suggested);
    for (const OptionSpec& field : spec.fields) {
      const auto found = known.find(field.name);
      if (found != known.end()) {
        const Entry& entry = *found->second;
        node.children.push_back(
            {field.name, entry.key_span,
             Check(field, entry.value, Below(path, field.name), entry.key_span)});
        continue;
      }
      node.children.push_back({field.name, Span{}, Absent(field, node.span)});
      // One mistake, one message: the misspelt key was reported.
      const bool misspelt = std::ranges::find(suggested, field.name) != suggested.end();
      if (field.required && !misspelt) Missing(field, path, node.span);
    }
  }

  void Missing(const OptionSpec& field, const std::string& path, Span span) {
    std::string value = field.example;
    if (value.empty()) value = field.choices.empty() ? "..." : field.choices.front();
    std::string help = "add " + field.name + ": " + value;
    Problem(
        FaultCode::kMissingKey, span,
        Owner(path) + " needs " + Quoted(field.name) + (field.doc.empty() ? "" : ": " + field.doc),
        std::move(help));
  }

  /// Of a column that was left without its value: the short form is what was meant.
  static std::string ShorthandHelp(const OptionSpec& spec, const std::string& path) {
    const auto field = std::ranges::find(spec.fields, spec.shorthand, &OptionSpec::name);
    if (spec.shorthand.empty() || field == spec.fields.end()) return {};
    if (field->example.empty() || !spec.example.empty()) return {};
    return "for example: " + path.substr(path.rfind('.') + 1) + ": " + field->example;
  }

  void CheckShorthand(const OptionSpec& spec, const Value& value, const std::string& path,
                      Options::Node& node) {
    for (const OptionSpec& field : spec.fields) {
      if (field.name == spec.shorthand) {
        const size_t before = diagnostics_.size();
        node.children.push_back({field.name, Span{}, Check(field, value, path, Span{})});
        // Who wrote the short form and was wrong may have wanted the long one.
        const bool has_long_form = !spec.example.empty() && spec.example.front() == '{';
        if (diagnostics_.size() > before && has_long_form) {
          diagnostics_.back().help = ExampleHelp(spec);
        }
        continue;
      }
      node.children.push_back({field.name, Span{}, Absent(field, node.span)});
      if (field.required) Missing(field, path, node.span);
    }
  }

  /// The first entry of every key; further ones are reported.
  std::vector<const Entry*> WithoutRepeats(const Value& value) {
    std::unordered_map<std::string_view, const Entry*> seen;
    std::vector<const Entry*> entries;
    for (const Entry& entry : value.entries) {
      const auto [first, added] = seen.emplace(entry.key, &entry);
      if (added) {
        entries.push_back(&entry);
        continue;
      }
      Diagnostic& problem =
          Problem(FaultCode::kDuplicateKey, entry.key_span,
                  "the key " + Quoted(entry.key) + " is given twice", "keep one of the two");
      problem.label = "the second time";
      problem.notes.push_back("given first on line " +
                              std::to_string(first->second->key_span.line));
    }
    return entries;
  }

  std::unordered_map<std::string_view, const Entry*> KnownEntries(
      const OptionSpec& spec, const Value& value, const std::string& path,
      std::vector<std::string>& suggested) {
    std::vector<std::string> names;
    for (const OptionSpec& field : spec.fields) names.push_back(field.name);
    std::unordered_map<std::string_view, const Entry*> known;
    for (const Entry* entry : WithoutRepeats(value)) {
      if (std::ranges::find(names, entry->key) != names.end()) {
        known.emplace(entry->key, entry);
        continue;
      }
      suggested.push_back(NearestName(entry->key, names));
      const std::shared_ptr<const SourceText> outer = place_;
      if (entry->value.origin != nullptr) place_ = entry->value.origin;
      Problem(FaultCode::kUnknownKey, entry->key_span, "unknown key " + Quoted(entry->key),
              SuggestName(entry->key, names))
          .label = (path.empty() ? "not an option of " : "not a key of ") + Owner(path);
      place_ = outer;
    }
    return known;
  }

  /// A node for an option that was not written: its default, if it has one. A default that its own
  /// spec refuses is a bug of ours.
  NodePtr Absent(const OptionSpec& spec, Span group_span) {
    std::shared_ptr<Options::Node> node = MakeNode(spec);
    node->span = group_span;
    if (spec.default_text.empty()) {
      if (spec.type == OptionType::kGroup) AddDefaults(spec, *node);
      return node;
    }
    Value value;
    value.kind = Value::Kind::kScalar;
    value.text = spec.default_text;
    if (!IsScalarType(spec.type)) {
      const auto text = std::make_shared<SourceText>(SourceText{"<default>", spec.default_text});
      value = ParseYaml(text).ValueOrDie();
    }
    std::vector<Diagnostic> problems;
    NodePtr checked = Validator(what_, source_, environment_, problems, group_span)
                          .Check(spec, value, spec.name, Span{});
    if (!problems.empty()) Misuse(spec.name, "its default: " + problems.front().message);
    return checked;
  }

  void AddDefaults(const OptionSpec& spec, Options::Node& node) {
    for (const OptionSpec& field : spec.fields) {
      node.children.push_back({field.name, Span{}, Absent(field, node.span)});
    }
  }

  const std::string& what_;
  const std::shared_ptr<const SourceText>& source_;
  const std::shared_ptr<const Environment>& environment_;
  std::vector<Diagnostic>& diagnostics_;
  const std::optional<Span> default_span_;   ///< set while checking a default: nobody wrote it
  std::shared_ptr<const SourceText> place_;  ///< the document of the value that is checked
  Diagnostic scratch_;                       ///< for problems beyond kProblemsMax
};

}  // namespace

Options ValidateOptions(const OptionSpec& spec, const Value& value, const std::string& what,
                        const std::shared_ptr<const SourceText>& source,
                        const std::shared_ptr<const Environment>& environment,
                        std::vector<Diagnostic>& diagnostics) {
  return Options(Validator(what, source, environment, diagnostics).Check(spec, value, "", Span{}));
}

}  // namespace levada::elt
