#include "services/d1/backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "services/d1/backup_copy.h"
#include "services/d1/d1_admin.h"

namespace levada::services::d1 {
namespace {

constexpr WallMicros kSecond = 1'000'000;
const Actor kOperator{"cli", ""};

Fault Refuse(std::string message) { return Fault(FaultCode::kBadValue, std::move(message)); }

std::optional<Resource> FindDatabase(const Control& control, int64_t account,
                                     const std::string& said) {
  auto found = control.FindResource(account, ResourceKind::kDatabase, said);
  if (!found) found = control.FindResourceByName(account, ResourceKind::kDatabase, said);
  return found && Databases::IsReady(*found) ? found : std::nullopt;
}

const std::string* Label(const BackupLabels& labels, std::string_view name) {
  const auto at = std::ranges::find(labels, name, &std::pair<std::string, std::string>::first);
  return at == labels.end() ? nullptr : &at->second;
}

/// Removes a file of ours, whatever happens.
class FileOfOurs final {
 public:
  FileOfOurs(os::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~FileOfOurs() { (void)disk_.Remove(path_); }
  FileOfOurs(const FileOfOurs&) = delete;
  FileOfOurs& operator=(const FileOfOurs&) = delete;
  const std::string& path() const { return path_; }

 private:
  os::Disk& disk_;
  const std::string path_;
};

}  // namespace

/// One that has the turn.
class Backups::Work final {
 public:
  explicit Work(Backups& backups) : backups_(backups), lock_(backups.work_, std::defer_lock) {
    ++backups_.busy_;
    lock_.lock();
  }
  ~Work() { --backups_.busy_; }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

 private:
  Backups& backups_;
  std::unique_lock<std::mutex> lock_;
};

Backups::Backups(const BackupSurroundings& surroundings, BackupPlan plan)
    : with_(surroundings), plan_(std::move(plan)) {}

std::string Backups::NewPath(const char* what) {
  // The clock tells those of two commands apart that had the directory one behind the other.
  return os::JoinPath(with_.databases.transfers_directory(),
                      fmt::format("{}-{}-{}.sqlite", what, with_.clock.Now(), ++files_));
}

Result<Resource> Backups::BucketOf(const std::string& name) const {
  auto bucket = with_.control.FindResourceByName(0, ResourceKind::kBucket, name);
  if (bucket) return *std::move(bucket);
  return Refuse("there is no bucket \"" + name + "\"")
      .Help(
          "`wrangler r2 bucket create` makes one; copies of databases go to a bucket of their "
          "account");
}

Result<std::string> Backups::PlannedBucket(int64_t account) const {
  for (const std::string& name : plan_.buckets) {
    const auto bucket = with_.control.FindResourceByName(0, ResourceKind::kBucket, name);
    if (bucket && (account == 0 || bucket->account == account)) return name;
  }
  return Refuse("no bucket is named")
      .Help("name one with --bucket, or under d1: backup: to: in the configuration file of serve");
}

bool Backups::IsPlanned(const Resource& database) const {
  return Databases::IsReady(database) &&
         (plan_.databases.empty() ||
          std::ranges::any_of(plan_.databases, [&database](const std::string& named) {
            return named == database.id || named == database.name;
          }));
}

void Backups::RunDue() {
  ++busy_;
  if (RunBuckets()) last_success_ = with_.clock.Now();
  --busy_;
}

bool Backups::RunBuckets() {
  bool is_whole = true;
  for (const std::string& bucket : plan_.buckets) {
    const Status ran = RunBucket(bucket);
    if (ran.ok()) continue;
    is_whole = false;
    if (with_.is_stopping()) return false;
    if (CodeOf(ran) == FaultCode::kStopped) continue;  // told of each database
    ++failures_;
    with_.log.Error("d1: databases could not be backed up",
                    {{"bucket", bucket}, {"cause", ran.ToString()}});
  }
  return is_whole;
}

Status Backups::RunBucket(const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const Resource bucket, BucketOf(name));
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> keys,
                        with_.shelf.List(name, std::string(kBackupPrefix)));
  bool is_whole = true;
  for (const Resource& database :
       with_.control.Resources(bucket.account, ResourceKind::kDatabase)) {
    if (!IsPlanned(database)) continue;
    if (with_.is_stopping()) return Fault(FaultCode::kStopped, "the daemon stops");
    const Status tended = TendDatabase(database, name, keys);
    if (tended.ok() || !with_.control.FindResourceByNumber(database.number)) continue;
    is_whole = false;
    if (with_.is_stopping()) continue;
    ++failures_;
    with_.log.Error("d1: a database could not be backed up",
                    {{"database", database.name}, {"bucket", name}, {"cause", tended.ToString()}});
  }
  if (is_whole) return Status::OK();
  return Fault(FaultCode::kStopped, "some databases could not be backed up");
}

