#include "db/rocksdb/store.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "db/rocksdb/store_files.h"

namespace levada::db::rocks {
namespace {

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// Asks the family whether a record is dead.
class DeadRecords final : public rocksdb::CompactionFilter {
 public:
  explicit DeadRecords(const Family& family) : family_(family) {}
  const char* Name() const override { return "levada.DeadRecords"; }
  bool IgnoreSnapshots() const override { return true; }

  Decision FilterBlobByKey(int, const rocksdb::Slice& key, std::string*,
                           std::string*) const override {
    return family_.is_dead(ViewOf(key), std::nullopt) ? Decision::kRemove : Decision::kKeep;
  }
  Decision FilterV2(int, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice& value,
                    std::string*, std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    return family_.is_dead(ViewOf(key), ViewOf(value)) ? Decision::kRemove : Decision::kKeep;
  }

 private:
  const Family& family_;
};

Status FaultOfStatus(const rocksdb::Status& status, const std::string& path,
                     const std::string& doing) {
  FaultCode code = FaultCode::kTargetIo;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace) {
    code = FaultCode::kDiskFull;
  } else if (status.IsCorruption() || (status.IsPathNotFound() && doing == "open")) {
    // Its directory is there by then: what it lacks is a file that another of its files names.
    code = FaultCode::kStoreDamaged;
  } else if (status.IsIOError() && status.ToString().find("lock") != std::string::npos &&
             doing == "open") {
    code = FaultCode::kLeaseHeld;
  }
  return Fault(code, "store \"" + path + "\": cannot " + doing + ": " + status.ToString())
      .With("path", path);
}

/// A compaction that meets a damaged block would close the whole store to writes. The damage harms
/// nobody but who reads that block, and it is told to them.
class DamageInCompactions final : public rocksdb::EventListener {
 public:
  explicit DamageInCompactions(std::function<void(const std::string&)> on_damage)
      : on_damage_(std::move(on_damage)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    if (reason != rocksdb::BackgroundErrorReason::kCompaction || !error->IsCorruption()) return;
    const std::string what = error->ToString();
    *error = rocksdb::Status::OK();
    {
      // It is tried again each second.
      const std::lock_guard lock(mutex_);
      if (std::exchange(last_, what) == what) return;
    }
    if (on_damage_) on_damage_(what);
  }

 private:
  const std::function<void(const std::string&)> on_damage_;
  std::mutex mutex_;
  std::string last_;
};

rocksdb::ColumnFamilyOptions PlainFamily(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;

  rocksdb::ColumnFamilyOptions plain;
  plain.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  plain.compression = rocksdb::kLZ4Compression;
  plain.write_buffer_size = size_t{16} << 20;
  return plain;
}

/// Of the options, by name; none when that cannot be known.
std::set<std::string> MissingFamilies(const rocksdb::DBOptions& database,
                                      const StoreOptions& options) {
  std::vector<std::string> there;
  std::set<std::string> missing;
  if (!rocksdb::DB::ListColumnFamilies(database, options.path, &there).ok()) return missing;
  for (const Family& family : options.families) {
    if (std::ranges::find(there, family.name) == there.end()) missing.insert(family.name);
  }
  return missing;
}

}  // namespace

struct Store::Shared {
  std::shared_ptr<rocksdb::Cache> cache;
  std::unique_ptr<rocksdb::Env> env;
  std::vector<std::unique_ptr<DeadRecords>> filters;  // one a family, null without a rule
  std::shared_ptr<DamageInCompactions> listener;
};

// ---- Batch

void Batch::Put(FamilyIndex family, std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  changes_.push_back({Kind::kPut, family, std::move(key), std::move(value)});
}

void Batch::Delete(FamilyIndex family, std::string key) {
  bytes_ += key.size();
  changes_.push_back({Kind::kDelete, family, std::move(key), {}});
}

void Batch::DeleteRange(FamilyIndex family, std::string begin, std::string end) {
  bytes_ += begin.size() + end.size();
  changes_.push_back({Kind::kDeleteRange, family, std::move(begin), std::move(end)});
}

