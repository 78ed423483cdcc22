// What a database does on the threads of its pool.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "services/core/on_thread.h"
#include "services/d1/database.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::ConnectionKind;
using db::sqlite::RequestConnection;
using db::sqlite::SqlText;

/// Whether a text may only read, by how it begins: a guess that saves a way round. Compiling it
/// on a reader's connection says whether it is right.
bool MayBeReading(std::string_view sql) {
  size_t at = 0;
  while (at < sql.size() && (sql[at] == ' ' || (sql[at] >= '\t' && sql[at] <= '\r'))) ++at;
  constexpr std::string_view kWords[] = {"select", "with", "values", "explain",
                                         "pragma", "--",   "/*",     "("};
  return std::ranges::any_of(kWords, [rest = sql.substr(at)](std::string_view word) {
    return StartsIgnoringCase(rest, word);
  });
}

}  // namespace

template <typename T>
void Database::Submit(JobKind kind, std::function<Result<T>(const Context&, size_t)> work,
                      Done<T> done, bool joins) {
  auto result = std::make_shared<std::optional<T>>();
  Job job;
  job.kind = kind;
  job.joins = joins;
  job.work = [work = std::move(work), result](const Context& ctx, size_t slot) -> Status {
    ARROW_ASSIGN_OR_RAISE(*result, work(ctx, slot));
    return Status::OK();
  };
  job.answer = [done = std::move(done), result](const Status& status) {
    done(status.ok() ? Result<T>(*std::move(*result)) : Result<T>(status));
  };
  Enqueue(std::move(job));
}

void Database::Run(std::vector<SqlText> request, bool may_write, Done<Ran> done) {
  {
    const std::lock_guard lock(mutex_);
    ++counts_.requests;
  }
  const auto shared = std::make_shared<const std::vector<SqlText>>(std::move(request));
  if (may_write && !std::ranges::all_of(*shared, MayBeReading, &SqlText::sql)) {
    return EnqueueWrite(shared, std::move(done));
  }
  using MaybeRan = std::optional<Ran>;  // none: it is the writer's
  Submit<MaybeRan>(
      JobKind::kRead,
      [this, shared, may_write](const Context& ctx, size_t slot) -> Result<MaybeRan> {
        ARROW_ASSIGN_OR_RAISE(RequestConnection* const reader, Reader(slot));
        if (!may_write) {  // SQLite itself refuses it there
          ARROW_ASSIGN_OR_RAISE(db::sqlite::SqlAnswer answer, RunWith(*reader, ctx, *shared));
          return MaybeRan({std::move(answer), BookmarkNow()});
        }
        auto answer = reader->RunIfReading(ctx, *shared);
        if (!answer.ok()) Blame(answer.status());
        ARROW_RETURN_NOT_OK(answer.status());
        if (!*answer) return MaybeRan();
        return MaybeRan({**std::move(answer), BookmarkNow()});
      },
      [self = shared_from_this(), shared, done = std::move(done)](Result<MaybeRan> ran) {
        if (!ran.ok()) return done(ran.status());
        if (!*ran) return self->EnqueueWrite(shared, done);
        done(**std::move(ran));
      });
}

void Database::EnqueueWrite(std::shared_ptr<const std::vector<SqlText>> request, Done<Ran> done) {
  Submit<Ran>(
      JobKind::kWrite,
      [this, request = std::move(request)](const Context& ctx, size_t) {
        return Write(ctx, *request);
      },
      std::move(done), /*joins=*/true);
}

void Database::Import(std::string sql, Done<Ran> done) {
  const auto text = std::make_shared<const SqlText>(SqlText{std::move(sql), {}});
  Submit<Ran>(
      JobKind::kWrite, [this, text](const Context& ctx, size_t) { return ImportText(ctx, *text); },
      std::move(done));
}

void Database::Export(std::string path, Done<std::string> done) {
  Submit<std::string>(
      JobKind::kRead,
      [this, path = std::move(path)](const Context& ctx, size_t slot) -> Result<std::string> {
        ARROW_ASSIGN_OR_RAISE(RequestConnection* const reader, Reader(slot));
        // Before it: the state in the file is that of this point, or of a later one.
        std::string bookmark = BookmarkNow();
        const Status exported = reader->ExportTo(ctx, path);
        // A full disk is not the database's: what it writes goes elsewhere.
        if (!exported.ok() && CodeOf(exported) != FaultCode::kDiskFull) Blame(exported);
        ARROW_RETURN_NOT_OK(exported);
        return bookmark;
      },
      std::move(done));
}

