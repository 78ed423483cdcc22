#pragma once
// Tests only: the captures of testdata/captures, and whether an Arrow value says what PostgreSQL's
// text form of it says.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/pgcopy/decoder.h"

namespace levada::pgcopy {

/// One file, see testdata/capture.py. Cells are the text form of COPY, unescaped; absent: NULL.
struct Capture {
  std::string name;
  std::vector<Column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::vector<uint8_t> stream;
};

/// All of them, by name. Aborts the test program when they cannot be read.
std::vector<Capture> ReadCaptures();
Capture ReadCapture(const std::string& name);

/// Empty when `array[index]` is what `text` says; else what is different.
std::string Compare(const arrow::Array& array, int64_t index, const ColumnType& type,
                    const std::optional<std::string>& text);

/// All a decoder makes of a stream.
struct Decoded {
  Status status;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t rows = 0;
};

/// Decodes `stream` in chunks that end at `cuts` (ascending) and at its end. Each chunk is a copy
/// of exactly its size, so that a sanitizer sees a read behind it.
Decoded DecodeInChunks(const std::vector<Column>& columns, const DecoderOptions& options,
                       std::span<const uint8_t> stream, std::span<const size_t> cuts = {});
/// The same in chunks of `size` bytes.
Decoded DecodeBySize(const std::vector<Column>& columns, const DecoderOptions& options,
                     std::span<const uint8_t> stream, size_t size);

/// Empty when both ended alike and have equal valid batches; else what is different.
std::string Difference(const Decoded& left, const Decoded& right);

}  // namespace levada::pgcopy
