#pragma once
// Database: one D1 database as its doors use it: requests come in from any thread, wait in a queue
// of limited length, and are run by threads of a pool that all databases share: one at a time that
// writes, and two that read. It opens its files when it is first asked something and closes them
// when nobody asks any more (databases.h says when).
//
// Requests that wait to write are run as a group: each is a transaction and a point of the history,
// one sync is for all, and before it none is answered or seen by those who read.
//
// After a failure underneath nobody knows what SQLite's connections believe: they are closed, and
// the files opened again, before anything else runs. A page of the file that is damaged is made
// again from the history, once. What needs the files for itself (a restore, a close) waits until
// what runs has ended, and a restore cancels that.

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "db/sqlite/request_connection.h"
#include "net/loop.h"
#include "os/disk.h"
#include "os/disk_reserve.h"
#include "services/d1/database_files.h"

namespace levada::services::d1 {

/// For requests: what an answer takes as JSON is bounded by this too.
constexpr int64_t kAnswerBytesMax = int64_t{32} << 20;
constexpr int64_t kImportBytesMax = int64_t{256} << 20;

struct DatabaseLimits {
  db::sqlite::SqlLimits sql{.answer_bytes_max = kAnswerBytesMax};
  /// An import is one request of many statements, and its text is in memory. A statement of an
  /// export has a row, whose bytes are two digits each at most.
  db::sqlite::SqlLimits import{.statement_bytes_max = 5'000'000,
                               .request_ms_max = 600'000,
                               .answer_bytes_max = kAnswerBytesMax,
                               .statements_max = 2'000'000};
  HistoryLimits history;
  size_t waiting_max = 512;                  ///< requests of one database
  int64_t log_bytes_max = int64_t{4} << 20;  ///< of SQLite's log, until it is emptied
  int64_t upkeep_every_ms = int64_t{3600} * 1000;
  size_t group_requests_max = 128;
  int64_t group_ms_max = 5;  ///< none joins a group after that, and it waits for none that runs
};

/// What a database works with. All outlive it.
struct DatabaseSurroundings {
  os::Disk& disk;
  const Clock& clock;
  Logger& log;
  net::Workers& workers;
  os::DiskReserve* reserve = nullptr;    ///< may be null
  std::function<void()> make_room = {};  ///< before files are opened; may be empty
};

/// An answer, and the point of the database behind it.
struct Ran {
  db::sqlite::SqlAnswer answer;
  std::string bookmark;
};

/// Milliseconds since 1970, or a bookmark. What is neither of the history is kBadValue.
using RestoreTarget = std::variant<int64_t, std::string>;
struct Restored {
  std::string bookmark;
  std::string previous;  ///< restoring to it undoes it
};

template <typename T>
using Done = std::function<void(Result<T>)>;

/// Thread-safe. Each `done` is called once, on a thread of the workers or on the caller's; with
/// Busy where too much waits, kStopped where a restore or the end of the daemon came between.
class Database final : public std::enable_shared_from_this<Database> {
 public:
  /// Its files are there. `name` is what people call it.
  Database(const DatabaseSurroundings& surroundings, std::string directory, uint64_t number,
           std::string name, const DatabaseLimits& limits);
  ~Database();

  /// One transaction. What is wrong with the request is in the answer; with `may_write` false that
  /// it writes is. kDiskFull for one that writes while the disk is full.
  void Run(std::vector<db::sqlite::SqlText> request, bool may_write, Done<Ran> done);
  /// One transaction of many statements.
  void Import(std::string sql, Done<Ran> done);
  /// A plain SQLite file of one state, at `path`, which is not there; its bookmark.
  void Export(std::string path, Done<std::string> done);
  /// Of a time, or of now.
  void FindBookmark(std::optional<int64_t> ms, Done<std::string> done);
  void Restore(RestoreTarget target, Done<Restored> done);
  /// An image of the newest state, as History::WriteImage has it, at `path`, which is not there;
  /// its bookmark. Holds up no request.
  void WriteCopy(std::string path, Done<std::string> done);
  /// Makes the database the image at `path`, as History::Adopt has it. Otherwise as Restore.
  void Replace(std::string path, uint32_t page_count, Done<Restored> done);
  /// Nothing runs any more and the files are closed; later calls fail. For a database that is
  /// deleted.
  void Drop(Done<bool> done);

  /// Closes the files on this thread if nothing runs and nothing was asked since `since`.
  bool CloseIfIdle(SteadyTime since);
  /// What is due in the background begins: a checkpoint, the history's upkeep.
  void Tend();
  /// Cancels what runs and refuses what comes.
  void Stop();