void Database::FindBookmark(std::optional<int64_t> ms, Done<std::string> done) {
  Submit<std::string>(
      JobKind::kRead,
      [this, ms](const Context&, size_t) -> Result<std::string> {
        if (!ms) return BookmarkNow();
        ARROW_ASSIGN_OR_RAISE(const Point point, live_->files->history().PointAt(*ms));
        return FormatBookmark(number_, point);
      },
      std::move(done));
}

void Database::Restore(RestoreTarget target, Done<Restored> done) {
  Submit<Restored>(
      JobKind::kAlone,
      [this, target = std::move(target)](const Context&, size_t) { return RestoreFiles(target); },
      std::move(done));
  const std::lock_guard lock(mutex_);
  if (!alone_.empty()) stop_.request_stop();
}

void Database::Drop(Done<bool> done) {
  Job job;
  job.kind = JobKind::kAlone;
  job.needs_files = false;
  job.work = [this](const Context&, size_t) -> Status {
    live_.reset();
    return Status::OK();
  };
  job.answer = [done = std::move(done)](const Status& status) {
    done(status.ok() ? Result<bool>(true) : Result<bool>(status));
  };
  std::vector<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    TakeWaiting(waiting);
    is_dropped_ = true;
    stop_.request_stop();
  }
  for (const Job& each : waiting) {
    each.answer(Fault(FaultCode::kStopped, "the database was deleted while this waited"));
  }
  Enqueue(std::move(job));
}

Status Database::OpenFiles() {
  live_.reset();
  auto live = std::make_unique<Live>();
  const auto open = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(live->files, DatabaseFiles::Open(with_.disk, directory_, number_, name_,
                                                           with_.clock, limits_.history));
    ARROW_ASSIGN_OR_RAISE(
        live->writer,
        RequestConnection::Open(live->files->pages(), ConnectionKind::kWriter, limits_.sql));
    return Status::OK();
  };
  const Status opened = open();
  if (!opened.ok()) {
    if (with_.reserve != nullptr) with_.reserve->ReleaseIfFull(opened);
    with_.log.Error("d1: a database cannot be opened",
                    {{"database", name_}, {"cause", opened.ToString()}});
    return opened;
  }
  const HistoryEnd& end = live->files->history().found();
  if (end.cut_bytes > 0) {
    with_.log.Warning(
        "d1: the end of the history of a database is not whole and left out; unless the disk has "
        "damaged it, nobody was told that something is there",
        {{"database", name_}, {"file", end.path}, {"bytes", end.cut_bytes}});
  }
  written_seq_ = live->files->written().seq;
  live_ = std::move(live);
  return Status::OK();
}

Status Database::RebuildFiles() {
  if (live_ == nullptr) return OpenFiles();
  for (auto& reader : live_->readers) reader.reset();
  live_->writer.reset();
  // Which transactions the history has, only opening it again says.
  ARROW_RETURN_NOT_OK(OpenFiles());
  live_->writer.reset();
  const auto rebuild = [&]() -> Status {
    ARROW_RETURN_NOT_OK(live_->files->Rebuild());
    ARROW_ASSIGN_OR_RAISE(
        live_->writer,
        RequestConnection::Open(live_->files->pages(), ConnectionKind::kWriter, limits_.sql));
    return Status::OK();
  };
  const Status rebuilt = rebuild();
  if (rebuilt.ok()) {
    written_seq_ = live_->files->written().seq;
    with_.log.Warning("d1: the file of a database was made again from its history",
                      {{"database", name_}});
    return rebuilt;
  }
  live_.reset();
  with_.log.Error("d1: the file of a database could not be made again from its history",
                  {{"database", name_}, {"cause", rebuilt.ToString()}});
  {
    const std::lock_guard lock(mutex_);
    may_rebuild_ = false;
  }
  return OpenFiles();
}

Result<RequestConnection*> Database::Reader(size_t slot) {
  auto& reader = live_->readers[slot];
  if (reader == nullptr) {
    auto opened =
        RequestConnection::Open(live_->files->pages(), ConnectionKind::kReader, limits_.sql);
    if (!opened.ok()) Blame(opened.status());
    ARROW_ASSIGN_OR_RAISE(reader, std::move(opened));
  }
  return reader.get();
}

std::string Database::BookmarkNow() const {
  return FormatBookmark(number_, live_->files->history().last());
}

Result<db::sqlite::SqlAnswer> Database::RunWith(RequestConnection& connection, const Context& ctx,
                                                std::span<const SqlText> request) {
  auto answer = connection.Run(ctx, request);
  if (!answer.ok()) Blame(answer.status());
  return answer;
}

