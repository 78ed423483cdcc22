#include "formats/multipart/multipart.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace levada::formats::multipart {
namespace {

constexpr size_t kBoundaryBytesMax = 70;  // RFC 2046 section 5.1.1
constexpr std::string_view kBlanks = " \t";

Status Malformed(const std::string& what) { return Status::Invalid("multipart body: " + what); }

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// The parameter of a header value such as `form-data; name="a"`. Browsers write `"` in a quoted
/// text as %22 or \", so a backslash takes the next character as it is.
std::optional<std::string> Parameter(std::string_view value, std::string_view lower_name) {
  size_t at = value.find(';');
  while (at != std::string_view::npos && at < value.size()) {
    const size_t equals = value.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = Trimmed(value.substr(at + 1, equals - at - 1));
    std::string text;
    size_t end = equals + 1;
    while (end < value.size() && kBlanks.find(value[end]) != std::string_view::npos) ++end;
    if (end < value.size() && value[end] == '"') {
      for (++end; end < value.size() && value[end] != '"'; ++end) {
        if (value[end] == '\\' && end + 1 < value.size()) ++end;
        text.push_back(value[end]);
      }
      if (end >= value.size()) return std::nullopt;
      ++end;
    } else {
      const size_t stop = std::min(value.find(';', end), value.size());
      text = Trimmed(value.substr(end, stop - end));
      end = stop;
    }
    if (EqualsIgnoringCase(name, lower_name)) return text;
    at = value.find(';', end);
  }
  return std::nullopt;
}

Status ReadHeaders(std::string_view headers, Part& part) {
  bool named = false;
  while (!headers.empty()) {
    const size_t end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Malformed("a part's header has no colon");
    const std::string_view name = Trimmed(line.substr(0, colon));
    const std::string_view value = Trimmed(line.substr(colon + 1));
    if (EqualsIgnoringCase(name, "content-type")) part.content_type = value;
    if (!EqualsIgnoringCase(name, "content-disposition")) continue;
    std::optional<std::string> given = Parameter(value, "name");
    if (!given) continue;
    part.name = *std::move(given);
    part.filename = Parameter(value, "filename");
    named = true;
  }
  return named ? Status::OK() : Malformed("a part has no name");
}

}  // namespace

bool IsFormData(std::string_view content_type) {
  const size_t end = std::min(content_type.find(';'), content_type.size());
  return EqualsIgnoringCase(Trimmed(content_type.substr(0, end)), "multipart/form-data");
}

Result<std::vector<Part>> Parse(std::string_view content_type, std::string_view body,
                                const MultipartLimits& limits) {
  const std::optional<std::string> boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty()) return Malformed("the Content-Type has no boundary");
  if (boundary->size() > kBoundaryBytesMax) return Malformed("the boundary is too long");
  const std::string delimiter = "\r\n--" + *boundary;
  // The first one may begin the body, without a line end before it.
  std::string_view rest = body;
  if (rest.starts_with(std::string_view(delimiter).substr(2))) {
    rest.remove_prefix(delimiter.size() - 2);
  } else {
    const size_t first = rest.find(delimiter);
    if (first == std::string_view::npos) return Malformed("the boundary does not appear");
    rest.remove_prefix(first + delimiter.size());
  }
  std::vector<Part> parts;
  while (true) {
    if (rest.starts_with("--")) return parts;  // what follows is an epilogue
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    if (!rest.starts_with("\r\n")) return Malformed("a delimiter is not at the end of its line");
    if (parts.size() == limits.parts_max) return Malformed("too many parts");
    const std::string_view window = rest.substr(0, limits.headers_bytes_max + 4);
    const size_t headers_end = window.find("\r\n\r\n");
    if (headers_end == std::string_view::npos) {
      return Malformed("a part's headers do not end or are too long");
    }
    Part part;
    ARROW_RETURN_NOT_OK(
        ReadHeaders(headers_end < 2 ? std::string_view() : rest.substr(2, headers_end - 2), part));
    rest.remove_prefix(headers_end + 2);  // the delimiter may follow the empty line's own end
    const size_t end = rest.find(delimiter);
    if (end == std::string_view::npos) return Malformed("the closing delimiter is missing");
    part.body = rest.substr(std::min<size_t>(2, end), end < 2 ? 0 : end - 2);
    rest.remove_prefix(end + delimiter.size());
    parts.push_back(std::move(part));
  }
}

}  // namespace levada::formats::multipart
