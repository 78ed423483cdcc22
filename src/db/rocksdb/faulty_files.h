#pragma once
// FaultyFiles: the system's files as RocksDB sees them, failing on demand. For *_test.cc only.

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace levada::db::rocks {

enum class Damage : uint8_t {
  kIo,          ///< EIO
  kNoSpace,     ///< ENOSPC
  kShortWrite,  ///< half of the bytes are written, then EIO
};

/// What changes the disk is counted: appends, syncs, creations, renames and their directories.
class FaultScript {
 public:
  /// The operation fails; `bytes_left`, of an append, is how many are to be written before it does.
  rocksdb::IOStatus Next() {
    if (full_) return rocksdb::IOStatus::NoSpace("injected");
    if (nth_ == 0 || ++count_ != nth_) return rocksdb::IOStatus::OK();
    fired_ = true;
    if (damage_ == Damage::kNoSpace) return rocksdb::IOStatus::NoSpace("injected");
    return rocksdb::IOStatus::IOError("injected");
  }
  void Arm(int64_t nth, Damage damage) {
    damage_ = damage;
    count_ = 0;
    fired_ = false;
    nth_ = nth;
  }
  bool fired() const { return fired_; }
  bool is_short() const { return damage_ == Damage::kShortWrite; }
  void Fill(bool full) { full_ = full; }

 private:
  std::atomic<int64_t> nth_{0};
  std::atomic<int64_t> count_{0};
  std::atomic<bool> fired_{false};
  std::atomic<bool> full_{false};
  std::atomic<Damage> damage_{Damage::kIo};
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<FaultScript> script)
      : FSWritableFileOwnerWrapper(std::move(file)), script_(std::move(script)) {}

  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus fault = script_->Next();
    if (fault.ok()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (script_->is_short()) {
      FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, debug)
          .PermitUncheckedError();
    }
    return fault;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus fault = script_->Next();
    return fault.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : fault;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus fault = script_->Next();
    return fault.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : fault;
  }

 private:
  std::shared_ptr<FaultScript> script_;
};

class FaultyFiles final : public rocksdb::FileSystemWrapper {
 public:
  FaultyFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "levada.FaultyFiles"; }

  void FailNth(int64_t nth, Damage damage) { script_->Arm(nth, damage); }
  bool fired() const { return script_->fired(); }
  void FillDisk(bool full) { script_->Fill(full); }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = script_->Next();
    if (status.ok()) status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (status.ok()) *result = std::make_unique<FaultyFile>(std::move(*result), script_);
    return status;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus fault = script_->Next();
    return fault.ok() ? FileSystemWrapper::RenameFile(from, to, options, debug) : fault;
  }

 private:
  std::shared_ptr<FaultScript> script_ = std::make_shared<FaultScript>();
};

}  // namespace levada::db::rocks
