#include "services/d1/databases.h"

#include <algorithm>
#include <future>
#include <utility>

#include "net/ascii.h"

namespace levada::services::d1 {
namespace {

constexpr const char* kTransfers = "transfers";
// Beside the directory of a database that is being deleted. What Control does not know and has no
// mark is somebody's: a control.db from a backup may be older than it.
constexpr const char* kDeleted = ".deleted";
constexpr size_t kNumberDigitsMax = 20;
constexpr size_t kNameBytesMax = 64;

bool HasMark(const std::vector<os::DirectoryEntry>& entries, uint64_t number) {
  return std::ranges::find(entries, std::to_string(number) + kDeleted, &os::DirectoryEntry::name) !=
         entries.end();
}

bool IsNumber(std::string_view name) {
  return !name.empty() && name.size() < kNumberDigitsMax &&
         std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool IsDatabaseId(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_hex =
        (text[i] >= '0' && text[i] <= '9') || ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'f');
    if (is_dash ? text[i] != '-' : !is_hex) return false;
  }
  return true;
}

bool IsDatabaseName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && net::IsLetterOrDigit(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return net::IsLetterOrDigit(c) || c == '-' || c == '_'; }) &&
         !IsDatabaseId(name);
}

bool Databases::IsReady(const Resource& resource) { return resource.settings != kBegunSettings; }

Databases::Databases(std::string directory, Control& control, os::Disk& disk, const Clock& clock,
                     Logger& log, os::DiskReserve* reserve, const DatabasesLimits& limits)
    : directory_(std::move(directory)),
      transfers_(os::JoinPath(directory_, kTransfers)),
      control_(control),
      disk_(disk),
      clock_(clock),
      log_(log),
      reserve_(reserve),
      limits_(limits),
      workers_(std::make_unique<net::Workers>(limits.threads, limits.waiting_max)) {}

Result<std::unique_ptr<Databases>> Databases::Open(std::string directory, Control& control,
                                                   os::Disk& disk, const Clock& clock, Logger& log,
                                                   os::DiskReserve* reserve,
                                                   const DatabasesLimits& limits) {
  std::unique_ptr<Databases> databases(
      new Databases(std::move(directory), control, disk, clock, log, reserve, limits));
  ARROW_RETURN_NOT_OK(databases->Sweep());
  return databases;
}

Databases::~Databases() {
  const std::vector<std::shared_ptr<Database>> known = Known();
  for (const auto& database : known) database->Stop();
  workers_.reset();  // what runs has ended then
  for (const auto& database : known) (void)database->CloseIfIdle(SteadyTime::max());
}

Status Databases::Sweep() {
  ARROW_RETURN_NOT_OK(disk_.CreateDirectories(directory_));
  for (const Resource& resource : control_.Resources(0, ResourceKind::kDatabase)) {
    if (IsReady(resource)) continue;
    RemoveFiles(resource.number);
    ARROW_RETURN_NOT_OK(control_.DeleteResource(resource, {"start", ""}));
  }
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk_.List(directory_));
  for (const os::DirectoryEntry& entry : entries) {
    const std::string_view name = entry.name;
    const bool is_mark = !entry.is_directory && name.ends_with(kDeleted);
    const std::string_view digits =
        is_mark ? name.substr(0, name.size() - std::string_view(kDeleted).size()) : name;
    if (!IsNumber(digits) || entry.is_directory == is_mark) continue;
    const uint64_t number = std::stoull(std::string(digits));
    const auto resource = control_.FindResourceByNumber(number);
    const bool is_known = resource && resource->kind == ResourceKind::kDatabase;
    if (is_mark && is_known) {
      ARROW_RETURN_NOT_OK(disk_.Remove(MarkOf(number)));  // it was not deleted in the end
    } else if (is_mark) {
      RemoveFiles(number);
    } else if (entry.is_directory && !is_known && !HasMark(entries, number)) {
      log_.Warning("d1: files of a database that control.db does not know stay",
                   {{"directory", PathOf(number)}});
    }
  }
  ARROW_RETURN_NOT_OK(disk_.CreateDirectories(transfers_));
  const Status removed = os::RemoveTree(disk_, transfers_);
  if (!removed.ok()) {
    log_.Warning("d1: files of imports and exports stay", {{"cause", removed.ToString()}});
  }
  return disk_.CreateDirectories(transfers_);
}

std::string Databases::PathOf(uint64_t number) const {
  return os::JoinPath(directory_, std::to_string(number));
}

std::string Databases::MarkOf(uint64_t number) const { return PathOf(number) + kDeleted; }

void Databases::RemoveFiles(uint64_t number) {
  const auto remove = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto there, disk_.Stat(PathOf(number)));
    if (there) ARROW_RETURN_NOT_OK(RemoveTree(disk_, PathOf(number)));
    return disk_.Remove(MarkOf(number));
  };
  const Status removed = remove();
  if (removed.ok()) return;
  log_.Warning("d1: files of a deleted database stay",
               {{"directory", PathOf(number)}, {"cause", removed.ToString()}});
}