// ---- View

View::View(const Store& store) : store_(&store), open_(store.open_mutex_) {
  if (store.db_) snapshot_ = store.db_->GetSnapshot();
}

View::View(View&& other) noexcept
    : store_(other.store_),
      open_(std::move(other.open_)),
      snapshot_(std::exchange(other.snapshot_, nullptr)) {}

View::~View() {
  if (snapshot_ != nullptr) store_->db_->ReleaseSnapshot(snapshot_);
}

Result<std::optional<std::string>> View::Get(FamilyIndex family, std::string_view key) const {
  if (snapshot_ == nullptr) return store_->closed_because_;
  rocksdb::ReadOptions read;
  read.snapshot = snapshot_;
  std::string value;
  const rocksdb::Status status =
      store_->db_->Get(read, store_->families_[family], SliceOf(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return store_->Fail("read", status);
  return std::optional<std::string>(std::move(value));
}

// ---- Cursor

struct Cursor::Position {
  // RocksDB keeps pointers to both of these while the iterator lives.
  std::string end;
  rocksdb::Slice bound;
  std::unique_ptr<rocksdb::Iterator> iterator;
};

Cursor::Cursor(const Store& store, FamilyIndex family, std::string end)
    : store_(&store), open_(store.open_mutex_) {
  if (!store.db_) return;
  position_ = std::make_unique<Position>();
  position_->end = std::move(end);
  position_->bound = SliceOf(position_->end);
  rocksdb::ReadOptions read;
  // Without a bound the iterator would walk on through the neighbours' deleted keys.
  if (!position_->end.empty()) read.iterate_upper_bound = &position_->bound;
  position_->iterator.reset(store.db_->NewIterator(read, store.families_[family]));
}

Cursor::~Cursor() = default;

bool Cursor::Valid() const { return position_ && position_->iterator->Valid(); }
std::string_view Cursor::key() const { return ViewOf(position_->iterator->key()); }
std::string_view Cursor::value() const { return ViewOf(position_->iterator->value()); }
void Cursor::Next() { position_->iterator->Next(); }
void Cursor::Seek(std::string_view key) {
  if (position_) position_->iterator->Seek(SliceOf(key));
}

Status Cursor::status() const {
  if (!position_) return store_->closed_because_;
  const rocksdb::Status status = position_->iterator->status();
  return status.ok() ? Status::OK() : store_->Fail("read", status);
}

// ---- Store

Store::Store(StoreOptions options)
    : options_(std::move(options)), shared_(std::make_unique<Shared>()) {
  shared_->cache = rocksdb::NewLRUCache(options_.cache_bytes);
  if (options_.files) shared_->env = rocksdb::NewCompositeEnv(options_.files);
  shared_->listener = std::make_shared<DamageInCompactions>(options_.on_damage);
  for (const Family& family : options_.families) {
    shared_->filters.push_back(family.is_dead ? std::make_unique<DeadRecords>(family) : nullptr);
  }
}

Store::~Store() {
  if (db_ && !options_.is_read_only) static_cast<void>(Flush());  // else the log still has it
  CloseFiles();
}

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  return Make(std::move(options), /*stays_closed=*/false);
}

Result<std::unique_ptr<Store>> Store::OpenOrStayClosed(StoreOptions options) {
  return Make(std::move(options), /*stays_closed=*/true);
}

Result<std::unique_ptr<Store>> Store::Make(StoreOptions options, bool stays_closed) {
  std::unique_ptr<Store> store(new Store(std::move(options)));
  rocksdb::Env* const own = store->shared_->env.get();
  if (!store->options_.is_read_only) {
    const rocksdb::Status made =
        MakeDirectory(own != nullptr ? *own : *rocksdb::Env::Default(), store->options_.path);
    if (!made.ok()) return store->Fail("make its directory", made);
  }
  const Status opened = store->OpenFiles();
  if (!opened.ok() && !(stays_closed && CodeOf(opened) == FaultCode::kStoreDamaged)) return opened;
  return store;
}

Status Store::Fail(const char* doing, const rocksdb::Status& status) const {
  return FaultOfStatus(status, options_.path, doing);
}

Status Store::OpenFiles() {
  rocksdb::DBOptions database;
  if (shared_->env) database.env = shared_->env.get();
  database.create_if_missing = !options_.is_read_only;
  database.create_missing_column_families = !options_.is_read_only;
  database.paranoid_checks = true;
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.max_total_wal_size = options_.log_bytes_max;
  database.max_background_jobs = 2;
  // Errors of background work are ours to judge: Reopen, not a retry behind our back.
  database.max_bgerror_resume_count = 0;
  database.listeners.push_back(shared_->listener);
  database.keep_log_file_num = 4;
  database.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  database.max_open_files = 512;

  const rocksdb::ColumnFamilyOptions plain = PlainFamily(shared_->cache);
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  wanted.emplace_back(rocksdb::kDefaultColumnFamilyName, plain);
  for (size_t i = 0; i < options_.families.size(); ++i) {
    rocksdb::ColumnFamilyOptions family = plain;
    if (options_.families[i].blob_bytes_min > 0) {
      family.enable_blob_files = true;
      family.min_blob_size = options_.families[i].blob_bytes_min;
      family.enable_blob_garbage_collection = true;
      family.blob_garbage_collection_age_cutoff = 0.5;
      family.blob_garbage_collection_force_threshold = 0.5;
    }
    family.compaction_filter = shared_->filters[i].get();
    wanted.emplace_back(options_.families[i].name, family);
  }
  // A store of an older version has not all of them, and one that is only read gets none.
  const std::set<std::string> missing =
      options_.is_read_only ? MissingFamilies(database, options_) : std::set<std::string>();
  std::erase_if(wanted, [&missing](const auto& each) { return missing.contains(each.name); });
  rocksdb::DB* opened = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::Status status =
      LacksItsBeginning(*database.env, options_.path)
          ? rocksdb::Status::Corruption("the file CURRENT is missing")
      : options_.is_read_only
          ? rocksdb::DB::OpenForReadOnly(database, options_.path, wanted, &handles, &opened)
          : rocksdb::DB::Open(database, options_.path, wanted, &handles, &opened);
  if (status.IsCorruption() && !options_.is_read_only) {
    uint64_t cut = 0;
    const rocksdb::Status cutting = CutTornTail(*database.env, options_.path, &cut);
    if (cutting.ok() && cut > 0) {
      torn_bytes_ += cut;
      status = rocksdb::DB::Open(database, options_.path, wanted, &handles, &opened);
    }
  }
  if (!status.ok()) {
    closed_because_ = FaultOfStatus(status, options_.path, "open");
    return closed_because_;
  }
  closed_because_ = Status::OK();
  db_.reset(opened);
  empty_ = handles.front();
  auto next = handles.begin() + 1;
  for (const Family& family : options_.families) {
    families_.push_back(missing.contains(family.name) ? empty_ : *next++);
  }
  return Status::OK();
}

void Store::CloseFiles() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    if (family != empty_) db_->DestroyColumnFamilyHandle(family);
  }
  db_->DestroyColumnFamilyHandle(empty_);
  families_.clear();
  db_->Close().PermitUncheckedError();  // what was acknowledged is in the log
  db_.reset();
}

