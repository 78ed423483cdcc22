// Values from YAML. yaml-cpp gives events with the place where each token starts; the tree is built
// from these rather than from its own nodes, so that every limit holds while parsing. Its
// exceptions, and the refusals that this file throws through it, end in ParseYaml.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

#include "elt/hidden_source.h"
#include "elt/source_index.h"
#include "elt/value.h"
#include "elt/yaml_text.h"

namespace levada::elt {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// A list or map that is still open.
struct OpenNode {
  Value value;
  size_t offset = 0;  ///< of its first character
  bool flow = false;
  bool has_key = false;  ///< kMap: `key` waits for its value
  Entry key;
  size_t key_begin = 0;
  size_t key_end = 0;
  bool key_plain = false;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  /// `skipped`: bytes of a byte order mark, which yaml-cpp does not count.
  TreeBuilder(std::string_view text, const SourceIndex& index, size_t skipped)
      : text_(text), index_(index), skipped_(skipped) {}

  Value Take() {
    SetOpenEnds(root_);
    return std::move(root_);
  }

  /// Of the innermost `[` or `{` that is open; nullopt outside of them.
  std::optional<size_t> OpenFlow() const {
    if (open_.empty() || !open_.back().flow) return std::nullopt;
    return open_.back().offset;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    const size_t offset = Offset(mark);
    if (!started_) {
      started_ = true;
      return;
    }
    if (text_.substr(offset, 3) == "---") {
      throw YamlProblem{.offset = offset,
                        .length = 3,
                        .message = "a second YAML document",
                        .label = "starts here",
                        .help = "a file holds one document: put each into a file of its own"};
    }
    throw YamlProblem{.offset = offset,
                      .message = "text behind the end of the document",
                      .label = "belongs to nothing above",
                      .help = "check the indentation: a key of the file itself starts in column 1"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const size_t offset = Arrive(mark, anchor != 0);
    if (AwaitsKey()) return AddNullKey(offset);
    Value value;
    const size_t length = ExplicitNull(offset);
    if (length > 0) {
      value.span = index_.At(offset, length);
    } else {
      value.span = PlaceOfAbsent(offset);
      if (JoinParenthesis()) return;
    }
    Add(std::move(value));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseProperty(Offset(mark)); }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& text) override {
    const size_t offset = Arrive(mark, anchor != 0);
    const ScalarExtent extent = FindScalarExtent(text_, offset, text);
    const char first = offset < text_.size() ? text_[offset] : '\0';
    if (!extent.closed) {
      throw YamlProblem{.offset = offset,
                        .message = std::string("a quote that is never closed: ") + first,
                        .label = "opened here",
                        .help = std::string("close it with ") + first};
    }
    if (text.find('\0') != std::string::npos) {
      throw YamlProblem{.offset = offset,
                        .length = extent.first_line_end - offset,
                        .message = "a NUL character in a value",
                        .help = "remove the \\0 from it"};
    }
    Value value;
    value.kind = Value::Kind::kScalar;
    value.text = text;
    value.quoted = first == '"' || first == '\'' || first == '|' || first == '>';
    value.span = index_.At(offset, extent.first_line_end - offset);
    value.begin = offset;
    value.end = extent.end.value_or(0);
    if (AwaitsKey()) return AddKey(std::move(value));
    Add(std::move(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(Value::Kind::kList, mark, anchor != 0, style == YAML::EmitterStyle::Flow);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(Value::Kind::kMap, mark, anchor != 0, style == YAML::EmitterStyle::Flow);
  }
  void OnMapEnd() override { Close(); }

 private:
  size_t Offset(const YAML::Mark& mark) const {
    return mark.pos < 0 ? text_.size()
                        : std::min(static_cast<size_t>(mark.pos) + skipped_, text_.size());
  }

  bool AwaitsKey() const {
    return !open_.empty() && open_.back().value.kind == Value::Kind::kMap && !open_.back().has_key;
  }

  /// What every node passes first: properties, tabs and the number of nodes.
  size_t Arrive(const YAML::Mark& mark, bool anchored) {
    const size_t offset = Offset(mark);
    const char first = offset < text_.size() ? text_[offset] : '\0';
    if (anchored || first == '&' || first == '*' || first == '!') RefuseProperty(offset);
    RefuseTab(offset);
    if (++nodes_ > kPlanNodesMax) {
      throw YamlProblem{
          .code = FaultCode::kPlanTooLarge,
          .offset = offset,
          .message = "the file has more than " + std::to_string(kPlanNodesMax) + " values",
          .help = "split it into several pipelines"};
    }
    arrivals_.push_back(offset);
    return offset;
  }

  [[noreturn]] void RefuseProperty(size_t offset) const {
    const char first = offset < text_.size() ? text_[offset] : '\0';
    const std::string name = first == '!' ? "tag" : first == '*' ? "alias" : "anchor";
    const size_t end = std::min(text_.find_first_of(" \t\r\n,]}", offset), text_.size());
    throw YamlProblem{.offset = offset,
                      .length = std::max<size_t>(end - offset, 1),
                      .message = "YAML " + name + "s are not used here",
                      .label = "this is " + std::string(name[0] == 'a' ? "an " : "a ") + name,
                      .help = name == "tag" ? "remove it; put the value in quotes if it starts "
                                              "with \"!\""
                                            : "write the value out: what runs should be readable "
                                              "where it stands"};
  }

  void RefuseTab(size_t offset) const {
    const size_t start = index_.LineStart(offset);
    const std::string_view before = text_.substr(start, offset - start);
    const size_t tab = before.find('\t');
    if (tab == std::string_view::npos || before.find_first_not_of(" \t") != before.npos) return;
    throw YamlProblem{.offset = start + tab,
                      .message = "a tab in the indentation",
                      .label = "this is a tab",
                      .help = "indent with spaces"};
  }

  /// Bytes of the word at `offset` that YAML reads as null, 0 when there is none.
  size_t NullWord(size_t offset) const {
    for (std::string_view word : {"null", "Null", "NULL", "~"}) {
      if (text_.substr(offset, word.size()) == word) return word.size();
    }
    return 0;
  }

  /// Bytes of a null that is written at `offset`; 0 when the value is simply not there: then the
  /// parser reports the next token, which may itself be a key named null.
  size_t ExplicitNull(size_t offset) const {
    const size_t length = NullWord(offset);
    if (length == 0 || open_.empty()) return length;
    const OpenNode& top = open_.back();
    if (top.flow || top.value.kind != Value::Kind::kMap) return length;
    const bool same_line = index_.LineStart(offset) == index_.LineStart(top.key_begin);
    const size_t column = offset - index_.LineStart(offset);
    const size_t map_column = top.offset - index_.LineStart(top.offset);
    return same_line || column > map_column ? length : 0;
  }

  Span PlaceOfAbsent(size_t next) const {
    if (open_.empty()) return index_.At(next, 1);
    const OpenNode& top = open_.back();
    if (top.value.kind == Value::Kind::kMap) return top.key.key_span;
    if (top.flow) return index_.At(next, 1);
    // The dash is the last one on a line of its own before the next token.
    const size_t dash = text_.substr(0, next).rfind('-');
    return index_.At(dash == std::string_view::npos ? next : dash, 1);
  }

  void AddNullKey(size_t offset) {
    const size_t length = NullWord(offset);
    if (length == 0) {
      throw YamlProblem{.offset = offset,
                        .message = "a value without a key",
                        .help = "write the key before the colon"};
    }
    Value key;
    key.text = text_.substr(offset, length);
    key.span = index_.At(offset, length);
    key.begin = offset;
    key.end = offset + length;
    AddKey(std::move(key));
  }

  void AddKey(Value key) {
    OpenNode& top = open_.back();
    if (key.text == "<<" && !key.quoted) {
      throw YamlProblem{.offset = key.begin,
                        .length = 2,
                        .message = "YAML merge keys are not used here",
                        .help =
                            "write the values out: what runs should be readable where it "
                            "stands"};
    }
    top.has_key = true;
    top.key_begin = key.begin;
    top.key_end = key.end;
    top.key_plain = !key.quoted && key.end > key.begin;
    top.key = Entry{.key = std::move(key.text), .key_span = key.span, .value = {}};
  }

  /// `{ amount: decimal(18,2) }`: takes the pending key `2)`, which has no value, as the rest of
  /// the value before it. True when it did.
  bool JoinParenthesis() {
    if (open_.empty() || !open_.back().flow || !open_.back().has_key) return false;
    OpenNode& top = open_.back();
    if (!top.key_plain || top.value.entries.empty()) return false;
    Value& before = top.value.entries.back().value;
    const std::string& rest = top.key.key;
    const bool opens =
        before.kind == Value::Kind::kScalar && !before.quoted && before.end > before.begin &&
        std::ranges::count(before.text, '(') == 1 + std::ranges::count(before.text, ')');
    const bool closes = rest.ends_with(')') && std::ranges::count(rest, ')') == 1 &&
                        rest.find('(') == std::string::npos;
    if (!opens || !closes || index_.LineStart(before.begin) != index_.LineStart(top.key_begin)) {
      return false;
    }
    before.text = text_.substr(before.begin, top.key_end - before.begin);
    before.end = top.key_end;
    before.span = index_.At(before.begin, before.text.size());
    top.has_key = false;
    return true;
  }

  void Open(Value::Kind kind, const YAML::Mark& mark, bool anchored, bool flow) {
    const size_t offset = Arrive(mark, anchored);
    if (AwaitsKey()) {
      const bool reference = offset > 0 && text_[offset] == '{' && text_[offset - 1] == '$';
      throw YamlProblem{
          .offset = offset,
          .message = kind == Value::Kind::kList ? "a list as a key" : "a map as a key",
          .label = "keys are text",
          .help = reference ? "put the reference in quotes: \"${env:NAME}\""
                            : "put it in quotes if it is meant as text"};
    }
    if (open_.size() >= static_cast<size_t>(kPlanDepthMax)) {
      throw YamlProblem{
          .code = FaultCode::kPlanTooLarge,
          .offset = offset,
          .message = "lists and maps are nested deeper than " + std::to_string(kPlanDepthMax),
          .help = "no file needs as many; look for a bracket that is never closed"};
    }
    OpenNode node;
    node.value.kind = kind;
    node.value.span = index_.At(offset, 1);
    node.offset = offset;
    node.flow = flow;
    open_.push_back(std::move(node));
  }

  void Close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    Add(std::move(value));
  }

  void Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    OpenNode& top = open_.back();
    if (top.value.kind == Value::Kind::kList) {
      top.value.items.push_back(std::move(value));
      return;
    }
    top.key.value = std::move(value);
    top.value.entries.push_back(std::move(top.key));
    top.has_key = false;
  }