  struct Counts {
    bool is_open = false;
    SteadyTime used;  ///< last
    size_t waiting = 0;
    uint64_t requests = 0;
    uint64_t refused = 0;   ///< Busy
    uint64_t failures = 0;  ///< of the files
  };
  Counts counts() const;
  uint64_t number() const { return number_; }

 private:
  static constexpr size_t kReaders = 2;
  /// The open files. Changed only by what runs alone.
  struct Live {
    std::unique_ptr<DatabaseFiles> files;
    std::unique_ptr<db::sqlite::RequestConnection> writer;
    std::array<std::unique_ptr<db::sqlite::RequestConnection>, kReaders> readers;
    ~Live();
  };
  enum class JobKind : uint8_t { kRead, kWrite, kUpkeep, kAlone };
  struct Job {
    JobKind kind = JobKind::kRead;
    std::function<Status(const Context&, size_t slot)> work;
    std::function<void(const Status&)> answer;  ///< behind it, when its slot is free again
    bool needs_files = true;
    bool is_own = false;  ///< nobody asked for it
    bool joins = false;   ///< a request that may share its sync with others
  };
  /// Requests that were run one behind the other, for one sync. Of the thread that writes.
  struct Group {
    struct Ended {
      Job job;
      Status status;
    };
    std::vector<Ended> ended;
    bool is_open = false;  ///< what it commits is neither durable nor seen
    SteadyTime until;
  };
  /// What is to be done about the files before the next job.
  enum class Repair : uint8_t { kNone, kReopen, kRebuild };

  template <typename T>
  void Submit(JobKind kind, std::function<Result<T>(const Context&, size_t)> work, Done<T> done,
              bool joins = false);
  void Enqueue(Job job);
  void EnqueueWrite(std::shared_ptr<const std::vector<db::sqlite::SqlText>> request,
                    Done<Ran> done);
  // Under mutex_. What could not be handed to the workers is added to `refused`.
  void Pump(std::vector<Job>& refused);
  void StartFirst(std::deque<Job>& queue, size_t slot, bool& is_running, std::vector<Job>& refused);
  void StartPrepare(std::vector<Job>& refused);
  std::deque<Job>& QueueOf(JobKind kind);
  void TakeWaiting(std::vector<Job>& taken);
  Context ContextOfJob() const;
  bool HasNextOf(const Group& group) const;
  // On a thread of the workers.
  void Execute(const Job& job, size_t slot);
  void ExecuteGroup(Job first);
  void RunGroup(Group& group, Job first);
  std::optional<Job> NextOf(const Group& group);
  void Open(Group& group);
  /// Makes it durable and seen, and ends what was opened.
  Status Settle(Group& group);
  static void Answer(Group& group, const Status& settled);
  void Prepare(Repair repair);
  Status OpenFiles();
  Status RebuildFiles();
  Result<db::sqlite::RequestConnection*> Reader(size_t slot);
  Result<db::sqlite::SqlAnswer> RunWith(db::sqlite::RequestConnection& connection,
                                        const Context& ctx,
                                        std::span<const db::sqlite::SqlText> request);
  Result<Ran> Write(const Context& ctx, std::span<const db::sqlite::SqlText> request);
  Result<Ran> ImportText(const Context& ctx, const db::sqlite::SqlText& text);
  Result<Restored> RestoreFiles(const RestoreTarget& target);
  Result<Restored> ReplaceFiles(const std::string& path, uint32_t page_count);
  /// Without connections `change` gives the database another state, or its files are opened anew.
  Result<Restored> ChangeState(const std::function<Status()>& change);
  Result<Point> PointOf(const RestoreTarget& target) const;
  Status CheckRoom() const;
  Status Checkpoint();
  Status TendHistory();
  Status CloseFiles();
  /// Notes that the files are not to be trusted any more, unless `status` is of the request.
  void Blame(const Status& status);
  std::string BookmarkNow() const;

  const DatabaseSurroundings with_;
  const std::string directory_;
  const uint64_t number_;
  const std::string name_;
  const DatabaseLimits limits_;
  std::unique_ptr<Live> live_;
  std::atomic<uint64_t> written_seq_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Job> reads_, writes_, upkeep_, alone_;
  std::array<bool, kReaders> is_reading_{};
  bool is_writing_ = false, is_tending_ = false, is_alone_ = false;
  bool is_open_ = false;
  bool is_dropped_ = false, is_stopped_ = false;
  bool is_checkpoint_due_ = false;
  bool may_rebuild_ = true;
  Repair repair_ = Repair::kNone;
  std::stop_source stop_;  // of what runs now
  SteadyTime used_;
  SteadyTime upkeep_due_;
  SteadyTime retry_at_;  // opening failed: not before that
  Status open_failure_;
  Counts counts_;
};

}  // namespace levada::services::d1