Status Database::CheckRoom() const {
  if (with_.reserve == nullptr || !with_.reserve->is_full()) return Status::OK();
  return Fault(FaultCode::kDiskFull, "the disk is full");
}

Result<Ran> Database::Write(const Context& ctx, std::span<const SqlText> request) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  ARROW_ASSIGN_OR_RAISE(db::sqlite::SqlAnswer answer, RunWith(*live_->writer, ctx, request));
  if (live_->files->pages().log_bytes() >= limits_.log_bytes_max) {
    const std::lock_guard lock(mutex_);
    is_checkpoint_due_ = true;
  }
  // Of a group it is durable only once all of it is, and told only then.
  return Ran{std::move(answer), FormatBookmark(number_, live_->files->history().newest())};
}

Result<Ran> Database::ImportText(const Context& ctx, const SqlText& text) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  // One connection that writes at a time; this one has limits of its own.
  live_->writer.reset();
  const auto run = [&]() -> Result<Ran> {
    ARROW_ASSIGN_OR_RAISE(
        const auto importer,
        RequestConnection::Open(live_->files->pages(), ConnectionKind::kWriter, limits_.import));
    ARROW_ASSIGN_OR_RAISE(db::sqlite::SqlAnswer answer, RunWith(*importer, ctx, {&text, 1}));
    return Ran{std::move(answer), BookmarkNow()};
  };
  Result<Ran> ran = run();
  auto writer =
      RequestConnection::Open(live_->files->pages(), ConnectionKind::kWriter, limits_.sql);
  if (!writer.ok()) {
    Blame(writer.status());
    return ran;  // it has happened, or not
  }
  live_->writer = *std::move(writer);
  const std::lock_guard lock(mutex_);
  is_checkpoint_due_ = true;
  return ran;
}

Status Database::Checkpoint() {
  const auto checkpoint = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const bool is_done, live_->writer->Checkpoint());
    if (!is_done) return Status::OK();
    ARROW_RETURN_NOT_OK(live_->files->NoteWritten());
    written_seq_ = live_->files->written().seq;
    return Status::OK();
  };
  const Status done = checkpoint();
  if (!done.ok()) Blame(done);
  return done;
}

Status Database::TendHistory() {
  const Status tended = live_->files->history().Tend(written_seq_);
  if (!tended.ok()) {
    if (with_.reserve != nullptr) with_.reserve->ReleaseIfFull(tended);
    with_.log.Error("d1: the history of a database could not be tended",
                    {{"database", name_}, {"cause", tended.ToString()}});
  }
  return tended;
}

Status Database::CloseFiles() {
  const Status written = Checkpoint();
  const std::unique_ptr<Live> live = std::move(live_);
  for (auto& reader : live->readers) reader.reset();
  live->writer.reset();
  ARROW_RETURN_NOT_OK(written);
  return live->files->Close();
}

Result<Point> Database::PointOf(const RestoreTarget& target) const {
  const History& history = live_->files->history();
  if (const auto* ms = std::get_if<int64_t>(&target)) return history.PointAt(*ms);
  const auto bookmark = ParseBookmark(number_, std::get<std::string>(target));
  if (!bookmark) {
    return Fault(FaultCode::kBadValue, fmt::format("bookmark \"{}\" is none of this database",
                                                   std::get<std::string>(target).substr(0, 80)));
  }
  return history.PointOf(*bookmark);
}

Result<Restored> Database::RestoreFiles(const RestoreTarget& target) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  ARROW_ASSIGN_OR_RAISE(const Point point, PointOf(target));
  return ChangeState([&] { return live_->files->Restore(point).status(); });
}

Result<Restored> Database::ChangeState(const std::function<Status()>& change) {
  Restored restored;
  restored.previous = BookmarkNow();
  for (auto& reader : live_->readers) reader.reset();
  live_->writer.reset();
  const auto change_and_open = [&]() -> Status {
    ARROW_RETURN_NOT_OK(change());
    written_seq_ = live_->files->written().seq;
    ARROW_ASSIGN_OR_RAISE(
        live_->writer,
        RequestConnection::Open(live_->files->pages(), ConnectionKind::kWriter, limits_.sql));
    return Status::OK();
  };
  const Status done = change_and_open();
  if (!done.ok()) {
    Blame(done);
    live_.reset();
    return done;
  }
  restored.bookmark = BookmarkNow();
  return restored;
}

}  // namespace levada::services::d1
