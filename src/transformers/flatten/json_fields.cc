#include "transformers/flatten/json_fields.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace levada::flatten {
namespace {

constexpr size_t kStepsMax = 64;
constexpr uint32_t kIndexMax = 1'000'000;

// Numbers as they stand, no recursion that a hostile nesting could exhaust, bytes that are text.
constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseValidateEncodingFlag;

Fault BadPath(std::string_view text, const std::string& what) {
  return Fault(FaultCode::kBadValue, "path \"" + std::string(text) + "\": " + what)
      .Help("write keys and indices: user.id, items[0].sku, \"a key with dots\".x");
}

const char* ReasonOf(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return "an empty text";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "more than one document";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "not UTF-8";
    case rapidjson::kParseErrorNumberTooBig:
      return "a number beyond 1.8e308";
    default:
      return "not JSON";
  }
}

}  // namespace

Result<Path> ParsePath(std::string_view text) {
  Path path;
  std::string_view rest = text;
  if (rest.starts_with('$')) rest.remove_prefix(1);
  const bool is_document = rest.empty() && !text.empty();
  bool expects_key = rest.size() == text.size();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    expects_key = true;
  } else if (!expects_key && !rest.empty() && !rest.starts_with('[')) {
    return BadPath(text, "expected . or [ behind $");
  }
  while (!rest.empty() || expects_key) {
    if (is_document) break;
    if (path.size() == kStepsMax) return BadPath(text, "more than 64 steps");
    PathStep step;
    if (rest.starts_with('[')) {
      const size_t end = rest.find(']');
      const std::string_view digits = rest.substr(1, end == rest.npos ? 0 : end - 1);
      const bool is_number =
          !digits.empty() && digits.size() <= 7 &&
          std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
      if (!is_number) return BadPath(text, "expected an index in [ ]");
      step.index = static_cast<uint32_t>(std::stoul(std::string(digits)));
      if (*step.index > kIndexMax) return BadPath(text, "an index beyond 1000000");
      rest.remove_prefix(end + 1);
    } else if (rest.starts_with('"')) {
      const size_t end = rest.find('"', 1);
      if (end == rest.npos) return BadPath(text, "a quote without its end");
      step.key = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
    } else {
      const size_t end = std::min(rest.find_first_of(".[]\""), rest.size());
      if (end == 0) return BadPath(text, "expected a key");
      step.key = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    path.push_back(std::move(step));
    expects_key = false;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      expects_key = true;
    } else if (!rest.empty() && !rest.starts_with('[')) {
      return BadPath(text, "expected . or [");
    }
  }
  return path;
}

/// What is asked for below one place of the document.
struct JsonFields::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> keys;
  std::map<uint32_t, std::unique_ptr<Node>> elements;
  std::vector<size_t> fields;  ///< whose value this is
};

/// Called by the reader as it goes through the text.
struct JsonFields::Handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
  /// An object or array that is open.
  struct Open {
    const Node* node = nullptr;  ///< null: nothing below is asked for
    const Node* next = nullptr;  ///< of the member whose key was read
    bool is_array = false;
    uint32_t index = 0;
    size_t begin = 0;  ///< where it begins, if it is a value itself
  };

  Handler(const Node& root, std::string_view text, rapidjson::MemoryStream& stream,
          std::vector<JsonValue>& values)
      : root_(root), text_(text), stream_(stream), values_(values), seen_(values.size()) {}

  bool Null() { return Scalar(nullptr, 0); }
  bool Bool(bool value) { return value ? Scalar("true", 4) : Scalar("false", 5); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return Scalar(text, size); }
  bool String(const char* text, rapidjson::SizeType size, bool) { return Scalar(text, size); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    Open& top = open_.back();
    top.next = nullptr;
    if (top.node == nullptr) return true;
    const auto found = top.node->keys.find(std::string_view(text, size));
    if (found != top.node->keys.end()) top.next = found->second.get();
    return true;
  }
  bool StartObject() { return Start(false); }
  bool StartArray() { return Start(true); }
  bool EndObject(rapidjson::SizeType) { return End(); }
  bool EndArray(rapidjson::SizeType) { return End(); }

 private:
  // The node of the value that begins here.
  const Node* Current() {
    if (open_.empty()) return &root_;
    Open& top = open_.back();
    if (!top.is_array) return std::exchange(top.next, nullptr);
    const uint32_t index = top.index++;
    if (top.node == nullptr) return nullptr;
    const auto found = top.node->elements.find(index);
    return found == top.node->elements.end() ? nullptr : found->second.get();
  }

  bool Scalar(const char* text, size_t size) {
    if (const Node* node = Current()) Set(*node, text, size);
    return true;
  }

  void Set(const Node& node, const char* text, size_t size) {
    for (const size_t field : node.fields) {
      if (seen_[field]) continue;
      seen_[field] = true;
      values_[field].is_null = text == nullptr;
      if (text != nullptr) values_[field].text.assign(text, size);
    }
  }

  bool Start(bool is_array) {
    Open open;
    open.node = Current();
    open.is_array = is_array;
    open.begin = stream_.Tell();
    open_.push_back(open);
    return true;
  }

  bool End() {
    const Open open = open_.back();
    open_.pop_back();
    if (open.node != nullptr && !open.node->fields.empty()) {
      const std::string_view whole = text_.substr(open.begin, stream_.Tell() + 1 - open.begin);
      Set(*open.node, whole.data(), whole.size());
    }
    return true;
  }

  const Node& root_;
  const std::string_view text_;
  rapidjson::MemoryStream& stream_;
  std::vector<JsonValue>& values_;
  std::vector<bool> seen_;
  std::vector<Open> open_;
};

JsonFields::JsonFields(const std::vector<Path>& paths) : root_(std::make_unique<Node>()) {
  values_.resize(paths.size());
  for (size_t field = 0; field < paths.size(); ++field) {
    Node* node = root_.get();
    for (const PathStep& step : paths[field]) {
      auto& next = step.index ? node->elements[*step.index] : node->keys[step.key];
      if (next == nullptr) next = std::make_unique<Node>();
      node = next.get();
    }
    node->fields.push_back(field);
  }
}

JsonFields::~JsonFields() = default;

const std::vector<JsonValue>* JsonFields::Find(std::string_view text) {
  for (JsonValue& value : values_) {
    value.is_null = true;
    value.text.clear();
  }
  rapidjson::MemoryStream stream(text.data(), text.size());
  Handler handler(*root_, text, stream, values_);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
  problem_ = result.IsError() ? ReasonOf(result.Code()) : nullptr;
  // To the reader a NUL is the end of any text.
  if (problem_ == nullptr && stream.Tell() != text.size()) problem_ = "not JSON";
  return problem_ == nullptr ? &values_ : nullptr;
}

}  // namespace levada::flatten
