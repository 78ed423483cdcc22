#include "db/rocksdb/salvage.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <memory>
#include <utility>

#include "db/rocksdb/blob_values.h"
#include "db/rocksdb/salvaged_family.h"
#include "db/rocksdb/store_files.h"

namespace levada::db::rocks {
namespace {

/// What RocksDB says of the records it drops.
class Dropped final : public rocksdb::Logger {
 public:
  Dropped() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> line{};
    const int size = vsnprintf(line.data(), line.size(), format, arguments);
    std::string_view text(line.data(), std::clamp<size_t>(size, 0, line.size() - 1));
    const bool is_loss = text.find("ropping") != std::string_view::npos ||
                         text.find("ignoring") != std::string_view::npos;
    if (!is_loss) return;
    while (text.ends_with('\n')) text.remove_suffix(1);
    // "[WARN] [db/db_impl/db_impl_open.cc:982] (ignoring error) ", as it happens.
    while (text.starts_with('[')) text.remove_prefix(std::min(text.find(']') + 2, text.size()));
    if (text.starts_with("(ignoring error) ")) text.remove_prefix(17);
    lines_.emplace_back(text);
  }
  std::vector<std::string> Take() { return std::exchange(lines_, {}); }

 private:
  std::vector<std::string> lines_;
};

/// A copy of the damaged store, opened with whatever of it can be.
class DamagedCopy final {
 public:
  /// At `path`, of the store at `damaged`, where the blob files stay: RocksDB removes those of a
  /// copy when it has lost sight of them.
  DamagedCopy(std::string path, const std::string& damaged, const std::vector<Family>& families)
      : path_(std::move(path)), blobs_(families.size()) {
    database_.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    database_.info_log = dropped_;
    database_.max_open_files = 512;
    // A family without a table is not in a list that is made of tables.
    database_.create_missing_column_families = true;
    rocksdb::ColumnFamilyOptions plain;
    // A compaction would meet the damage, and end at it.
    plain.disable_auto_compactions = true;
    wanted_.emplace_back(rocksdb::kDefaultColumnFamilyName, plain);
    for (size_t i = 0; i < families.size(); ++i) {
      rocksdb::ColumnFamilyOptions options = plain;
      if (families[i].blob_bytes_min > 0) {
        options.enable_blob_files = true;
        options.min_blob_size = families[i].blob_bytes_min;
        blobs_[i] = std::make_unique<BlobValues>(damaged);
        options.table_properties_collector_factories.push_back(blobs_[i]->Listener());
      }
      wanted_.emplace_back(families[i].name, options);
    }
  }
  ~DamagedCopy() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    if (db_) db_->Close().PermitUncheckedError();
  }
  DamagedCopy(const DamagedCopy&) = delete;
  DamagedCopy& operator=(const DamagedCopy&) = delete;

  rocksdb::Status Open() {
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(database_, path_, wanted_, &handles_, &db);
    db_.reset(db);
    return status;
  }
  /// Makes the list of tables anew, of those that can be read.
  rocksdb::Status Rebuild() { return rocksdb::RepairDB(path_, database_, wanted_); }

  /// Behind Rebuild: where the values are that it has lost sight of. Null: of none, or unknown.
  BlobValues* FindBlobs(FamilyIndex index) {
    if (!blobs_[index]) return nullptr;
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    const rocksdb::Status found = db_->CompactRange(options, family(index), nullptr, nullptr);
    return found.ok() ? blobs_[index].get() : nullptr;
  }

  bool IsEmpty() const {
    std::vector<rocksdb::LiveFileMetaData> tables;
    db_->GetLiveFilesMetaData(&tables);
    return tables.empty();
  }

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(FamilyIndex index) const { return handles_[index + 1]; }
  std::vector<std::string> TakeDropped() { return dropped_->Take(); }

 private:
  const std::string path_;
  const std::shared_ptr<Dropped> dropped_ = std::make_shared<Dropped>();
  std::vector<std::unique_ptr<BlobValues>> blobs_;  // one a family, null without files
  rocksdb::DBOptions database_;
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted_;  // RocksDB's own default one first
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

void NameInstead(std::string& text, const std::string& work, const std::string& damaged) {
  const size_t at = text.find(work);
  if (at != std::string::npos) text.replace(at, work.size(), damaged);
}

Status CopyFailure(const std::string& path, const rocksdb::Status& status) {
  return Fault(status.IsNoSpace() ? FaultCode::kDiskFull : FaultCode::kTargetIo,
               "cannot copy the damaged store to \"" + path + "\": " + status.ToString())
      .With("path", path);
}

Result<std::unique_ptr<DamagedCopy>> OpenCopy(const std::string& damaged,
                                              const StoreOptions& options, const std::string& work,
                                              Salvaged& salvaged) {
  rocksdb::Env& env = *rocksdb::Env::Default();
  rocksdb::Status opened;
  for (const bool is_rebuilt : {false, true}) {
    rocksdb::Status copied = RemoveTree(env, work);
    if (copied.ok()) copied = CopyStore(env, damaged, work);
    if (!copied.ok()) return CopyFailure(work, copied);
    auto copy = std::make_unique<DamagedCopy>(work, damaged, options.families);
    if (is_rebuilt) opened = copy->Rebuild();
    if (!is_rebuilt || opened.ok()) opened = copy->Open();
    if (opened.ok() && is_rebuilt && copy->IsEmpty()) {
      opened = rocksdb::Status::Corruption("none of its tables");
    }
    if (!opened.ok()) continue;
    salvaged.is_rebuilt = is_rebuilt;
    salvaged.left_out = copy->TakeDropped();
    return copy;
  }
  return Fault(FaultCode::kStoreDamaged,
               "store \"" + damaged + "\": nothing of it can be read: " + opened.ToString())
      .With("path", damaged)
      .Help("put it back from a backup, or move it away to begin with an empty one");
}

}  // namespace

Result<Salvaged> Salvage(const Context& ctx, const std::string& damaged,
                         const StoreOptions& options, const std::string& work) {
  Salvaged salvaged;
  rocksdb::Env& env = *rocksdb::Env::Default();
  const rocksdb::Status cleared = RemoveTree(env, options.path);
  if (!cleared.ok()) return CopyFailure(options.path, cleared);
  {
    ARROW_ASSIGN_OR_RAISE(const auto copy, OpenCopy(damaged, options, work, salvaged));
    ARROW_ASSIGN_OR_RAISE(const auto target, Store::Open(options));
    for (FamilyIndex index = 0; index < options.families.size(); ++index) {
      ARROW_ASSIGN_OR_RAISE(std::vector<LostKeys> lost,
                            SalvageFamily(ctx,
                                          {copy->db(), *copy->family(index),
                                           salvaged.is_rebuilt ? copy->FindBlobs(index) : nullptr},
                                          index, *target));
      std::ranges::move(lost, std::back_inserter(salvaged.keys));
    }
    ARROW_RETURN_NOT_OK(target->Flush());
  }
  // People are told of the one they know.
  for (LostKeys& lost : salvaged.keys) NameInstead(lost.why, work, damaged);
  for (std::string& what : salvaged.left_out) NameInstead(what, work, damaged);
  const rocksdb::Status removed = RemoveTree(env, work);
  if (!removed.ok()) return CopyFailure(work, removed);
  return salvaged;
}

}  // namespace levada::db::rocks
