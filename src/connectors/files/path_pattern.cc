#include "connectors/files/path_pattern.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace levada::files {
namespace {

constexpr std::string_view kAnyDirectories = "**";

bool HasWildcard(std::string_view name) {
  return name.find_first_of("*?[") != std::string_view::npos;
}

/// The end of the set that begins at pattern[at], one behind its "]"; nullopt: it is not closed.
std::optional<size_t> EndOfSet(std::string_view pattern, size_t at) {
  size_t end = at + 1;
  if (end < pattern.size() && (pattern[end] == '!' || pattern[end] == '^')) ++end;
  // A "]" that stands first is one of the set.
  end = pattern.find(']', end + 1);
  return end == std::string_view::npos ? std::nullopt : std::optional(end + 1);
}

bool IsInSet(std::string_view set, char c) {
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (size_t i = 0; i < set.size(); ++i) {
    const auto byte = static_cast<unsigned char>(c);
    const auto low = static_cast<unsigned char>(set[i]);
    unsigned char high = low;
    if (i + 2 < set.size() && set[i + 1] == '-') {
      high = static_cast<unsigned char>(set[i + 2]);
      i += 2;
    }
    found = found || (byte >= low && byte <= high);
  }
  return found != negated;
}

/// How long the piece of the pattern is that stands for `c`, if it does; 0: it does not.
size_t PieceFor(std::string_view pattern, size_t at, char c) {
  if (pattern[at] == '?') return 1;
  if (pattern[at] == '[') {
    if (const auto end = EndOfSet(pattern, at)) {
      return IsInSet(pattern.substr(at + 1, *end - at - 2), c) ? *end - at : 0;
    }
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return pattern[at + 1] == c ? 2 : 0;
  return pattern[at] == c ? 1 : 0;
}

/// Whether `pattern`, no **, stands for the one name `name`.
bool MatchesOne(std::string_view pattern, std::string_view name) {
  if (IsHidden(name) && !IsHidden(pattern)) return false;
  return HasWildcard(pattern) ? MatchesName(pattern, name) : pattern == name;
}

}  // namespace

bool MatchesName(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    if (const size_t piece = p < pattern.size() ? PieceFor(pattern, p, name[n]) : 0; piece > 0) {
      p += piece;
      ++n;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    n = ++star_name;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool IsHidden(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }

std::vector<std::string_view> NamesOf(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) names.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return names;
}

PathPattern::PathPattern(std::string_view path) : base_(path) {
  const size_t wildcard = path.find_first_of("*?[");
  if (wildcard == std::string_view::npos) return;
  const size_t slash = path.rfind('/', wildcard);
  base_ = slash == std::string_view::npos ? "." : std::string(path.substr(0, slash));
  if (slash == 0) base_ = "/";
  for (const auto name : NamesOf(slash == std::string_view::npos ? path : path.substr(slash))) {
    names_.emplace_back(name);
  }
}

bool PathPattern::Matches(std::string_view below) const {
  const std::vector<std::string_view> path = NamesOf(below);
  // As MatchesName does it, with names for bytes and ** for *.
  size_t p = 0;
  size_t n = 0;
  size_t any = std::string_view::npos;
  size_t any_name = 0;
  while (n < path.size()) {
    if (p < names_.size() && names_[p] == kAnyDirectories) {
      any = p++;
      any_name = n;
    } else if (p < names_.size() && MatchesOne(names_[p], path[n])) {
      ++p;
      ++n;
    } else {
      if (any == std::string_view::npos || IsHidden(path[any_name])) return false;
      p = any + 1;
      n = ++any_name;
    }
  }
  // A ** at the end stands for everything below.
  while (p < names_.size() && names_[p] == kAnyDirectories) ++p;
  return p == names_.size();
}

bool PathPattern::MatchesBelow(std::string_view below) const {
  // All places in the pattern at which a next name may stand.
  std::vector<bool> at(names_.size() + 1);
  at[0] = true;
  const auto pass_any = [&] {
    for (size_t p = 0; p < names_.size(); ++p) {
      if (at[p] && names_[p] == kAnyDirectories) at[p + 1] = true;
    }
  };
  pass_any();
  for (const auto name : NamesOf(below)) {
    std::vector<bool> next(at.size());
    for (size_t p = 0; p < names_.size(); ++p) {
      if (!at[p]) continue;
      if (names_[p] == kAnyDirectories) {
        if (!IsHidden(name)) next[p] = true;
      } else if (MatchesOne(names_[p], name)) {
        next[p + 1] = true;
      }
    }
    at = std::move(next);
    pass_any();
  }
  at.pop_back();
  return std::ranges::find(at, true) != at.end();
}

}  // namespace levada::files
