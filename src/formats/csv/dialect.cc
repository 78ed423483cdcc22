#include "formats/csv/dialect.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace levada::csv {
namespace {

constexpr std::array kDelimiters = {',', ';', '\t', '|'};
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// How quotes were met on the way through a sample.
struct Quoting {
  size_t closed = 0;     ///< fields in quotes that end at a delimiter or a line's end
  size_t unclosed = 0;   ///< fields that begin with a quote and do not end so
  size_t doubled = 0;    ///< "" inside of quotes
  size_t backslash = 0;  ///< \" inside of quotes
};

struct Sample {
  std::vector<std::vector<std::string>> rows;
  Quoting quoting;
};

/// Cuts a sample into rows. Each byte is looked at once.
class Cutter {
 public:
  Cutter(std::string_view text, const Dialect& dialect, size_t rows_max)
      : text_(text), dialect_(dialect), rows_max_(rows_max) {}

  Sample Cut() {
    while (at_ < text_.size() && sample_.rows.size() < rows_max_) Field();
    // A cut-off row says little, but of a text without a line's end it is all there is.
    if (!row_.empty() && sample_.rows.empty()) sample_.rows.push_back(std::move(row_));
    return std::move(sample_);
  }

 private:
  bool IsEnd(size_t at) const {
    return at >= text_.size() || text_[at] == dialect_.delimiter || text_[at] == '\n' ||
           text_[at] == '\r';
  }

  void Field() {
    std::string field;
    if (dialect_.quote != 0 && text_[at_] == dialect_.quote) Quoted(field);
    while (!IsEnd(at_)) field += text_[at_++];
    row_.push_back(std::move(field));
    if (at_ >= text_.size()) return;
    if (text_[at_] == dialect_.delimiter) {
      ++at_;
      // Behind the last delimiter of the text stands one more, empty field of a row cut off.
      if (at_ >= text_.size()) row_.emplace_back();
      return;
    }
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    const bool is_blank = row_.size() == 1 && row_.front().empty();
    if (!is_blank) sample_.rows.push_back(std::move(row_));
    row_.clear();
  }

  void Quoted(std::string& field) {
    Quoting& quoting = sample_.quoting;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
      if (c == '\\' && next == dialect_.quote) {
        ++quoting.backslash;
        if (dialect_.escape != '\\') continue;
      }
      if (dialect_.escape != 0 && c == dialect_.escape && at_ + 1 < text_.size()) {
        field += text_[++at_];
      } else if (c != dialect_.quote) {
        field += c;
      } else if (next == dialect_.quote) {
        ++quoting.doubled;
        field += text_[++at_];
      } else {
        ++at_;
        ++(IsEnd(at_) ? quoting.closed : quoting.unclosed);
        return;
      }
    }
    ++quoting.unclosed;
  }

  const std::string_view text_;
  const Dialect& dialect_;
  const size_t rows_max_;
  size_t at_ = 0;
  std::vector<std::string> row_;
  Sample sample_;
};

Sample CutSample(std::string_view text, const Dialect& dialect, size_t rows_max) {
  text = text.substr(0, kSampleBytesMax);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return Cutter(text, dialect, rows_max).Cut();
}

/// How many rows have as many fields as the first, of those that have more than one.
size_t Agreement(const Sample& sample) {
  if (sample.rows.empty() || sample.rows.front().size() < 2) return 0;
  const size_t width = sample.rows.front().size();
  return static_cast<size_t>(
      std::ranges::count_if(sample.rows, [&](const auto& row) { return row.size() == width; }));
}

char GuessDelimiter(std::string_view text, Dialect dialect) {
  char best = ',';
  std::pair<double, size_t> best_score = {0, 0};
  for (const char delimiter : kDelimiters) {
    dialect.delimiter = delimiter;
    const Sample sample = CutSample(text, dialect, kSampleRowsMax);
    const size_t agreement = Agreement(sample);
    if (agreement == 0) continue;
    const std::pair<double, size_t> score = {
        static_cast<double>(agreement) / static_cast<double>(sample.rows.size()),
        sample.rows.front().size()};
    if (score <= best_score) continue;
    best = delimiter;
    best_score = score;
  }
  return best;
}

/// Single quotes only where they stand around fields, always, and double ones never do.
char GuessQuote(std::string_view text, Dialect dialect) {
  dialect.quote = '"';
  if (CutSample(text, dialect, kSampleRowsMax).quoting.closed > 0) return '"';
  dialect.quote = '\'';
  dialect.delimiter = GuessDelimiter(text, dialect);
  const Quoting quoting = CutSample(text, dialect, kSampleRowsMax).quoting;
  return quoting.closed > 0 && quoting.unclosed == 0 ? '\'' : '"';
}

char GuessEscape(std::string_view text, const Dialect& dialect) {
  if (dialect.quote == 0) return 0;
  const Quoting quoting = CutSample(text, dialect, kSampleRowsMax).quoting;
  return quoting.backslash > 0 && quoting.doubled == 0 ? '\\' : '\0';
}

/// A number, a date, a time: a digit first, and nothing that is not a part of such.
bool LooksLikeValue(std::string_view field) {
  const size_t sign = field.starts_with('-') || field.starts_with('+') ? 1 : 0;
  const bool has_digit = field.size() > sign && (IsDigit(field[sign]) || field[sign] == '.');
  return has_digit && std::ranges::all_of(field, [](char c) {
           return IsDigit(c) || std::string_view("+-.,:/ eETZ").find(c) != std::string_view::npos;
         });
}

bool GuessHeader(const Sample& sample) {
  if (sample.rows.empty()) return true;
  std::set<std::string_view> names;
  return std::ranges::all_of(sample.rows.front(), [&](const std::string& field) {
    return !field.empty() && !LooksLikeValue(field) && names.insert(field).second;
  });
}

}  // namespace

Dialect GuessDialect(std::string_view sample, const Dialect& given, const KnownDialect& known) {
  Dialect dialect = given;
  if (!known.escape) dialect.escape = 0;
  if (!known.quote) {
    if (!known.delimiter) dialect.delimiter = GuessDelimiter(sample, dialect);
    dialect.quote = GuessQuote(sample, dialect);
  }
  if (!known.delimiter) dialect.delimiter = GuessDelimiter(sample, dialect);
  if (!known.escape) dialect.escape = GuessEscape(sample, dialect);
  if (!known.header) dialect.header = GuessHeader(CutSample(sample, dialect, 2));
  return dialect;
}

std::vector<std::vector<std::string>> FirstRows(std::string_view sample, const Dialect& dialect,
                                                size_t rows_max) {
  return CutSample(sample, dialect, std::min(rows_max, kSampleRowsMax)).rows;
}

}  // namespace levada::csv
