#include "backup/carry.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "places/sha256.h"

namespace levada::backup {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr size_t kReadBytes = size_t{1} << 20;

}  // namespace

Status ForEach(const Context& ctx, int threads, size_t count,
               const std::function<Status(size_t)>& work, const std::function<void()>& tick) {
  std::atomic<size_t> next{0};
  std::mutex mutex;  // guards what follows
  std::condition_variable ended;
  int running = threads;
  Status failure;

  const auto run = [&] {
    while (true) {
      const size_t i = next++;
      Status status = i < count ? ctx.Check() : Status::OK();
      if (i < count && status.ok()) status = work(i);
      const std::lock_guard lock(mutex);
      if (!status.ok()) next = count;
      if (failure.ok()) failure = status;
      if (i < count && status.ok()) continue;
      --running;
      ended.notify_all();
      return;
    }
  };
  std::vector<std::jthread> pool;  // tidy: allow threads, files are waited for
  for (int i = 0; i < threads; ++i) pool.emplace_back(run);
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, kTick, [&] { return running == 0; })) {
    lock.unlock();
    tick();
    lock.lock();
  }
  return failure;
}

Result<std::string> HashFile(const Context& ctx, os::Disk& disk, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Open(path));
  ARROW_ASSIGN_OR_RAISE(places::Sha256 hash, places::Sha256::Make());
  std::vector<uint8_t> piece(kReadBytes);
  for (int64_t offset = 0;;) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_ASSIGN_OR_RAISE(const int64_t got, file->ReadAt(offset, piece));
    if (got == 0) return hash.Finish();
    ARROW_RETURN_NOT_OK(hash.Update(std::span(piece).first(static_cast<size_t>(got))));
    offset += got;
  }
}

Status ReadChecked(const Context& ctx, BackupStore& store, const std::string& path, int64_t bytes,
                   const std::string& sha256,
                   const std::function<Status(std::span<const uint8_t>)>& take) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, store.Open(path));
  ARROW_ASSIGN_OR_RAISE(places::Sha256 hash, places::Sha256::Make());
  int64_t total = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    const auto read = stream->Read(kReadBytes);
    if (!read.ok()) {
      if (!FaultOf(read.status()).Detail("path").empty()) return read.status();
      return Fault(FaultCode::kTargetIo, fmt::format("cannot read \"{}\": {}", store.Location(path),
                                                     read.status().message()));
    }
    const std::span<const uint8_t> piece((*read)->data(), static_cast<size_t>((*read)->size()));
    if (piece.empty()) break;
    total += (*read)->size();
    if (total > bytes) break;
    ARROW_RETURN_NOT_OK(hash.Update(piece));
    ARROW_RETURN_NOT_OK(take(piece));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string found, hash.Finish());
  if (total == bytes && found == sha256) return Status::OK();
  return Fault(FaultCode::kStoreDamaged,
               fmt::format("\"{}\" is not what was written", store.Location(path)))
      .With("path", store.Location(path))
      .Help(
          "restore another backup: `levada restore --list` says which there are; a new backup "
          "writes such a file anew once the damaged one is removed");
}

}  // namespace levada::backup