  /// A scalar of several lines ends before the next node at the latest.
  void SetOpenEnds(Value& value) {
    if (value.kind == Value::Kind::kScalar && value.end == 0) {
      const auto next = std::ranges::upper_bound(arrivals_, value.begin);
      value.end = next == arrivals_.end() ? text_.size() : *next;
    }
    for (Value& item : value.items) SetOpenEnds(item);
    for (Entry& entry : value.entries) SetOpenEnds(entry.value);
  }

  std::string_view text_;
  const SourceIndex& index_;
  size_t skipped_;
  bool started_ = false;
  size_t nodes_ = 0;
  std::vector<OpenNode> open_;
  std::vector<size_t> arrivals_;  ///< offsets of all nodes, ascending
  Value root_;
};

/// What yaml-cpp's messages mean to somebody who wrote a pipeline.
struct Wording {
  std::string_view theirs;
  std::string_view ours;
  std::string_view help;
};

std::optional<Wording> FindWording(std::string_view message) {
  const std::array kWordings = {
      Wording{YAML::ErrorMsg::MAP_VALUE, "a \":\" where no value can start",
              "put the text in quotes if the colon belongs to it; else the line above has no colon "
              "with a blank behind it, or the indentation is wrong"},
      Wording{YAML::ErrorMsg::END_OF_MAP, "expected a key of the map above",
              "check the indentation; text behind a closing quote belongs into the quotes"},
      Wording{YAML::ErrorMsg::END_OF_SEQ, "expected another \"-\" of the list above",
              "check the indentation"},
      Wording{YAML::ErrorMsg::END_OF_MAP_FLOW, "expected \",\" or \"}\"",
              "separate the entries of { } by commas and close it with }"},
      Wording{YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected \",\" or \"]\"",
              "separate the items of [ ] by commas and close it with ]"},
      Wording{YAML::ErrorMsg::FLOW_END, "a closing bracket that nothing opened",
              "put the text in quotes if the bracket belongs to it"},
      Wording{YAML::ErrorMsg::BLOCK_ENTRY, "a \"-\" where no list item can start",
              "start the item on a line of its own"},
      Wording{YAML::ErrorMsg::MAP_KEY, "a \"?\" where no key can start",
              "put the text in quotes if it starts with \"?\""},
      Wording{YAML::ErrorMsg::UNKNOWN_TOKEN, "no value starts with this character",
              "put the text in quotes"},
      Wording{YAML::ErrorMsg::EOF_IN_SCALAR, "the file ends inside a quoted value",
              "close the quote"},
      Wording{YAML::ErrorMsg::DOC_IN_SCALAR, "a quoted value with a line \"---\" or \"...\" inside",
              "close the quote, or write the value on one line"},
      Wording{YAML::ErrorMsg::UNKNOWN_ANCHOR, "YAML aliases are not used here",
              "put the text in quotes if it starts with \"*\""},
      Wording{YAML::ErrorMsg::ALIAS_NOT_FOUND, "YAML aliases are not used here",
              "put the text in quotes if it starts with \"*\""},
      Wording{YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation", "indent with spaces"},
  };
  const auto found = std::ranges::find(kWordings, message, &Wording::theirs);
  return found == kWordings.end() ? std::nullopt : std::optional(*found);
}

YamlProblem Explain(const YAML::Exception& error, std::string_view text, const SourceIndex& index,
                    size_t skipped, const TreeBuilder& builder) {
  YamlProblem problem;
  problem.offset = error.mark.pos < 0
                       ? text.size()
                       : std::min(static_cast<size_t>(error.mark.pos) + skipped, text.size());
  problem.message = "not valid YAML: " + error.msg;
  problem.help = "put the text in quotes if it is meant as text";
  if (error.msg == YAML::ErrorMsg::ALIAS_NOT_FOUND && problem.offset > 0) --problem.offset;
  // The parser is two characters on by then.
  if (error.msg.starts_with(YAML::ErrorMsg::INVALID_ESCAPE) && problem.offset > 1) {
    problem.offset -= 2;
    problem.length = 2;
    problem.help = "write \\\\ for a backslash, or use single quotes, which keep it";
  }
  if (const std::optional<Wording> wording = FindWording(error.msg)) {
    problem.message = wording->ours;
    problem.help = wording->help;
  }

  const std::string_view line = index.LineAt(problem.offset);
  const size_t first = std::min(line.find_first_not_of(" \t"), line.size());
  if (const size_t tab = line.substr(0, first).find('\t'); tab != line.npos) {
    problem.offset = index.LineStart(problem.offset) + tab;
    problem.message = "a tab in the indentation";
    problem.help = "indent with spaces";
    return problem;
  }
  const std::optional<size_t> opened = builder.OpenFlow();
  if (!opened) return problem;
  const size_t before = problem.offset - index.LineStart(problem.offset);
  if (line.substr(0, before + 1).find("${") != line.npos) {
    problem.help = "inside { } and [ ] a reference needs quotes: \"${env:NAME}\"";
  } else if (text.find_first_not_of(" \t\r\n", problem.offset) == text.npos) {
    problem.offset = *opened;
    problem.message = std::string("a bracket that is never closed: ") + text[*opened];
    problem.label = "opened here";
    problem.help = text[*opened] == '[' ? "close it with ]" : "close it with }";
  }
  return problem;
}

Status ToStatus(const std::shared_ptr<const SourceText>& source, YamlProblem problem) {
  Diagnostic diagnostic;
  diagnostic.code = problem.code;
  diagnostic.message = problem.message;
  diagnostic.source = HideLikelySecrets(source);
  diagnostic.span = SourceIndex(source->text).At(problem.offset, problem.length);
  diagnostic.label = std::move(problem.label);
  diagnostic.help = std::move(problem.help);
  return Fault(problem.code, std::move(problem.message)).At({std::move(diagnostic)});
}

}  // namespace

const Value* Value::Find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &found->value;
}

Entry* Value::FindEntry(std::string_view key) {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

Result<Value> ParseYaml(const std::shared_ptr<const SourceText>& source) {
  const std::string_view text = source->text;
  if (std::optional<YamlProblem> problem = FindTextProblem(text)) {
    return ToStatus(source, std::move(*problem));
  }
  const SourceIndex index(text);
  const size_t skipped = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  TreeBuilder builder(text, index, skipped);
  try {
    std::istringstream stream(source->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YamlProblem& problem) {
    return ToStatus(source, problem);
  } catch (const YAML::Exception& error) {
    return ToStatus(source, Explain(error, text, index, skipped, builder));
  }
  return builder.Take();
}

}  // namespace levada::elt
