// Any bytes as the URL of an operator: what is taken can be sent in a request line and read again.

#include <algorithm>
#include <string_view>

#include "net/http_url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace net = levada::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = net::ParseHttpUrl(text);
  if (!url.ok()) return 0;
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7f; };
  const std::string written = url->Origin() + url->target;
  const bool holds = url->port != 0 && !url->host.empty() && url->target.starts_with('/') &&
                     std::ranges::all_of(written, is_visible);
  const auto again = net::ParseHttpUrl(written);
  if (!holds || (again.ok() && !(*again == *url))) levada::Status::Invalid(written).Abort();
  return 0;
}
