#include "net/http.h"

#include <algorithm>
#include <utility>

#include "net/ascii.h"

namespace levada::net {

void RequestNotes::Clear() {
  id.clear();
  account.clear();
  credential.clear();
  route = {};
}
namespace {

// Before more than this has arrived, a length that was only declared is no reason to allocate.
constexpr uint64_t kReserveBytesMax = 1024 * 1024;
constexpr size_t kFieldsUsual = 8;

struct StatusPhrase {
  int status;
  std::string_view phrase;
};

// RFC 9110 section 15, and RFC 6585, 7725, 4918 for those that APIs answer with.
constexpr StatusPhrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {511, "Network Authentication Required"},
};
static_assert(std::ranges::is_sorted(kPhrases, {}, &StatusPhrase::status));

}  // namespace

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (EqualsIgnoringCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

size_t Headers::Count(std::string_view name) const {
  return static_cast<size_t>(std::ranges::count_if(
      fields_, [&](const HeaderField& field) { return EqualsIgnoringCase(field.name, name); }));
}

void Headers::Add(std::string name, std::string value) {
  if (fields_.empty()) fields_.reserve(kFieldsUsual);
  fields_.push_back({std::move(name), std::move(value)});
}

void Headers::Set(std::string name, std::string value) {
  std::erase_if(fields_,
                [&](const HeaderField& field) { return EqualsIgnoringCase(field.name, name); });
  Add(std::move(name), std::move(value));
}

Task<Result<std::string>> ReadAll(RequestBody& body, uint64_t size_max) {
  const uint64_t declared = body.declared_size().value_or(0);
  if (declared > size_max) co_return Status::Invalid("body longer than ", size_max);
  std::string all;
  all.reserve(std::min(declared, kReserveBytesMax));
  for (;;) {
    const Result<std::string_view> piece = co_await body.Read();
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) co_return std::move(all);
    if (piece->size() > size_max - all.size()) {
      co_return Status::Invalid("body longer than ", size_max);
    }
    all.append(*piece);
  }
}

std::string_view ReasonPhrase(int status) {
  const auto found = std::ranges::lower_bound(kPhrases, status, {}, &StatusPhrase::status);
  return found != std::end(kPhrases) && found->status == status ? found->phrase
                                                                : std::string_view();
}

}  // namespace levada::net
