#include "services/d1/d1_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "db/sqlite/page_checksum.h"
#include "services/d1/history_files.h"
#include "services/d1/history_reader.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::kPageBytes;
using db::sqlite::PageBytes;

constexpr const char* kPageDamaged = "page_damaged";
constexpr const char* kHistoryDamaged = "history_damaged";

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Of one database.
class Check {
 public:
  Check(const Context& ctx, os::Disk& disk, std::string directory, uint64_t number,
        std::string name, bool is_scrub, Findings& findings, D1Checked& checked)
      : ctx_(ctx),
        disk_(disk),
        directory_(std::move(directory)),
        number_(number),
        where_(std::move(name)),
        is_scrub_(is_scrub),
        findings_(findings),
        checked_(checked) {}

  Status Run() {
    ++checked_.databases;
    const auto written = Written();
    const bool is_whole = Noted(kHistoryDamaged, History(written ? written->seq : UINT64_MAX));
    ARROW_RETURN_NOT_OK(ctx_.Check());
    if (is_whole && (!written || written->epoch < last_.epoch)) {
      return Status::OK();  // the next start makes the file from the history
    }
    if (is_whole && written->seq > last_.seq) {
      findings_.AddDamage("history_missing", where_,
                          fmt::format("transactions {} to {}", last_.seq + 1, written->seq));
    }
    const auto there = disk_.Stat(os::JoinPath(directory_, "database"));
    if (is_whole && there.ok() && !*there) return Status::OK();  // as that
    const uint32_t pages = written ? written->page_count : 0;
    (void)Noted("file_damaged", Pages("database", pages, rewritten_));
    return ctx_.Check();
  }

 private:
  /// False, and told, where it failed, unless the context ended.
  bool Noted(std::string_view what, const Status& status) {
    if (status.ok()) return true;
    if (ctx_.Check().ok()) findings_.AddDamage(what, where_, FaultOf(status).message());
    return false;
  }

  std::optional<Point> Written() const {
    const auto content = os::ReadFile(disk_, os::JoinPath(directory_, "written"), kHeaderBytes);
    if (!content.ok() || !*content) return std::nullopt;
    return DecodeHeader(number_, Bytes(**content));
  }

  /// Pages that transactions behind `written_seq` have are written again by a start, whatever the
  /// file says.
  Status History(uint64_t written_seq) {
    const std::string path = os::JoinPath(directory_, kHistoryDirectory);
    ARROW_ASSIGN_OR_RAISE(const HistoryFiles files, ListHistory(disk_, path));
    if (files.segments.empty()) return Fault(FaultCode::kStoreDamaged, "there is no history");
    last_ = files.segments.front().point;
    for (const HistoryFile& file : files.segments) {
      if (file.point.seq != last_.seq) {
        findings_.AddDamage("history_missing", where_,
                            fmt::format("transactions {} to {}", last_.seq + 1, file.point.seq));
      }
      last_ = file.point;
      ARROW_RETURN_NOT_OK(Segment(file, written_seq));
    }
    for (const HistoryFile& file : files.bases) {
      if (!is_scrub_ || file.point.seq > last_.seq) continue;
      ARROW_RETURN_NOT_OK(Pages(os::JoinPath(kHistoryDirectory, os::BaseName(file.path)),
                                file.point.page_count, {}));
    }
    return Status::OK();
  }

  Status Segment(const HistoryFile& file, uint64_t written_seq) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, SegmentReader::Open(disk_, file.path, number_));
    while (reader != nullptr) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      ARROW_ASSIGN_OR_RAISE(const auto commit, reader->Next());
      if (!commit) break;
      ++checked_.transactions;
      last_ = commit->point;
      if (last_.seq <= written_seq) continue;
      for (const SegmentCommit::PageAt& page : commit->pages) rewritten_.insert(page.number);
    }
    if (reader != nullptr && reader->cut_bytes() > 0) {
      findings_.AddLeftover("history_cut", where_,
                            fmt::format("{} bytes of a transaction that is not whole, in {}",
                                        reader->cut_bytes(), os::BaseName(file.path)));
    }
    return Status::OK();
  }

  Status Pages(std::string_view name, uint32_t count, const std::set<uint32_t>& but) {
    ARROW_ASSIGN_OR_RAISE(const auto file, disk_.Open(os::JoinPath(directory_, name)));
    PageBytes page;
    for (uint32_t number = 1; number <= count; ++number) {
      if (number % 256 == 0) ARROW_RETURN_NOT_OK(ctx_.Check());
      ++checked_.pages;
      if (but.contains(number)) continue;
      const auto got = file->ReadAt(int64_t{number - 1} * int64_t{kPageBytes}, page);
      const bool is_intact =
          got.ok() && *got == int64_t{kPageBytes} && db::sqlite::IsPageIntact(number, page);
      if (is_intact) continue;
      findings_.AddDamage(kPageDamaged, where_,
                          fmt::format("page {} of {}{}", number, name,
                                      got.ok() ? "" : ": " + FaultOf(got.status()).message()));
    }
    return Status::OK();
  }

  const Context& ctx_;
  os::Disk& disk_;
  const std::string directory_;
  const uint64_t number_;
  const std::string where_;
  const bool is_scrub_;
  Findings& findings_;
  D1Checked& checked_;
  Point last_;
  std::set<uint32_t> rewritten_;
};

bool IsNumber(std::string_view name) {
  return !name.empty() && name.size() < 20 &&
         std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<D1Checked> CheckD1(const Context& ctx, os::Disk& disk, const D1CheckOptions& options,
                          Findings& findings) {
  findings.Begin("d1");
  D1Checked checked;
  std::set<uint64_t> found;
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(options.directory));
  std::vector<os::DirectoryEntry> entries;
  if (there) {
    ARROW_ASSIGN_OR_RAISE(entries, disk.List(options.directory));
  }
  for (const os::DirectoryEntry& entry : entries) {
    if (!entry.is_directory || !IsNumber(entry.name)) continue;
    const uint64_t number = std::stoull(entry.name);
    std::string name = "database " + entry.name;
    if (options.databases) {
      const auto known = options.databases->find(number);
      if (known == options.databases->end()) {
        findings.AddLeftover("database_gone", name,
                             "files of a database that control.db does not know");
        continue;
      }
      name = "database \"" + known->second + "\"";
    }
    found.insert(number);
    ARROW_RETURN_NOT_OK(Check(ctx, disk, os::JoinPath(options.directory, entry.name), number, name,
                              options.is_scrub, findings, checked)
                            .Run());
    if (options.on_progress) options.on_progress(checked);
  }
  if (!options.databases) return checked;
  for (const auto& [number, name] : *options.databases) {
    if (!found.contains(number)) {
      findings.AddDamage("database_missing", "database \"" + name + "\"");
    }
  }
  return checked;
}

}  // namespace levada::services::d1