std::shared_ptr<Database> Databases::Of(const Resource& resource) {
  const std::lock_guard lock(mutex_);
  const auto at = known_.find(resource.number);
  if (at != known_.end()) return at->second;
  const auto database = std::make_shared<Database>(
      DatabaseSurroundings{disk_, clock_, log_, *workers_, reserve_, [this] { MakeRoom(); }},
      PathOf(resource.number), resource.number, resource.name, limits_.database);
  if (control_.FindResourceByNumber(resource.number)) {
    known_[resource.number] = database;
  } else {
    database->Stop();
  }
  return database;
}

std::vector<std::shared_ptr<Database>> Databases::Known() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Database>> known;
  for (const auto& [number, database] : known_) known.push_back(database);
  return known;
}

Result<std::optional<Resource>> Databases::Create(const Account& account, const std::string& name,
                                                  const Actor& actor) {
  ARROW_ASSIGN_OR_RAISE(
      std::optional<Resource> made,
      control_.CreateResource(account, ResourceKind::kDatabase, name, kBegunSettings, actor));
  if (!made) return made;
  bool is_ours = true;
  const auto finish = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto there, disk_.Stat(PathOf(made->number)));
    if (there) {
      is_ours = false;
      return Fault(FaultCode::kStoreDamaged,
                   "the directory of a new database has files of one that control.db does not know")
          .With("path", PathOf(made->number));
    }
    ARROW_RETURN_NOT_OK(DatabaseFiles::Create(disk_, PathOf(made->number), made->number, clock_));
    return control_.ChangeSettings(*made, "", "ready", actor);
  };
  const Status finished = finish();
  if (!finished.ok()) {
    if (is_ours) RemoveFiles(made->number);
    (void)control_.DeleteResource(*made, actor);  // else the next start does it
    return finished;
  }
  made->settings.clear();
  return made;
}

void Databases::Close(uint64_t number) {
  std::shared_ptr<Database> database;
  {
    // From here on nobody is given it: Control does not know it any more.
    const std::lock_guard lock(mutex_);
    const auto at = known_.find(number);
    if (at != known_.end()) database = at->second;
  }
  if (database == nullptr) return;
  std::promise<Status> dropped;
  database->Drop([&dropped](const Result<bool>& done) { dropped.set_value(done.status()); });
  // Where too much waits for a thread it stays open, and files that are open can be removed.
  (void)dropped.get_future().get();
  const Database::Counts counts = database->counts();
  const std::lock_guard lock(mutex_);
  if (known_.erase(number) == 0) return;
  gone_.requests += counts.requests;
  gone_.refused += counts.refused;
  gone_.failures += counts.failures;
}

Status Databases::Delete(const Resource& resource, const Actor& actor) {
  // Without it the files would stay where the daemon ends in between.
  const Status marked = os::WriteFileDurably(disk_, MarkOf(resource.number), "");
  if (!marked.ok() && reserve_ != nullptr) reserve_->ReleaseIfFull(marked);
  ARROW_RETURN_NOT_OK(control_.DeleteResource(resource, actor));
  Close(resource.number);
  RemoveFiles(resource.number);
  return Status::OK();
}

std::vector<std::pair<SteadyTime, std::shared_ptr<Database>>> Databases::OpenOnes() const {
  std::vector<std::pair<SteadyTime, std::shared_ptr<Database>>> open;
  for (const auto& database : Known()) {
    const Database::Counts counts = database->counts();
    if (counts.is_open) open.emplace_back(counts.used, database);
  }
  std::ranges::sort(open, {}, [](const auto& each) { return each.first; });
  return open;
}

void Databases::MakeRoom() {
  const auto open = OpenOnes();
  size_t left = open.size();
  for (const auto& [used, database] : open) {
    if (left < limits_.open_max) return;
    if (database->CloseIfIdle(SteadyTime::max())) --left;
  }
}

void Databases::Tend() {
  const auto open = OpenOnes();
  const SteadyTime idle_since = clock_.Steady() - std::chrono::milliseconds(limits_.idle_ms);
  size_t left = open.size();
  for (const auto& [used, database] : open) {
    const bool is_over = left > limits_.open_max;
    if (database->CloseIfIdle(is_over ? SteadyTime::max() : idle_since)) {
      --left;
    } else {
      database->Tend();
    }
  }
}

Databases::Counts Databases::counts() const {
  Counts counts;
  {
    const std::lock_guard lock(mutex_);
    counts = gone_;
  }
  for (const auto& database : Known()) {
    const Database::Counts each = database->counts();
    counts.open += each.is_open ? 1 : 0;
    counts.waiting += each.waiting;
    counts.requests += each.requests;
    counts.refused += each.refused;
    counts.failures += each.failures;
  }
  counts.workers = workers_->counts();
  return counts;
}

}  // namespace levada::services::d1
