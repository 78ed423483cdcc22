#pragma once
// Which format a file is of, as its name says it.

#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levada::files {

enum class Format : uint8_t { kParquet, kCsv, kJsonLines, kArrow, kOrc };

struct FileKind {
  Format format = Format::kParquet;
  arrow::Compression::type compression = arrow::Compression::UNCOMPRESSED;
  bool operator==(const FileKind&) const = default;
};

/// By the ending of a name, in any case: .csv, .csv.gz; nullopt for one that says nothing.
std::optional<FileKind> KindOfName(std::string_view name);

/// What .gz or .zst at the end of a name says, whatever stands before.
arrow::Compression::type CompressionOfName(std::string_view name);

/// The word of option `format`.
std::string_view WordOf(Format format);
std::optional<Format> FormatOfWord(std::string_view word);

/// Rows of text, which have no types of their own.
inline bool IsText(Format format) { return format == Format::kCsv || format == Format::kJsonLines; }

}  // namespace levada::files
