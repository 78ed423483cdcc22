#pragma once
// PathPattern: the files that a path stands for: one file, a directory, or a pattern of names.

#include <string>
#include <string_view>
#include <vector>

namespace levada::files {

/// Whether `pattern` stands for all of `name`: * for any bytes, ? for one, [a-z] and [!a-z] for one
/// of a set, \ before any of them for itself. An unclosed [ stands for itself. Takes at most as
/// many steps as both lengths multiplied.
bool MatchesName(std::string_view pattern, std::string_view name);

class PathPattern {
 public:
  explicit PathPattern(std::string_view path);

  /// Whether it has any of * ? [.
  bool is_pattern() const { return !names_.empty(); }
  /// The directory above the first name with any of these; the whole path without one.
  const std::string& base() const { return base_; }
  /// `below` is a path below base(). A ** stands for any directories or none. Names that begin with
  /// "." or "_" match only where the pattern's name begins so too.
  bool Matches(std::string_view below) const;
  /// Whether a path below the directory `below`, a path below base() itself, can match.
  bool MatchesBelow(std::string_view below) const;

 private:
  std::string base_;
  std::vector<std::string> names_;
};

/// "a/b" as its names; empty ones left out.
std::vector<std::string_view> NamesOf(std::string_view path);

/// Begins with "." or "_": not a file of data.
bool IsHidden(std::string_view name);

}  // namespace levada::files
