// Whole states of a database out to a file and in from one, beside its requests.

#include <optional>
#include <utility>

#include "services/d1/database.h"

namespace levada::services::d1 {

void Database::WriteCopy(std::string path, Done<std::string> done) {
  auto result = std::make_shared<std::string>();
  Job job;
  // As what its upkeep does: no reader waits behind it.
  job.kind = JobKind::kUpkeep;
  job.is_own = true;
  job.work = [this, path = std::move(path), result](const Context&, size_t) -> Status {
    const Point point = live_->files->history().last();
    const Status written = live_->files->history().WriteImage(point, path);
    if (!written.ok() && with_.reserve != nullptr) with_.reserve->ReleaseIfFull(written);
    *result = FormatBookmark(number_, point);
    return written;
  };
  job.answer = [done = std::move(done), result](const Status& status) {
    done(status.ok() ? Result<std::string>(*result) : Result<std::string>(status));
  };
  Enqueue(std::move(job));
}

void Database::Replace(std::string path, uint32_t page_count, Done<Restored> done) {
  auto result = std::make_shared<Restored>();
  Job job;
  job.kind = JobKind::kAlone;
  job.work = [this, path = std::move(path), page_count, result](const Context&, size_t) -> Status {
    ARROW_ASSIGN_OR_RAISE(*result, ReplaceFiles(path, page_count));
    return Status::OK();
  };
  job.answer = [done = std::move(done), result](const Status& status) {
    done(status.ok() ? Result<Restored>(*result) : Result<Restored>(status));
  };
  Enqueue(std::move(job));
  const std::lock_guard lock(mutex_);
  if (!alone_.empty()) stop_.request_stop();
}

Result<Restored> Database::ReplaceFiles(const std::string& path, uint32_t page_count) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  return ChangeState([&] { return live_->files->Adopt(path, page_count).status(); });
}

}  // namespace levada::services::d1
