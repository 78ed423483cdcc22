#include "backup/file_list.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/memory.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/json.h"

namespace levada::backup {
namespace {

constexpr size_t kLineBytesMax = 16 * 1024;
constexpr size_t kPathBytesMax = 4096;
constexpr int64_t kReadBytes = 64 * 1024;
constexpr size_t kSha256Digits = 64;

Fault Corrupt(const std::string& what) {
  return Fault(FaultCode::kManifestCorrupt, "the list of a backup's files is damaged: " + what)
      .Help("take another backup; `levada restore --list` says which there are");
}

bool IsSha256(std::string_view text) {
  return text.size() == kSha256Digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

/// Relative, and nowhere out of its directory.
bool IsInside(std::string_view path) {
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != path.npos) return false;
  while (true) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == path.size()) return true;
    path.remove_prefix(end + 1);
  }
}

std::optional<int64_t> IntegerOf(const Json& line, const char* name) {
  const auto at = line.find(name);
  if (at == line.end() || !at->is_number_integer()) return std::nullopt;
  if (at->is_number_unsigned() && at->get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
    return std::nullopt;
  }
  return at->get<int64_t>();
}

std::string TextOf(const Json& line, const char* name) {
  const auto at = line.find(name);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Result<FileEntry> EntryOf(std::string_view text) {
  const Json line = ParseJson(text);
  if (!line.is_object()) return Corrupt("a line is no JSON object");
  const auto bytes = IntegerOf(line, "bytes"), modified = IntegerOf(line, "modified_ns");
  FileEntry entry{TextOf(line, "path"), bytes.value_or(-1), modified.value_or(0),
                  TextOf(line, "sha256")};
  if (!IsInside(entry.path) || entry.bytes < 0 || !modified || !IsSha256(entry.sha256)) {
    return Corrupt(fmt::format("a line is of no file: {}", Dump(line)));
  }
  return entry;
}

Result<std::unique_ptr<arrow::util::Codec>> CodecOfLists() {
  return arrow::util::Codec::Create(arrow::Compression::ZSTD);
}

}  // namespace

int ComparePaths(std::string_view a, std::string_view b) {
  const auto order = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) return order(a[i]) - order(b[i]);
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

struct FileListWriter::State {
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::io::BufferOutputStream> bytes;
  std::shared_ptr<arrow::io::CompressedOutputStream> stream;
};

FileListWriter::FileListWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileListWriter::FileListWriter(FileListWriter&&) noexcept = default;
FileListWriter& FileListWriter::operator=(FileListWriter&&) noexcept = default;
FileListWriter::~FileListWriter() = default;

Result<FileListWriter> FileListWriter::Make() {
  auto state = std::make_unique<State>();
  ARROW_ASSIGN_OR_RAISE(state->codec, CodecOfLists());
  ARROW_ASSIGN_OR_RAISE(state->bytes, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(state->stream,
                        arrow::io::CompressedOutputStream::Make(state->codec.get(), state->bytes));
  return FileListWriter(std::move(state));
}

Status FileListWriter::Add(const FileEntry& entry) {
  return state_->stream->Write(Dump(Json{{"path", entry.path},
                                         {"bytes", entry.bytes},
                                         {"modified_ns", entry.modified_ns},
                                         {"sha256", entry.sha256}}) +
                               "\n");
}

Result<std::string> FileListWriter::Finish() {
  ARROW_RETURN_NOT_OK(state_->stream->Close());
  ARROW_ASSIGN_OR_RAISE(const auto buffer, state_->bytes->Finish());
  return buffer->ToString();
}

struct FileListReader::State {
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::io::CompressedInputStream> stream;
  std::string rest;  // read, and not given out
  size_t at = 0;     // in it
  std::string last;  // path

  /// The next line without its end; nullopt at the end of all.
  Result<std::optional<std::string_view>> Line() {
    while (true) {
      const size_t end = rest.find('\n', at);
      if (end != rest.npos) {
        const std::string_view line = std::string_view(rest).substr(at, end - at);
        at = end + 1;
        return line;
      }
      rest.erase(0, at);
      at = 0;
      if (rest.size() > kLineBytesMax) return Corrupt("a line is too long");
      const auto read = stream->Read(kReadBytes);
      if (!read.ok()) return Corrupt(read.status().message());
      if ((*read)->size() == 0) {
        if (!rest.empty()) return Corrupt("its end is missing");
        return std::nullopt;
      }
      rest += std::string_view(**read);
    }
  }
};

FileListReader::FileListReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileListReader::FileListReader(FileListReader&&) noexcept = default;
FileListReader& FileListReader::operator=(FileListReader&&) noexcept = default;
FileListReader::~FileListReader() = default;

Result<FileListReader> FileListReader::Make(std::string_view bytes) {
  auto state = std::make_unique<State>();
  ARROW_ASSIGN_OR_RAISE(state->codec, CodecOfLists());
  const auto buffer = std::make_shared<arrow::Buffer>(bytes);
  ARROW_ASSIGN_OR_RAISE(state->stream,
                        arrow::io::CompressedInputStream::Make(
                            state->codec.get(), std::make_shared<arrow::io::BufferReader>(buffer)));
  return FileListReader(std::move(state));
}

Result<std::optional<FileEntry>> FileListReader::Next() {
  ARROW_ASSIGN_OR_RAISE(const auto line, state_->Line());
  if (!line) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(FileEntry entry, EntryOf(*line));
  if (!state_->last.empty() && ComparePaths(state_->last, entry.path) >= 0) {
    return Corrupt(fmt::format("\"{}\" stands behind \"{}\"", entry.path, state_->last));
  }
  state_->last = entry.path;
  return entry;
}

}  // namespace levada::backup
