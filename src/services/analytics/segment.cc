#include "services/analytics/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace levada::services::analytics {
namespace {

/// A segment ends with the batch that makes it too long.
constexpr int64_t kFileBytesMax = int64_t{256} << 20;
constexpr std::string_view kExtension = ".seg";

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Fault Damaged(const std::string& path, int64_t offset) {
  return Fault(FaultCode::kStoreDamaged,
               fmt::format("segment \"{}\": what stands at {} is not what was written",
                           os::BaseName(path), offset))
      .With("path", path)
      .With("byte_offset", std::to_string(offset));
}

/// Whether a batch begins anywhere behind `place`: none is written before the one that stands there
/// is durable.
bool HasMoreBehind(BatchPlace place, std::string_view bytes) {
  for (size_t at = static_cast<size_t>(place.offset) + 1; at + kBatchHeadBytes <= bytes.size();
       ++at) {
    at = bytes.find("AE", at);  // with which both kinds of heads begin
    if (at == std::string_view::npos) return false;
    place.offset = static_cast<int64_t>(at);
    if (DecodeBatchHead(place, bytes.substr(at))) return true;
  }
  return false;
}

Result<std::string> ReadWhole(os::Disk& disk, const std::string& path) {
  const auto file = disk.Open(path);
  if (!file.ok() && CodeOf(file.status()) == FaultCode::kTargetFileMissing) {
    return Damaged(path, 0).Because(file.status());
  }
  ARROW_RETURN_NOT_OK(file.status());
  ARROW_ASSIGN_OR_RAISE(const int64_t size, (*file)->Size());
  if (size > kFileBytesMax) return Damaged(path, kFileBytesMax);
  std::string bytes(static_cast<size_t>(size), '\0');
  const auto read =
      (*file)->ReadAt(0, std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  // A disk that cannot read it today cannot tomorrow, and others wait behind it.
  if (!read.ok()) return Damaged(path, 0).Because(read.status());
  bytes.resize(static_cast<size_t>(*read));
  return bytes;
}

}  // namespace

std::string NameOfSegment(uint64_t number) { return fmt::format("{:020}{}", number, kExtension); }

std::optional<uint64_t> NumberOfSegment(std::string_view file_name) {
  if (!file_name.ends_with(kExtension)) return std::nullopt;
  file_name.remove_suffix(kExtension.size());
  const char* const behind = file_name.data() + file_name.size();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(file_name.data(), behind, number);
  if (error != std::errc() || end != behind) return std::nullopt;
  return number;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(os::Disk& disk,
                                                             const std::string& path,
                                                             const SegmentIdentity& segment) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Create(path));
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file), segment));
  ARROW_RETURN_NOT_OK(writer->Write(EncodeSegmentHead(segment)));
  ARROW_RETURN_NOT_OK(disk.SyncDirectory(os::ParentPath(path)));
  return writer;
}

Status SegmentWriter::Write(std::string_view bytes) {
  ARROW_RETURN_NOT_OK(file_->Append(Bytes(bytes)));
  ARROW_RETURN_NOT_OK(file_->Sync());
  place_.offset += static_cast<int64_t>(bytes.size());
  return Status::OK();
}

Status SegmentWriter::Append(std::span<const Rows> rows) {
  ARROW_RETURN_NOT_OK(Write(EncodeBatch(place_, sequence_, rows)));
  ++sequence_;
  for (const Rows& each : rows) row_count_ += each.count;
  return Status::OK();
}

Status SegmentWriter::End() {
  ARROW_RETURN_NOT_OK(Write(EncodeEnd(place_, sequence_)));
  return file_->Close();
}

Result<SegmentContent> ReadSegment(os::Disk& disk, const std::string& path, uint64_t number) {
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, ReadWhole(disk, path));
  SegmentContent content;
  const auto segment = DecodeSegmentHead(bytes);
  if (!segment) {
    // The head is durable before the first batch is written.
    if (bytes.size() > kSegmentHeadBytes) return Damaged(path, 0);
    return content;
  }
  if (segment->number != number) return Damaged(path, 0);
  content.segment = *segment;
  BatchPlace place{*segment, static_cast<int64_t>(kSegmentHeadBytes)};
  const std::string_view all(bytes);
  while (!content.is_ended) {
    const std::string_view rest = all.substr(static_cast<size_t>(place.offset));
    const auto head = DecodeBatchHead(place, rest);
    auto rows = head ? DecodeBatchBody(place, *head, rest.substr(kBatchHeadBytes)) : std::nullopt;
    if (!rows) break;
    if (head->sequence != content.batches) return Damaged(path, place.offset);
    place.offset += static_cast<int64_t>(SizeOf(*head));
    content.is_ended = head->is_end;
    content.batches += head->is_end ? 0 : 1;
    std::ranges::move(*rows, std::back_inserter(content.rows));
  }
  content.valid_bytes = place.offset;
  const bool is_whole = static_cast<size_t>(place.offset) == bytes.size();
  if (!is_whole && (content.is_ended || HasMoreBehind(place, all))) {
    return Damaged(path, place.offset);
  }
  content.cut_bytes = static_cast<int64_t>(bytes.size()) - place.offset;
  return content;
}

Result<SegmentContent> MendSegment(os::Disk& disk, const std::string& path, uint64_t number) {
  ARROW_ASSIGN_OR_RAISE(SegmentContent content, ReadSegment(disk, path, number));
  if (content.valid_bytes == 0) return content;
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.OpenMutable(path));
  if (!content.is_ended) {
    // Durable first: an end with something behind it would be damage.
    ARROW_RETURN_NOT_OK(file->Truncate(content.valid_bytes));
    ARROW_RETURN_NOT_OK(file->Sync());
    const std::string end = EncodeEnd({content.segment, content.valid_bytes}, content.batches);
    ARROW_RETURN_NOT_OK(file->WriteAt(content.valid_bytes, Bytes(end)));
    content.is_ended = true;
    content.valid_bytes += static_cast<int64_t>(end.size());
  }
  ARROW_RETURN_NOT_OK(file->Sync());  // also of one that was ended, perhaps not durably
  return content;
}

}  // namespace levada::services::analytics
