#include "connectors/generate/text_forms.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include "connectors/generate/counter_random.h"

namespace levada::generate {
namespace {

/// A length from `least` on, each of `count` as likely.
struct Length {
  int64_t least = 0;
  uint64_t count = 1;
  int64_t Of(uint64_t word) const { return least + static_cast<int64_t>(Below(word, count)); }
};

/// As many different texts as `symbols` in `least` places give at least.
double DistinctOf(double symbols, int64_t least) {
  double distinct = 1;
  for (int64_t i = 0; i < least && distinct < 1e18; ++i) distinct *= symbols;
  return distinct < 1e18 ? distinct : kAllDistinct;
}

template <typename Write>
TextForm FormOf(Write write, int64_t least, int64_t greatest, double distinct) {
  TextForm form;
  form.texts = TextsBy(std::move(write));
  form.average_bytes = static_cast<double>(least + greatest) / 2;
  form.bytes_max = greatest;
  form.distinct = distinct;
  return form;
}

Length LengthOf(int64_t least, int64_t greatest) {
  return {least, static_cast<uint64_t>(greatest - least) + 1};
}

// ---------------------------------------------------------------------------------------------
// words

// Sixty-four: six bits choose one. Short enough for a copy of 16 bytes with the space behind them.
constexpr auto kWords = std::to_array<std::string_view>({
    "water",     "after",   "under",   "river",    "stone",    "green",  "early",  "silent",
    "market",    "orders",  "request", "account",  "deep",     "carry",  "across", "slow",
    "final",     "package", "theory",  "pending",  "above",    "wheel",  "garden", "copper",
    "narrow",    "channel", "bright",  "against",  "furious",  "ironic", "sleep",  "detect",
    "blithe",    "express", "deposit", "special",  "the",      "of",     "and",    "among",
    "quick",     "careful", "unusual", "regular",  "platelet", "nag",    "haggle", "wake",
    "cajole",    "boost",   "even",    "bold",     "is",       "are",    "idle",   "foxes",
    "asymptote", "pinto",   "beans",   "instruct", "daring",   "along",  "thin",   "to",
});
static_assert(kWords.size() == 64);
constexpr size_t kPaddedSize = 16;

struct PaddedWord {
  std::array<char, kPaddedSize> text{};
  size_t size = 0;  ///< with the space
};

constexpr std::array<PaddedWord, kWords.size()> PadWords() {
  std::array<PaddedWord, kWords.size()> padded{};
  for (size_t i = 0; i < kWords.size(); ++i) {
    for (size_t c = 0; c < kWords[i].size(); ++c) padded[i].text[c] = kWords[i][c];
    padded[i].text[kWords[i].size()] = ' ';
    padded[i].size = kWords[i].size() + 1;
  }
  return padded;
}
constexpr std::array<PaddedWord, kWords.size()> kPaddedWords = PadWords();
static_assert(kPaddedSize <= kTextSlackBytes);

struct Words {
  uint64_t key;
  Length length;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    RowWords words(key, row);
    uint8_t* const end = out + length.Of(words.Next());
    while (out < end) {
      uint64_t bits = words.Next();
      for (int i = 0; i < 10 && out < end; ++i, bits >>= 6) {
        const PaddedWord& word = kPaddedWords[bits & 63];
        std::memcpy(out, word.text.data(), kPaddedSize);
        out += word.size;
      }
    }
    return end;
  }
};

// ---------------------------------------------------------------------------------- characters,
// bytes

constexpr std::string_view kCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(kCharacters.size() == 64);

struct Characters {
  uint64_t key;
  Length length;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    RowWords words(key, row);
    uint8_t* const end = out + length.Of(words.Next());
    while (out < end) {
      uint64_t bits = words.Next();
      for (int i = 0; i < 10; ++i, bits >>= 6) {  // up to 9 behind the end
        *out++ = static_cast<uint8_t>(kCharacters[bits & 63]);
      }
    }
    return end;
  }
};

struct Bytes {
  uint64_t key;
  Length length;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    RowWords words(key, row);
    uint8_t* const end = out + length.Of(words.Next());
    while (out < end) {
      const uint64_t bits = words.Next();
      for (int shift = 0; shift < 64; shift += 8) {  // in one order on every machine
        *out++ = static_cast<uint8_t>(bits >> shift);
      }
    }
    return end;
  }
};

// ----------------------------------------------------------------------------------------------
// uuid

constexpr int64_t kUuidSize = 36;

struct Uuids {
  uint64_t key;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    constexpr const char* kDigits = "0123456789abcdef";
    RowWords words(key, row);
    const uint64_t high = (words.Next() & ~uint64_t{0xF000}) | 0x4000;  // version 4
    const uint64_t low = (words.Next() >> 2) | (uint64_t{1} << 63);     // variant 10
    for (int i = 0; i < 32; ++i) {
      if (i == 8 || i == 12 || i == 16 || i == 20) *out++ = '-';
      const uint64_t half = i < 16 ? high : low;
      *out++ = static_cast<uint8_t>(kDigits[(half >> (60 - 4 * (i % 16))) & 15]);
    }
    return out;
  }
};

