#include "services/d1/history_segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace levada::services::d1 {
namespace {

using db::sqlite::kPageBytes;
using db::sqlite::PageBytes;

// A transaction of any size costs this much memory.
constexpr size_t kBufferBytes = 1 << 20;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(os::Disk& disk,
                                                             const std::string& path,
                                                             uint64_t database,
                                                             const Point& before) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Create(path));
  std::unique_ptr<SegmentWriter> writer(
      new SegmentWriter(std::move(file), {.database = database, .segment = before.seq}));
  writer->buffer_ = EncodeHeader(database, before);
  ARROW_RETURN_NOT_OK(writer->Sync());
  ARROW_RETURN_NOT_OK(disk.SyncDirectory(os::ParentPath(path)));
  return writer;
}

RecordPlace SegmentWriter::Place() const {
  RecordPlace place = place_;
  place.offset = size_bytes_ + static_cast<int64_t>(buffer_.size());
  return place;
}

Status SegmentWriter::Flush() {
  if (buffer_.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(file_->Append(Bytes(buffer_)));
  size_bytes_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
  return Status::OK();
}

Status SegmentWriter::Append(const Point& point, const db::sqlite::CommittedPages& pages,
                             uint32_t unsynced) {
  PageBytes page;
  for (const uint32_t number : pages.numbers()) {
    ARROW_RETURN_NOT_OK(pages.Read(number, page));
    EncodePage(Place(), number, page, buffer_);
    if (buffer_.size() >= kBufferBytes) ARROW_RETURN_NOT_OK(Flush());
  }
  const CommitRecord commit{
      .point = point, .pages = static_cast<uint32_t>(pages.numbers().size()), .unsynced = unsynced};
  EncodeCommit(Place(), commit, buffer_);
  return Status::OK();
}

Status SegmentWriter::AppendRestore(const Point& point) {
  EncodeCommit(Place(), {.point = point, .is_restore = true}, buffer_);
  return Status::OK();
}

Status SegmentWriter::Sync() {
  ARROW_RETURN_NOT_OK(Flush());
  return file_->Sync();
}

Status SegmentWriter::End() {
  EncodeEnd(Place(), buffer_);
  return Sync();
}

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(os::Disk& disk, const std::string& path,
                                                           uint64_t database) {
  ARROW_ASSIGN_OR_RAISE(auto file, disk.Open(path));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(file), path, database));
  ARROW_ASSIGN_OR_RAISE(reader->size_bytes_, reader->file_->Size());
  std::array<uint8_t, kHeaderBytes> header{};
  ARROW_ASSIGN_OR_RAISE(const int64_t read, reader->file_->ReadAt(0, header));
  const auto before = DecodeHeader(database, std::span(header).first(static_cast<size_t>(read)));
  if (!before) {
    // The header is durable before the first transaction is written.
    if (reader->size_bytes_ <= static_cast<int64_t>(kHeaderBytes)) return nullptr;
    return reader->Damaged(0);
  }
  reader->before_ = reader->last_ = *before;
  reader->place_.segment = before->seq;
  reader->place_.offset = kHeaderBytes;
  return reader;
}

Fault SegmentReader::Damaged(int64_t offset) const {
  return Fault(FaultCode::kStoreDamaged,
               fmt::format("history \"{}\": what stands at {} is not what was written",
                           os::BaseName(path_), offset))
      .With("path", path_)
      .With("byte_offset", std::to_string(offset));
}

Result<std::optional<SegmentCommit>> SegmentReader::Next() {
  const int64_t begin = place_.offset;
  SegmentCommit transaction;
  std::array<uint8_t, kRecordBytesMax> bytes;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, file_->ReadAt(place_.offset, bytes));
    const auto record = DecodeRecord(place_, std::span(bytes).first(static_cast<size_t>(read)));
    if (!record) break;
    const int64_t at = place_.offset;
    place_.offset += static_cast<int64_t>(SizeOf(*record));
    if (const auto* page = std::get_if<PageRecord>(&*record)) {
      transaction.pages.push_back({page->number, at});
      continue;
    }
    if (const auto* commit = std::get_if<CommitRecord>(&*record)) {
      const bool follows = commit->point.seq > last_.seq && commit->point.epoch >= last_.epoch &&
                           commit->point.ms >= last_.ms;
      // A group is of one segment.
      const bool is_of_here = commit->point.seq - commit->unsynced > before_.seq;
      if (!follows || !is_of_here || commit->pages != transaction.pages.size()) return Damaged(at);
      transaction.point = last_ = commit->point;
      transaction.unsynced = commit->unsynced;
      transaction.is_restore = commit->is_restore;
      return transaction;
    }
    if (!transaction.pages.empty() || place_.offset != size_bytes_) return Damaged(at);
    end_ = SegmentEnd::kEnded;
    return std::nullopt;
  }
  const int64_t broken = place_.offset;
  place_.offset = begin;
  ARROW_ASSIGN_OR_RAISE(const bool has_more, HasMoreBehind(begin));
  if (has_more) return Damaged(broken);
  end_ = SegmentEnd::kCut;
  return std::nullopt;
}

Result<bool> SegmentReader::HasMoreBehind(int64_t offset) const {
  // The group that was being written may have later records without earlier ones: nothing of it was
  // acknowledged, nor anything behind it written. One that was written when something behind the
  // last whole transaction was durable, or an end, proves another story.
  std::string window;
  for (int64_t begin = offset; begin < size_bytes_; begin += int64_t{kBufferBytes}) {
    window.resize(kBufferBytes + kGroupCommitRecordBytes);
    ARROW_ASSIGN_OR_RAISE(
        const int64_t read,
        file_->ReadAt(begin, std::span(reinterpret_cast<uint8_t*>(window.data()), window.size())));
    // What was added since it was opened is none of what was found: another thread may be writing.
    const auto count = static_cast<size_t>(std::min(read, size_bytes_ - begin));
    const auto bytes = Bytes(std::string_view(window).substr(0, count));
    for (size_t i = 0; i < std::min(bytes.size(), kBufferBytes); ++i) {
      RecordPlace place = place_;
      place.offset = begin + static_cast<int64_t>(i);
      const auto rest = bytes.subspan(i);
      const auto record =
          DecodeRecord(place, rest.first(std::min(rest.size(), kGroupCommitRecordBytes)));
      if (!record) continue;
      if (std::holds_alternative<EndRecord>(*record)) return true;
      const auto& commit = std::get<CommitRecord>(*record);
      if (commit.point.seq - commit.unsynced > last_.seq + 1) return true;
    }
  }
  return false;
}

Status SegmentReader::ReadPage(const SegmentCommit::PageAt& page,
                               std::span<uint8_t, kPageBytes> out) const {
  std::array<uint8_t, kPageRecordBytes> bytes;
  ARROW_ASSIGN_OR_RAISE(const int64_t read, file_->ReadAt(page.offset, bytes));
  RecordPlace place = place_;
  place.offset = page.offset;
  const auto record = DecodeRecord(place, std::span(bytes).first(static_cast<size_t>(read)));
  const auto* found = record ? std::get_if<PageRecord>(&*record) : nullptr;
  if (found == nullptr || found->number != page.number) return Damaged(page.offset);
  std::ranges::copy(found->content, out.begin());
  return Status::OK();
}

}  // namespace levada::services::d1