Status Backups::TendDatabase(const Resource& database, const std::string& bucket,
                             const std::vector<std::string>& keys) {
  const Work work(*this);
  const std::vector<BackupKey> copies = BackupsOf(keys, database.id);
  const WallMicros now = with_.clock.Now();
  const WallMicros every = plan_.every.count() * kSecond;
  const auto looked = looked_.find(database.number);
  const bool was_looked = looked != looked_.end() && looked->second + every > now;
  if (was_looked || !IsBackupDue(copies, now, every)) return Prune(bucket, copies);
  ARROW_ASSIGN_OR_RAISE(const Copied copied, Copy(database, bucket, copies));
  looked_[database.number] = now;
  if (!copied.is_new) return Prune(bucket, copies);
  with_.log.Info("d1: a database is backed up", {{"database", database.name},
                                                 {"bucket", bucket},
                                                 {"key", copied.key},
                                                 {"bytes", copied.bytes}});
  std::vector<BackupKey> all = copies;
  all.push_back(*BackupKey::Parse(copied.key));
  return Prune(bucket, all);
}

Status Backups::Prune(const std::string& bucket, const std::vector<BackupKey>& copies) {
  for (const BackupKey& old : TooMany(copies, plan_.keep)) {
    ARROW_RETURN_NOT_OK(with_.shelf.Remove(bucket, old.Text()));
  }
  return Status::OK();
}

Result<Backups::Copied> Backups::BackUp(const Resource& database, const std::string& bucket) {
  const Work work(*this);
  std::string into = bucket;
  if (into.empty()) {
    ARROW_ASSIGN_OR_RAISE(into, PlannedBucket(database.account));
  }
  ARROW_ASSIGN_OR_RAISE(const Resource found, BucketOf(into));
  if (found.account != database.account) {
    return Refuse(fmt::format("the bucket \"{}\" is another account's than the database", into))
        .Help("a copy belongs to who has the database: name a bucket of its account");
  }
  ARROW_ASSIGN_OR_RAISE(const auto keys, with_.shelf.List(into, std::string(kBackupPrefix)));
  return Copy(database, into, BackupsOf(keys, database.id));
}

Result<Backups::Copied> Backups::Copy(const Resource& database, const std::string& bucket,
                                      const std::vector<BackupKey>& copies) {
  if (with_.reserve != nullptr && with_.reserve->is_full()) {
    return Fault(FaultCode::kDiskFull, "the disk is full");
  }
  const std::shared_ptr<Database> live = with_.databases.Of(database);
  const auto bookmark = WaitFor<std::string>(
      [&](Done<std::string> done) { live->FindBookmark(std::nullopt, std::move(done)); });
  if (!bookmark.ok()) return ForOperator(bookmark.status());
  Copied copied{bucket, "", *bookmark, 0, false};
  if (!copies.empty() && copies.back().bookmark == *bookmark) {
    copied.key = copies.back().Text();
    return copied;
  }
  const FileOfOurs file(with_.disk, NewPath("backup"));
  ARROW_RETURN_NOT_OK(MakeCopy(database, file.path(), copied));
  ++copies_;
  return copied;
}

Status Backups::MakeCopy(const Resource& database, const std::string& path, Copied& copied) {
  const auto written = WaitFor<std::string>([&](Done<std::string> done) {
    with_.databases.Of(database)->WriteCopy(path, std::move(done));
  });
  if (!written.ok()) return ForOperator(written.status());
  copied.bookmark = *written;
  copied.is_new = true;
  copied.key = BackupKey{database.name, database.id, with_.clock.Now(), *written}.Text();
  ARROW_ASSIGN_OR_RAISE(const CopyRead read, ReadCopy(with_.disk, path, with_.is_stopping));
  copied.bytes = read.bytes;
  return with_.shelf.Put(copied.bucket, copied.key,
                         {{"bookmark", *written},
                          {"database-id", database.id},
                          {"database-name", database.name},
                          {"sha256", read.sha256}},
                         path, read.sha256);
}

Result<std::string> Backups::KeyToRestore(const RestoreRequest& request, const std::string& bucket,
                                          const std::optional<Resource>& database) const {
  if (request.from != "latest") return request.from;
  ARROW_ASSIGN_OR_RAISE(const auto keys, with_.shelf.List(bucket, std::string(kBackupPrefix)));
  std::set<std::string> ids;
  if (database) ids.insert(database->id);
  for (const std::string& text : keys) {
    const auto key = database ? std::nullopt : BackupKey::Parse(text);
    if (key && (key->id == request.database || key->name == request.database)) ids.insert(key->id);
  }
  if (ids.size() > 1) {
    return Refuse(fmt::format("bucket \"{}\" has copies of {} databases \"{}\"", bucket, ids.size(),
                              request.database))
        .Help("name the copy by its key with --from, or the database by its id");
  }
  const auto copies = ids.empty() ? std::vector<BackupKey>() : BackupsOf(keys, *ids.begin());
  if (!copies.empty()) return copies.back().Text();
  return Refuse(
             fmt::format("bucket \"{}\" has no copy of database \"{}\"", bucket, request.database))
      .Help("name a copy by its key with --from KEY; they begin with d1/");
}