// ----------------------------------------------------------------------------------------------
// json

constexpr auto kActions = std::to_array<std::string_view>(
    {"view", "view", "view", "view", "search", "search", "click", "add_to_cart", "login",
     "checkout", "purchase", "refund", "share", "rate", "subscribe", "logout"});
constexpr auto kCountries =
    std::to_array<std::string_view>({"DE", "PT", "FR", "ES", "IT", "GB", "US", "BR", "IN", "JP",
                                     "CN", "NG", "ZA", "AU", "CA", "MX"});

uint8_t* Append(std::string_view text, uint8_t* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

uint8_t* AppendNumber(uint64_t number, uint8_t* out) {
  char* text = reinterpret_cast<char*>(out);
  constexpr size_t kDigitsMax = 20;
  return reinterpret_cast<uint8_t*>(std::to_chars(text, text + kDigitsMax, number).ptr);
}

// All texts and the longest of each value.
constexpr int64_t kJsonSizeMax = 117;
static_assert(20 <= kTextSlackBytes, "the room that AppendNumber asks for");

struct Jsons {
  uint64_t key;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    RowWords words(key, row);
    const uint64_t bits = words.Next();
    out = Append("{\"user\":{\"id\":", out);
    out = AppendNumber(Below(words.Next(), 10'000'000), out);
    out = Append(",\"country\":\"", out);
    out = Append(kCountries[bits & 15], out);
    out = Append("\"},\"action\":\"", out);
    out = Append(kActions[(bits >> 4) & 15], out);
    out = Append("\",\"path\":\"/items/", out);
    out = AppendNumber(Below(words.Next(), 100'000), out);
    out = Append("\",\"duration_ms\":", out);
    out = AppendNumber(Below(words.Next(), 10'000), out);
    out = Append(",\"mobile\":", out);
    return Append((bits >> 8) % 3 == 0 ? "true}" : "false}", out);
  }
};

/// Of the first rows of one key: the same in every build, and near enough for an estimate.
double AverageOf(const Jsons& jsons) {
  constexpr int kRows = 256;
  std::array<uint8_t, kJsonSizeMax + kTextSlackBytes> text;
  int64_t bytes = 0;
  for (int row = 0; row < kRows; ++row) bytes += jsons(row, text.data()) - text.data();
  return static_cast<double>(bytes) / kRows;
}

// --------------------------------------------------------------------------------------------
// choice

struct LongChoice {
  uint64_t key;
  std::vector<std::string> values;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    return Append(values[Below(WordAt(key, row), values.size())], out);
  }
};

/// All of them by a copy of one size.
struct ShortChoice {
  struct Value {
    std::array<char, kTextSlackBytes> text{};
    size_t size = 0;
  };
  uint64_t key;
  std::vector<Value> values;
  uint8_t* operator()(int64_t row, uint8_t* out) const {
    const Value& value = values[Below(WordAt(key, row), values.size())];
    std::memcpy(out, value.text.data(), value.text.size());
    return out + value.size;
  }
};

}  // namespace

TextForm WordTexts(uint64_t key, int64_t least, int64_t greatest) {
  // A word has five letters or so.
  return FormOf(Words{key, LengthOf(least, greatest)}, least, greatest,
                DistinctOf(kWords.size(), (least + greatest) / 12 + 1));
}

TextForm CharacterTexts(uint64_t key, int64_t least, int64_t greatest) {
  return FormOf(Characters{key, LengthOf(least, greatest)}, least, greatest,
                DistinctOf(kCharacters.size(), greatest));
}

TextForm RandomBytes(uint64_t key, int64_t least, int64_t greatest) {
  return FormOf(Bytes{key, LengthOf(least, greatest)}, least, greatest, DistinctOf(256, greatest));
}

TextForm UuidTexts(uint64_t key) { return FormOf(Uuids{key}, kUuidSize, kUuidSize, kAllDistinct); }

TextForm JsonTexts(uint64_t key) {
  const Jsons jsons{key};
  TextForm form = FormOf(jsons, 0, kJsonSizeMax, kAllDistinct);
  form.average_bytes = AverageOf(jsons);
  return form;
}

TextForm ChoiceTexts(uint64_t key, const std::vector<std::string>& values) {
  size_t longest = 0;
  size_t total = 0;
  for (const std::string& value : values) {
    longest = std::max(longest, value.size());
    total += value.size();
  }
  TextForm form;
  form.average_bytes = static_cast<double>(total) / static_cast<double>(values.size());
  form.bytes_max = static_cast<int64_t>(longest);
  form.distinct = static_cast<double>(values.size());
  if (longest > static_cast<size_t>(kTextSlackBytes)) {
    form.texts = TextsBy(LongChoice{key, values});
    return form;
  }
  ShortChoice choice{key, {}};
  for (const std::string& value : values) {
    ShortChoice::Value& padded = choice.values.emplace_back();
    std::copy(value.begin(), value.end(), padded.text.begin());
    padded.size = value.size();
  }
  form.texts = TextsBy(std::move(choice));
  return form;
}

}  // namespace levada::generate