Result<std::optional<std::string>> Store::Get(FamilyIndex family, std::string_view key) const {
  const std::shared_lock open(open_mutex_);
  if (!db_) return closed_because_;
  std::string value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), families_[family], SliceOf(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return Fail("read", status);
  return std::optional<std::string>(std::move(value));
}

Result<CachedRead> Store::GetCached(FamilyIndex family, std::string_view key) const {
  // A Reopen would make the loop wait for the disk.
  const std::shared_lock open(open_mutex_, std::try_to_lock);
  if (!open.owns_lock()) return CachedRead{};
  if (!db_) return closed_because_;
  rocksdb::ReadOptions read;
  read.read_tier = rocksdb::kBlockCacheTier;
  std::string value;
  const rocksdb::Status status = db_->Get(read, families_[family], SliceOf(key), &value);
  if (status.IsIncomplete()) return CachedRead{};
  if (status.IsNotFound()) return CachedRead{true, std::nullopt};
  if (!status.ok()) return Fail("read", status);
  return CachedRead{true, std::move(value)};
}

bool Store::MayHave(FamilyIndex family, std::string_view key) const {
  const std::shared_lock open(open_mutex_);
  if (!db_) return true;
  std::string value;
  return db_->KeyMayExist(rocksdb::ReadOptions(), families_[family], SliceOf(key), &value);
}

