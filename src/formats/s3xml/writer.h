#pragma once
// Writer: a document of S3 as text. Elements and their texts, nothing between them, as S3 writes;
// the one attribute is the namespace. What documents there are is in results.h, listings.h and the
// configurations.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace levada::s3xml {

/// The namespace of all documents but Error.
constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
/// What each document begins with. A door that keeps a client waiting sends this first, then
/// blanks, then the rest.
constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `text` between two tags or in quotes. Control characters become references: "&#xD;" of those XML
/// has, and, as in S3's own listings, "&#x1;" of those it has not: a document with one of them is
/// not well formed, which is why clients ask for encoding-type=url. Bytes that are no UTF-8, U+FFFE
/// and U+FFFF become U+FFFD.
std::string Escaped(std::string_view text);

/// As encoding-type=url asks: all but letters, digits, "-._~/" as %XX. A blank is %20, where S3 has
/// "+": it is read by those who decode forms and by those who decode URLs.
std::string UrlEncoded(std::string_view text);

/// Names come from our code and are written as they are. Elements are closed in order, and all
/// before Finish: anything else aborts.
class Writer final {
 public:
  Writer() : text_(kDeclaration) {}

  void Open(std::string_view name, std::string_view xmlns = {});
  void Close(std::string_view name);
  /// Of the element that is open.
  void Characters(std::string_view text);

  void Text(std::string_view name, std::string_view text);
  void Text(std::string_view name, const char* text) { Text(name, std::string_view(text)); }
  void Number(std::string_view name, uint64_t value);
  void Boolean(std::string_view name, bool value);
  void Time(std::string_view name, WallMicros time);
  /// In quotes, which `etag` has not.
  void ETag(std::string_view etag);

  /// Nothing where `text` is empty.
  void TextUnlessEmpty(std::string_view name, std::string_view text);
  /// Nothing where there is none, an empty element where it is empty.
  void OptionalText(std::string_view name, const std::optional<std::string>& text);
  void OptionalNumber(std::string_view name, const std::optional<uint32_t>& value);

  std::string Finish() &&;

 private:
  std::string text_;
  std::vector<std::string> open_;
};

}  // namespace levada::s3xml
