#include "elt/hidden_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace levada::elt {
namespace {

constexpr size_t kNowhere = std::string_view::npos;
constexpr std::string_view kBetween = " \t\"'";  // a key and its colon

/// A range of bytes of a text.
struct Range {
  size_t begin;
  size_t end;
};

void Hide(std::string& text, Range range) {
  for (size_t i = range.begin; i < std::min(range.end, text.size()); ++i) {
    // A reference shows only where the secret is kept.
    if (text[i] == '$' && text.compare(i, 2, "${") == 0) {
      const size_t close = text.find('}', i);
      if (close != kNowhere && close < range.end) {
        i = close;
        continue;
      }
    }
    if (text[i] != '\n' && text[i] != '\r') text[i] = '*';
  }
}

/// The passwords of URLs within `within`: from the first colon of the authority to the last "@" of
/// the word.
std::vector<Range> UrlPasswords(std::string_view text, Range within) {
  std::vector<Range> found;
  size_t scheme = text.find("://", within.begin);
  while (scheme != kNowhere && scheme < within.end) {
    const size_t start = scheme + 3;
    size_t end = text.find_first_of(" \t\r\n\"'", start);
    end = std::min({end, within.end, text.size()});
    const size_t at = text.substr(0, end).rfind('@');
    const size_t colon = text.find(':', start);
    if (at != kNowhere && at > start && colon < at) found.push_back({colon + 1, at});
    scheme = text.find("://", start);
  }
  return found;
}

bool NamesASecret(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> kEndings = {"password",   "passwd", "pwd",
                                                        "passphrase", "secret", "token"};
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return lower.ends_with(end); });
}

/// The values behind `password:` and `password=` within `within`.
std::vector<Range> NamedSecrets(std::string_view text, Range within) {
  std::vector<Range> found;
  for (size_t i = within.begin; i < within.end; ++i) {
    if (text[i] != ':' && text[i] != '=') continue;
    size_t word_end = i;
    while (word_end > within.begin && kBetween.find(text[word_end - 1]) != kNowhere) --word_end;
    size_t word = word_end;
    while (word > within.begin && (std::isalnum(static_cast<unsigned char>(text[word - 1])) != 0 ||
                                   text[word - 1] == '_')) {
      --word;
    }
    if (!NamesASecret(text.substr(word, word_end - word))) continue;
    size_t begin = text.find_first_not_of(" \t", i + 1);
    if (begin == kNowhere || begin >= within.end) continue;
    const bool quoted = text[begin] == '"' || text[begin] == '\'';
    const size_t end =
        quoted ? text.find(text[begin], begin + 1) : text.find_first_of("&\r\n", begin);
    found.push_back({quoted ? begin + 1 : begin, std::min({end, within.end, text.size()})});
  }
  return found;
}

/// Without its references: what is written here itself.
std::string WithoutReferences(std::string_view text) {
  std::string rest;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t close = text.substr(i, 2) == "${" ? text.find('}', i) : kNowhere;
    if (close == kNowhere) {
      rest += text[i];
    } else {
      i = close;
    }
  }
  return rest;
}

/// Which bytes of `within` are the secret, given the scalar's whole text: parts of a URL, or all.
std::vector<Range> SecretRanges(std::string_view value, std::string_view text, Range within) {
  // What follows a reference to a whole URL is part of one.
  const bool url_by_reference =
      value.starts_with("${") && value.find('}') + 1 == value.find_first_of("?/", value.find('}'));
  if (!IsConnectionText(value) && !url_by_reference) return {within};
  std::vector<Range> ranges = UrlPasswords(text, within);
  for (const Range& range : NamedSecrets(text, within)) ranges.push_back(range);
  return ranges;
}

}  // namespace

bool IsConnectionText(std::string_view text) {
  constexpr std::array<std::string_view, 7> kMarks = {
      "://", "host=", "hostaddr=", "dbname=", "user=", "port=", "service="};
  return std::ranges::any_of(kMarks,
                             [&](std::string_view mark) { return text.find(mark) != kNowhere; });
}

bool HoldsLiteralSecret(std::string_view text) {
  return std::ranges::any_of(SecretRanges(text, text, {0, text.size()}), [&](const Range& range) {
    return !WithoutReferences(text.substr(range.begin, range.end - range.begin)).empty();
  });
}

std::shared_ptr<const SourceText> HideLikelySecrets(
    const std::shared_ptr<const SourceText>& source) {
  std::string shown = source->text;
  const Range all{0, shown.size()};
  for (const Range& range : UrlPasswords(source->text, all)) Hide(shown, range);
  for (const Range& range : NamedSecrets(source->text, all)) Hide(shown, range);
  if (shown == source->text) return source;
  return std::make_shared<SourceText>(SourceText{source->name, std::move(shown)});
}

std::shared_ptr<const SourceText> HideSecrets(const std::shared_ptr<const SourceText>& source,
                                              const std::vector<const Value*>& secrets) {
  std::string shown = source->text;
  // Under a misspelt key a URL is no secret option, and is shown all the more.
  for (const Range& range : UrlPasswords(source->text, {0, shown.size()})) Hide(shown, range);
  for (const Value* secret : secrets) {
    if (secret->origin != nullptr) continue;  // of another document, where it is hidden
    const Range within{secret->begin, secret->end};
    if (within.end > source->text.size()) continue;
    for (const Range& range : SecretRanges(secret->text, source->text, within)) Hide(shown, range);
  }
  if (shown == source->text) return source;
  return std::make_shared<SourceText>(SourceText{source->name, std::move(shown)});
}

}  // namespace levada::elt