Result<uint32_t> Backups::CheckCopy(const std::string& path, const BackupLabels& labels) const {
  const std::string* sha256 = Label(labels, "sha256");
  if (sha256 == nullptr) {
    return Refuse("the object has no \"sha256\" in its metadata: it is no copy that levada made");
  }
  ARROW_ASSIGN_OR_RAISE(const CopyRead read, ReadCopy(with_.disk, path, with_.is_stopping));
  if (read.sha256 != *sha256) {
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("the copy is not what was written: its SHA-256 is {}, expected \"{}\"",
                             read.sha256, sha256->substr(0, 64)));
  }
  if (read.damaged_page) {
    return Fault(FaultCode::kStoreDamaged,
                 fmt::format("page {} of the copy is not what was written", *read.damaged_page));
  }
  if (!read.is_of_d1) return Refuse("the object is no database of D1");
  Context ctx;
  ctx.clock = &with_.clock;
  ctx.log = &with_.log;
  ARROW_RETURN_NOT_OK(CheckIntegrityOfCopy(ctx, path));
  return read.page_count;
}

Result<Backups::PutInPlace> Backups::Restore(const RestoreRequest& request) {
  const Work work(*this);
  if (request.database.empty()) return Refuse("no database is named");
  int64_t account = 0;
  if (!request.account.empty()) {
    ARROW_ASSIGN_OR_RAISE(const Account named, NamedAccount(with_.control, request.account));
    account = named.row;
  }
  std::string name = request.bucket;
  if (name.empty()) {
    // Where several accounts have one, the database says which.
    if (account == 0 && plan_.buckets.size() > 1) {
      const auto known = DatabaseOf(with_.control, request.database, "");
      if (known.ok()) account = known->account;
    }
    ARROW_ASSIGN_OR_RAISE(name, PlannedBucket(account));
  }
  ARROW_ASSIGN_OR_RAISE(const Resource bucket, BucketOf(name));
  if (account != 0 && bucket.account != account) {
    return Refuse(fmt::format("the bucket \"{}\" is another account's", name))
        .Help("leave --account out: the database is of the account that has the bucket");
  }
  std::optional<Resource> database = FindDatabase(with_.control, bucket.account, request.database);
  ARROW_ASSIGN_OR_RAISE(const std::string key, KeyToRestore(request, name, database));
  const FileOfOurs file(with_.disk, NewPath("restore"));
  ARROW_ASSIGN_OR_RAISE(const BackupLabels labels, with_.shelf.Fetch(name, key, file.path()));
  ARROW_ASSIGN_OR_RAISE(const uint32_t page_count, CheckCopy(file.path(), labels));
  return Place(file.path(), key, page_count, request, std::move(database), bucket.account);
}

Result<Backups::PutInPlace> Backups::Place(const std::string& path, const std::string& key,
                                           uint32_t page_count, const RestoreRequest& request,
                                           std::optional<Resource> database, int64_t account) {
  const bool is_made = !database;
  if (is_made) {
    const auto parsed = BackupKey::Parse(key);
    const bool is_by_id = IsDatabaseId(request.database);
    const std::string name = is_by_id && parsed ? parsed->name : request.database;
    if (!IsDatabaseName(name)) {
      return Refuse(fmt::format("there is no database \"{}\", and it is no name for one", name));
    }
    const auto accounts = with_.control.Accounts();
    const auto owner = std::ranges::find(accounts, account, &Account::row);
    if (owner == accounts.end()) return Refuse("the account of the bucket is gone");
    ARROW_ASSIGN_OR_RAISE(database, with_.databases.Create(*owner, name, kOperator));
    if (!database) return Refuse(fmt::format("there is a database \"{}\" by now", name));
  }
  const auto restored = WaitFor<Restored>([&](Done<Restored> done) {
    with_.databases.Of(*database)->Replace(path, page_count, std::move(done));
  });
  if (!restored.ok()) {
    if (is_made) (void)with_.databases.Delete(*database, kOperator);
    return ForOperator(restored.status());
  }
  with_.log.Info("d1: a database was made what a copy has",
                 {{"database", database->name}, {"key", key}, {"bookmark", restored->bookmark}});
  return PutInPlace{*std::move(database), key, restored->bookmark,
                    is_made ? "" : restored->previous};
}

Backups::Counts Backups::counts() const {
  return {!plan_.buckets.empty(), last_success_, copies_, failures_};
}

}  // namespace levada::services::d1
