#include "formats/s3xml/times.h"

#include "base/timestamp.h"

namespace levada::s3xml {

std::string FormatTime(WallMicros time) {
  std::string text = FormatTimestamp(time);  // "...30.123456Z"
  text.erase(text.size() - 4, 3);
  return text;
}

std::optional<WallMicros> ParseTime(std::string_view text) { return ParseTimestamp(text); }

}  // namespace levada::s3xml
