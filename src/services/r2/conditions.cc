#include "services/r2/conditions.h"

#include <algorithm>

namespace levada::services::r2 {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool Contains(const EtagList& list, std::string_view etag, bool strong) {
  if (list.is_any) return true;
  return std::ranges::any_of(list.etags, [etag, strong](const EtagList::Etag& each) {
    return each.value == etag && !(strong && each.is_weak);
  });
}

int64_t Floored(int64_t ms) { return ms - ((ms % 1000) + 1000) % 1000; }

}  // namespace

EtagList ParseEtagList(std::string_view text) {
  EtagList list;
  text = Trimmed(text);
  if (text == "*") {
    list.is_any = true;
    return list;
  }
  // A comma may stand inside quotes.
  while (!text.empty()) {
    EtagList::Etag etag;
    if (text.starts_with("W/")) {
      etag.is_weak = true;
      text.remove_prefix(2);
    }
    size_t end = 0;
    if (text.starts_with('"')) {
      end = std::min(text.find('"', 1), text.size());
      etag.value = text.substr(1, end - 1);
      end = std::min(text.find(',', end), text.size());
    } else {
      end = std::min(text.find(','), text.size());
      etag.value = Trimmed(text.substr(0, end));
    }
    if (!etag.value.empty()) list.etags.push_back(std::move(etag));
    text = Trimmed(text.substr(std::min(end + 1, text.size())));
  }
  return list;
}

Verdict Evaluate(const Conditions& conditions, const ObjectRecord* object) {
  if (object == nullptr) {
    const bool fails = conditions.match ||
                       (conditions.modified_since_ms && conditions.missing_fails_modified_since);
    return fails ? Verdict::kFails : Verdict::kHolds;
  }
  const int64_t uploaded =
      conditions.by_seconds ? Floored(object->uploaded_ms) : object->uploaded_ms;
  if (conditions.match) {
    if (!Contains(*conditions.match, object->etag, true)) return Verdict::kFails;
  } else if (conditions.unmodified_since_ms && uploaded > *conditions.unmodified_since_ms) {
    return Verdict::kFails;
  }
  if (conditions.none_match) {
    if (Contains(*conditions.none_match, object->etag, false)) return Verdict::kNotModified;
  } else if (conditions.modified_since_ms && uploaded <= *conditions.modified_since_ms) {
    return Verdict::kNotModified;
  }
  return Verdict::kHolds;
}

}  // namespace levada::services::r2
