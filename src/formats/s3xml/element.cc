#include "formats/s3xml/element.h"

#include <expat.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <memory>
#include <utility>

#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

struct ParserFree {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, ParserFree>;

/// What Expat's callbacks fill. They run inside XML_Parse alone.
class Builder final {
 public:
  Builder(XML_Parser parser, const DocumentLimits& limits) : parser_(parser), limits_(limits) {
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, &Builder::Start, &Builder::End);
    XML_SetCharacterDataHandler(parser, &Builder::Text);
    XML_SetStartDoctypeDeclHandler(parser, &Builder::Doctype);
  }

  std::optional<Element>& root() { return root_; }
  const std::string& refusal() const { return refusal_; }

 private:
  static void Start(void* data, const XML_Char* name, const XML_Char** attributes) {
    static_cast<Builder*>(data)->Open(name, attributes);
  }
  static void End(void* data, const XML_Char* /*name*/) {
    auto& open = static_cast<Builder*>(data)->open_;
    if (!open.empty()) open.pop_back();
  }
  static void Text(void* data, const XML_Char* text, int size) {
    auto& open = static_cast<Builder*>(data)->open_;
    if (!open.empty()) open.back()->text.append(text, static_cast<size_t>(size));
  }
  static void Doctype(void* data, const XML_Char* /*name*/, const XML_Char* /*system*/,
                      const XML_Char* /*public*/, int /*internal*/) {
    static_cast<Builder*>(data)->Refuse("has a document type, which is not taken");
  }

  void Open(std::string_view name, const XML_Char** attributes) {
    for (; attributes[0] != nullptr; attributes += 2) ++attribute_count_;
    if (++element_count_ > limits_.elements_max || attribute_count_ > limits_.elements_max) {
      return Refuse("has more than " + std::to_string(limits_.elements_max) +
                    " elements or attributes");
    }
    if (open_.size() == kDepthMax) {
      return Refuse("nests deeper than " + std::to_string(kDepthMax) + " elements");
    }
    const size_t colon = name.rfind(':');
    if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
    // An open element's siblings and those of its ancestors do not grow, so that it stays in place.
    Element& element = open_.empty() ? root_.emplace() : open_.back()->children.emplace_back();
    element.name = name;
    open_.push_back(&element);
  }

  void Refuse(std::string what) {
    if (refusal_.empty()) refusal_ = std::move(what);
    XML_StopParser(parser_, XML_FALSE);
  }

  XML_Parser parser_;
  const DocumentLimits& limits_;
  std::optional<Element> root_;
  std::vector<Element*> open_;
  size_t element_count_ = 0;
  size_t attribute_count_ = 0;
  std::string refusal_;
};

/// The attributes of a tag are seen when Expat has stored them all. A tag holds no "<" but its own,
/// so this bounds them before.
bool HasLongTag(std::string_view body) {
  while (true) {
    const size_t at = body.find('<');
    if (std::min(at, body.size()) > kTagBytesMax) return true;
    if (at == std::string_view::npos) return false;
    body.remove_prefix(at + 1);
  }
}

Status NotWellFormed(XML_Parser parser) {
  return MalformedXml("XML body: " + std::string(XML_ErrorString(XML_GetErrorCode(parser))) +
                      " (line " + std::to_string(XML_GetCurrentLineNumber(parser)) + ", column " +
                      std::to_string(XML_GetCurrentColumnNumber(parser) + 1) + ")");
}

Status Unreadable(const Element& element, std::string_view expected) {
  return MalformedXml("XML body: element " + element.name + ": expected " + std::string(expected));
}

}  // namespace

Result<Element> ReadDocument(std::string_view body, std::string_view root,
                             const DocumentLimits& limits) {
  if (body.size() > std::min<size_t>(limits.bytes_max, INT_MAX)) {
    return MalformedXml("XML body: expected at most " + std::to_string(limits.bytes_max) +
                        " bytes, got " + std::to_string(body.size()));
  }
  if (HasLongTag(body)) {
    return MalformedXml("XML body: a tag or a text has more than " + std::to_string(kTagBytesMax) +
                        " bytes");
  }
  const Parser parser(XML_ParserCreate(nullptr));
  if (parser == nullptr) return Status::OutOfMemory("XML body: no memory for a parser");
  Builder builder(parser.get(), limits);
  if (XML_Parse(parser.get(), body.data(), static_cast<int>(body.size()), XML_TRUE) !=
      XML_STATUS_OK) {
    if (!builder.refusal().empty()) return MalformedXml("XML body: " + builder.refusal());
    if (XML_GetErrorCode(parser.get()) == XML_ERROR_NO_MEMORY) {
      return Status::OutOfMemory("XML body: no memory to parse it");
    }
    return NotWellFormed(parser.get());
  }
  if (builder.root()->name != root) {
    return MalformedXml("XML body: expected <" + std::string(root) + ">, got <" +
                        builder.root()->name + ">");
  }
  return *std::move(builder.root());
}

Result<const Element*> Child(const Element& parent, std::string_view name) {
  const Element* found = nullptr;
  for (const Element& child : parent.children) {
    if (child.name != name) continue;
    if (found != nullptr) {
      return MalformedXml("XML body: element " + parent.name + ": has more than one " +
                          std::string(name));
    }
    found = &child;
  }
  return found;
}

Result<std::optional<std::string>> ChildText(const Element& parent, std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const Element* child, Child(parent, name));
  if (child == nullptr) return std::nullopt;
  return child->text;
}

Result<std::optional<std::string>> ChildWord(const Element& parent, std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const Element* child, Child(parent, name));
  if (child == nullptr) return std::nullopt;
  return std::string(Trimmed(child->text));
}

Result<std::optional<int64_t>> ChildInteger(const Element& parent, std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const Element* child, Child(parent, name));
  if (child == nullptr) return std::nullopt;
  const std::string_view text = Trimmed(child->text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Unreadable(*child, "an integer");
  }
  return value;
}

Result<std::optional<bool>> ChildBoolean(const Element& parent, std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(const Element* child, Child(parent, name));
  if (child == nullptr) return std::nullopt;
  std::string text(Trimmed(child->text));
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Unreadable(*child, "true or false");
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace levada::s3xml
