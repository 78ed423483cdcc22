#include "connectors/files/file_format.h"

#include <arrow/util/compression.h>

#include <algorithm>
#include <array>

namespace levada::files {
namespace {

struct Ending {
  std::string_view text;
  Format format;
};
constexpr std::array kEndings = {
    Ending{".parquet", Format::kParquet},  Ending{".csv", Format::kCsv},
    Ending{".tsv", Format::kCsv},          Ending{".jsonl", Format::kJsonLines},
    Ending{".ndjson", Format::kJsonLines}, Ending{".json", Format::kJsonLines},
    Ending{".arrow", Format::kArrow},      Ending{".arrows", Format::kArrow},
    Ending{".feather", Format::kArrow},    Ending{".ipc", Format::kArrow},
    Ending{".orc", Format::kOrc}};

struct Word {
  std::string_view text;
  Format format;
};
constexpr std::array kWords = {Word{"parquet", Format::kParquet}, Word{"csv", Format::kCsv},
                               Word{"jsonl", Format::kJsonLines}, Word{"arrow", Format::kArrow},
                               Word{"orc", Format::kOrc}};

std::string Lower(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

arrow::Compression::type CompressionOfName(std::string_view name) {
  const std::string lower = Lower(name);
  if (lower.ends_with(".gz")) return arrow::Compression::GZIP;
  if (lower.ends_with(".zst")) return arrow::Compression::ZSTD;
  return arrow::Compression::UNCOMPRESSED;
}

std::optional<FileKind> KindOfName(std::string_view name) {
  const arrow::Compression::type compression = CompressionOfName(name);
  std::string lower = Lower(name);
  if (compression != arrow::Compression::UNCOMPRESSED) lower.resize(lower.rfind('.'));
  for (const Ending& ending : kEndings) {
    if (!lower.ends_with(ending.text)) continue;
    // The others are compressed inside, where they can still be read in parts.
    if (compression != arrow::Compression::UNCOMPRESSED && !IsText(ending.format)) break;
    return FileKind{ending.format, compression};
  }
  return std::nullopt;
}

std::string_view WordOf(Format format) {
  return std::ranges::find(kWords, format, &Word::format)->text;
}

std::optional<Format> FormatOfWord(std::string_view word) {
  const auto found = std::ranges::find(kWords, word, &Word::text);
  return found == kWords.end() ? std::nullopt : std::optional(found->format);
}

}  // namespace levada::files
