#pragma once
// Element: an XML document of a client as a small tree, within limits. What the elements mean is
// decided by the readers beside this file; the parser is Expat, whose one includer this is.
//
// No document type is taken, so there are no entities but the five of XML and no expansion; nothing
// outside the document is ever read. Prefixes and namespaces are dropped: clients send S3's with a
// slash at its end, without one, or none.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::s3xml {

/// S3's documents nest six deep; the tree's destructor and its readers recurse by this much.
constexpr size_t kDepthMax = 16;
/// Between two "<": a tag with its attributes, or a text. A key has 1024 bytes, ten times as many
/// with each as a reference.
constexpr size_t kTagBytesMax = size_t{64} * 1024;

struct DocumentLimits {
  size_t bytes_max = 0;
  size_t elements_max = 0;  ///< and as many attributes
};

struct Element {
  std::string name;  ///< without prefix
  std::string text;  ///< its own, decoded, in one piece wherever comments or CDATA cut it
  std::vector<Element> children;
};

/// The document, whose outermost element has to be called `root`. Memory is bounded by the limits
/// before much is allocated: what is over them is refused when it is reached. MalformedXML for that
/// and for all that is not well formed, in UTF-8 unless the document declares another encoding.
Result<Element> ReadDocument(std::string_view body, std::string_view root,
                             const DocumentLimits& limits);

// All readers of children refuse an element that stands twice where one belongs.

/// The only child of that name; null without one.
Result<const Element*> Child(const Element& parent, std::string_view name);
/// Its text, exactly as given; nullopt without the child.
Result<std::optional<std::string>> ChildText(const Element& parent, std::string_view name);
/// Its text without blanks around it, as for all but names; nullopt without the child.
Result<std::optional<std::string>> ChildWord(const Element& parent, std::string_view name);
/// An integer in decimal digits, with a sign or not.
Result<std::optional<int64_t>> ChildInteger(const Element& parent, std::string_view name);
/// true or false, 1 or 0, in any case.
Result<std::optional<bool>> ChildBoolean(const Element& parent, std::string_view name);

/// Without the blanks of XML around it.
std::string_view Trimmed(std::string_view text);

}  // namespace levada::s3xml
