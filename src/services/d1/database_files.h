#pragma once
// DatabaseFiles: one D1 database on the disk. Its directory has `database`, which SQLite reads and
// writes, `history/`, which is the promise (history.h), and `written`, which says up to which point
// `database` has everything.
//
// After a crash `database` may be of any state between that point and the newest one, pages torn
// included: opening writes every page of the transactions since into it, and the log of SQLite is
// thrown away. Where `database` is of another epoch, or is not there, it is made from the history.

#include <memory>
#include <string>

#include "base/clock.h"
#include "db/sqlite/page_files.h"
#include "os/disk.h"
#include "services/d1/history.h"

namespace levada::services::d1 {

class DatabaseFiles final {
 public:
  /// An empty database. What a try before left without acknowledging it is overwritten.
  static Status Create(os::Disk& disk, const std::string& directory, uint64_t database,
                       const Clock& clock);
  /// `name` is what people call it. What it refers to outlives it.
  static Result<std::unique_ptr<DatabaseFiles>> Open(os::Disk& disk, const std::string& directory,
                                                     uint64_t database, std::string name,
                                                     const Clock& clock,
                                                     const HistoryLimits& limits);

  /// For connections. After Restore another one.
  db::sqlite::PageFiles& pages() { return *pages_; }
  History& history() { return *history_; }
  uint64_t database() const { return database_; }

  /// SQLite has just put all transactions into the file: the writer's own call, after its
  /// checkpoint.
  Status NoteWritten();
  /// Up to there the file has everything.
  Point written() const { return written_; }

  /// Makes the database what it was at `target`; the point that this is. Without connections. After
  /// an error the object is to be dropped and opened again: then the restore has happened, or not.
  Result<Point> Restore(const Point& target);
  /// Makes the database the image at `path`, as History::Adopt has it. Otherwise as Restore.
  Result<Point> Adopt(const std::string& path, uint32_t page_count);
  /// Makes the file anew from the history: for one that is damaged. Without connections, as
  /// Restore.
  Status Rebuild();
  Status Close();

 private:
  DatabaseFiles(os::Disk& disk, std::string directory, uint64_t database, std::string name)
      : disk_(disk),
        directory_(std::move(directory)),
        database_(database),
        name_(std::move(name)) {}
  std::string Path(std::string_view name) const { return os::JoinPath(directory_, name); }
  Result<std::optional<Point>> ReadWritten() const;
  Status WriteWritten(const Point& point);
  Status Recover();
  Status MakeFile();
  Status Redo(const Point& last);
  Status OpenPages();

  os::Disk& disk_;
  const std::string directory_;
  const uint64_t database_;
  const std::string name_;
  Point written_;
  std::unique_ptr<History> history_;
  std::unique_ptr<db::sqlite::PageFiles> pages_;
};

}  // namespace levada::services::d1