std::unique_ptr<Cursor> Store::MakeCursor(FamilyIndex family, std::string_view begin,
                                          std::string end) const {
  std::unique_ptr<Cursor> cursor(new Cursor(*this, family, std::move(end)));
  cursor->Seek(begin);
  return cursor;
}

Status Store::Write(const std::vector<const Batch*>& batches) {
  const std::shared_lock open(open_mutex_);
  if (!db_) return closed_because_;
  size_t bytes = 0;
  for (const Batch* batch : batches) bytes += batch->bytes() + 16 * batch->changes().size();
  rocksdb::WriteBatch write(bytes + 64);
  rocksdb::Status status;
  for (const Batch* batch : batches) {
    for (const Batch::Change& change : batch->changes()) {
      rocksdb::ColumnFamilyHandle* family = families_[change.family];
      switch (change.kind) {
        case Batch::Kind::kPut:
          status = write.Put(family, change.key, change.value);
          break;
        case Batch::Kind::kDelete:
          status = write.Delete(family, change.key);
          break;
        case Batch::Kind::kDeleteRange:
          status = write.DeleteRange(family, change.key, change.value);
          break;
      }
      if (!status.ok()) return Fail("prepare a write", status);
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  status = db_->Write(options, &write);
  return status.ok() ? Status::OK() : Fail("write", status);
}

Status Store::Reopen() {
  const std::unique_lock closed(open_mutex_);
  CloseFiles();
  return OpenFiles();
}

Status Store::closed_because() const {
  const std::shared_lock open(open_mutex_);
  return closed_because_;
}

Status Store::Flush() {
  const std::shared_lock open(open_mutex_);
  if (!db_) return closed_because_;
  const rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), families_);
  return status.ok() ? Status::OK() : Fail("flush", status);
}

Status Store::Checkpoint(const std::string& path) const {
  const std::shared_lock open(open_mutex_);
  if (!db_) return closed_because_;
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // 0: what is in memory goes into tables first, so that there is no log to copy.
  if (status.ok()) status = checkpoint->CreateCheckpoint(path, /*log_size_for_flush=*/0);
  return status.ok() ? Status::OK() : Fail("copy", status);
}

Status Store::Compact() {
  ARROW_RETURN_NOT_OK(Flush());
  const std::shared_lock open(open_mutex_);
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    const rocksdb::Status status = db_->CompactRange(options, family, nullptr, nullptr);
    if (!status.ok()) return Fail("compact", status);
  }
  return Status::OK();
}

uint64_t Store::Property(std::string_view name) const {
  const std::shared_lock open(open_mutex_);
  uint64_t sum = 0;
  if (!db_) return sum;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    uint64_t value = 0;
    if (db_->GetIntProperty(family, SliceOf(name), &value)) sum += value;
  }
  return sum;
}

Status CopyClosedStore(os::Disk& disk, const std::string& from, const std::string& path) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(path));
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(from));
  for (const os::DirectoryEntry& entry : entries) {
    const std::string& name = entry.name;
    if (entry.is_directory || name == "LOCK" || name.starts_with("LOG")) continue;
    const std::string file = os::JoinPath(from, name), copy = os::JoinPath(path, name);
    const bool never_changes = name.ends_with(".sst") || name.ends_with(".blob");
    ARROW_RETURN_NOT_OK(never_changes ? disk.Link(file, copy) : os::CopyFile(disk, file, copy));
  }
  return Status::OK();
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

}  // namespace levada::db::rocks
