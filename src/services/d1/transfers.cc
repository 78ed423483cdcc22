#include "services/d1/transfers.h"

#include <fmt/format.h>

#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "formats/checksums/checksum.h"
#include "services/core/master_key.h"
#include "services/core/on_thread.h"
#include "services/d1/d1_access.h"

namespace levada::services::d1 {
namespace {

using net::Task;

constexpr size_t kPieceBytes = 1 << 20;
constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kLooks = 250;

Fault BadTransfer(std::string what) { return Fault(FaultCode::kBadValue, std::move(what)); }

/// A file as an answer.
class FileBody final : public net::ResponseBody {
 public:
  FileBody(Transfers::Known transfer, std::shared_ptr<os::ReadableFile> file, net::Loop& loop,
           net::Workers& workers)
      : transfer_(std::move(transfer)), file_(std::move(file)), loop_(loop), workers_(workers) {}

  Task<Result<std::string_view>> Next() override {
    // The thread may outlast this: what it works on is shared.
    auto piece = std::make_shared<std::string>(kPieceBytes, '\0');
    const auto file = file_;
    const int64_t offset = offset_;
    net::Arrival<Result<int64_t>> arrival(loop_);
    const bool is_taken = workers_.Submit([arrival, piece, file, offset] {
      arrival.Set(file->ReadAt(offset, {reinterpret_cast<uint8_t*>(piece->data()), piece->size()}));
    });
    if (!is_taken) co_return Busy();
    const Result<int64_t> got = co_await arrival;
    if (!got.ok()) co_return got.status();
    piece->resize(static_cast<size_t>(*got));
    offset_ += *got;
    piece_ = std::move(piece);
    co_return std::string_view(*piece_);
  }

 private:
  const Transfers::Known transfer_;  ///< its file stays while this lives
  const std::shared_ptr<os::ReadableFile> file_;
  net::Loop& loop_;
  net::Workers& workers_;
  int64_t offset_ = 0;
  std::shared_ptr<std::string> piece_;
};

/// What a file that arrives is written by.
struct Arriving {
  std::unique_ptr<os::WritableFile> file;
  std::optional<checksums::Checksum> hash;

  Status Write(std::string_view piece) {
    ARROW_RETURN_NOT_OK(hash->Update(piece));
    return file->Append({reinterpret_cast<const uint8_t*>(piece.data()), piece.size()});
  }
};

std::string ResultOf(const Ran& ran) {
  const auto sum = SumOf(ran.answer);
  return fmt::format(R"({{"final_bookmark":{},"num_queries":{},"meta":{}}})",
                     QuoteJson(ran.bookmark), ran.answer.results.size(),
                     MetaJson(sum, ran.answer.is_changed, ran.answer.size_bytes));
}

Context ContextOf(const Clock& clock, Logger& log) {
  Context ctx;
  ctx.clock = &clock;
  ctx.log = &log;
  return ctx;
}

}  // namespace

Transfer::~Transfer() { (void)RemoveFiles(); }

Status Transfer::RemoveFiles() {
  if (disk == nullptr) return Status::OK();
  const Status removed = disk->Remove(path);
  const Status copy_removed = disk->Remove(path + ".database");
  return removed.ok() ? copy_removed : removed;
}

Result<Transfers::Known> Transfers::Add(const Resource& database, bool is_import) {
  Expire();
  if (by_secret_.size() >= limits_.transfers_max && !DropEnded()) return Busy();
  if (reserve_ != nullptr && reserve_->is_full()) {
    return Fault(FaultCode::kDiskFull, "the disk is full");
  }
  auto transfer = std::make_shared<Transfer>();
  transfer->secret = HexOf(RandomBytes(random_, 32));
  transfer->filename = transfer->secret.substr(0, 16) + ".sql";
  transfer->database = database.number;
  transfer->is_import = is_import;
  transfer->path = os::JoinPath(databases_.transfers_directory(), transfer->filename);
  transfer->expires = clock_.Now() + limits_.kept;
  transfer->disk = &disk_;
  by_secret_[transfer->secret] = transfer;
  return transfer;
}

void Transfers::Expire() {
  std::erase_if(by_secret_, [now = clock_.Now()](const auto& each) {
    return each.second->expires <= now && each.second->state != TransferState::kRunning;
  });
}

bool Transfers::DropEnded() {
  auto oldest = by_secret_.end();
  for (auto at = by_secret_.begin(); at != by_secret_.end(); ++at) {
    const Transfer& each = *at->second;
    const bool has_ended = each.state == TransferState::kFailed ||
                           (each.state == TransferState::kComplete && each.is_import);
    if (!has_ended) continue;
    if (oldest == by_secret_.end() || each.expires < oldest->second->expires) oldest = at;
  }
  if (oldest == by_secret_.end()) return false;
  by_secret_.erase(oldest);
  return true;
}

Transfers::Known Transfers::Find(std::string_view secret) {
  Expire();
  const auto at = by_secret_.find(secret);
  return at == by_secret_.end() ? nullptr : at->second;
}

Transfers::Known Transfers::FindImport(uint64_t database, std::string_view filename) {
  Expire();
  for (const auto& [secret, each] : by_secret_) {
    if (each->is_import && each->database == database && each->filename == filename) return each;
  }
  return nullptr;
}

Transfers::Known Transfers::FindRunning(uint64_t database, bool is_import,
                                        std::string_view at_bookmark, std::string_view options) {
  Expire();
  Known found;
  for (const auto& [secret, each] : by_secret_) {
    const bool fits = each->database == database && each->is_import == is_import &&
                      each->at_bookmark == at_bookmark && each->options == options &&
                      each->state >= TransferState::kRunning;
    if (fits && (found == nullptr || each->expires > found->expires)) found = each;
  }
  return found;
}

Result<Transfers::Known> Transfers::BeginImport(const Resource& database, std::string etag) {
  ARROW_ASSIGN_OR_RAISE(Known transfer, Add(database, true));
  transfer->etag = std::move(etag);
  return transfer;
}

Task<Status> Transfers::Receive(Known transfer, net::RequestBody& body) {
  if (!transfer->is_import || transfer->state != TransferState::kAwaited) {
    co_return BadTransfer("this file was sent already");
  }
  transfer->state = TransferState::kArriving;
  const auto arriving = std::make_shared<Arriving>();
  Status status = co_await OnThread(loop_, workers_, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(arriving->file, disk_.Create(transfer->path));
    ARROW_ASSIGN_OR_RAISE(arriving->hash, checksums::Checksum::Make(checksums::Algorithm::kMd5));
    return Status::OK();
  });
  int64_t bytes = 0;
  while (status.ok()) {
    const Result<std::string_view> piece = co_await body.Read();
    if (!piece.ok()) {
      status = BadTransfer("the file did not arrive whole");
    } else if (piece->empty()) {
      break;
    } else if ((bytes += static_cast<int64_t>(piece->size())) > limits_.import_bytes_max) {
      status =
          BadTransfer(fmt::format("the file is longer than {} bytes, which is what one import "
                                  "takes; split it",
                                  limits_.import_bytes_max));
    } else {
      status = co_await OnThread(loop_, workers_, [&] { return arriving->Write(*piece); });
    }
  }
  if (status.ok()) {
    status = co_await OnThread(loop_, workers_, [&]() -> Status {
      ARROW_RETURN_NOT_OK(arriving->file->Close());
      ARROW_ASSIGN_OR_RAISE(const checksums::Digest digest, arriving->hash->Finish());
      const std::string got = digest.Hex();
      if (transfer->etag.empty()) transfer->etag = got;
      if (got == transfer->etag) return Status::OK();
      return BadTransfer("the file is not the one that was announced: its MD5 is " + got);
    });
  }
  if (!status.ok() && reserve_ != nullptr) reserve_->ReleaseIfFull(status);
  transfer->state = status.ok() ? TransferState::kReady : TransferState::kAwaited;
  co_return status;
}

Task<Status> Transfers::StartImport(Known transfer, Resource database) {
  if (transfer->state != TransferState::kReady) {
    co_return BadTransfer(transfer->state < TransferState::kReady
                              ? "the file was not uploaded"
                              : "the file was imported already; begin with init");
  }
  if (running_ >= limits_.running_max) co_return Busy();
  ++running_;
  transfer->state = TransferState::kRunning;
  const std::shared_ptr<Database> live = databases_.Of(database);
  Result<std::string> bookmark = co_await Await<std::string>(
      loop_, [&](Done<std::string> done) { live->FindBookmark(std::nullopt, std::move(done)); });
  if (!bookmark.ok()) {
    --running_;
    Fail(transfer, bookmark.status());
    co_return bookmark.status();
  }
  transfer->at_bookmark = *std::move(bookmark);
  loop_.Spawn(RunImport(std::move(transfer), std::move(database)));
  co_return Status::OK();
}

void Transfers::Fail(const Known& transfer, const Status& status) {
  transfer->state = TransferState::kFailed;
  const ApiError error = D1ErrorOf(status);
  transfer->error = error.message;
  if (error.status >= 500) {
    log_.Error("d1: an import or export failed",
               {{"file", transfer->filename}, {"cause", status.ToString()}});
  }
}

Task<void> Transfers::RunImport(Known transfer, Resource database) {
  Result<std::optional<std::string>> text = co_await OnThread(loop_, workers_, [&] {
    return os::ReadFile(disk_, transfer->path, limits_.import_bytes_max);
  });
  Status status = text.status();
  if (status.ok() && !*text) status = BadTransfer("the file is gone");
  if (status.ok()) {
    const std::shared_ptr<Database> live = databases_.Of(database);
    const Result<Ran> ran = co_await Await<Ran>(
        loop_, [&](Done<Ran> done) { live->Import(**std::move(text), std::move(done)); });
    status = ran.status();
    if (status.ok() && ran->answer.error) {
      transfer->state = TransferState::kFailed;
      transfer->error = ran->answer.error->message;
    } else if (status.ok()) {
      transfer->result = ResultOf(*ran);
      transfer->state = TransferState::kComplete;
    }
  }
  if (!status.ok()) Fail(transfer, status);
  --running_;
  const Status removed =
      co_await OnThread(loop_, workers_, [&] { return disk_.Remove(transfer->path); });
  if (!removed.ok() && !IsBusy(removed)) {
    log_.Warning("d1: the file of an import stays", {{"cause", removed.ToString()}});
  }
}

Task<Result<Transfers::Known>> Transfers::StartExport(Resource database, DumpOptions options,
                                                      std::string options_text) {
  if (running_ >= limits_.running_max) co_return Busy();
  Result<Known> added = Add(database, false);
  if (!added.ok()) co_return added.status();
  Known transfer = *std::move(added);
  ++running_;
  transfer->state = TransferState::kRunning;
  transfer->options = std::move(options_text);
  transfer->filename = database.name + "-" + transfer->filename;
  const std::shared_ptr<Database> live = databases_.Of(database);
  Result<std::string> bookmark = co_await Await<std::string>(
      loop_, [&](Done<std::string> done) { live->FindBookmark(std::nullopt, std::move(done)); });
  if (!bookmark.ok()) {
    --running_;
    by_secret_.erase(transfer->secret);
    co_return bookmark.status();
  }
  transfer->at_bookmark = *std::move(bookmark);
  loop_.Spawn(RunExport(transfer, std::move(database), std::move(options)));
  co_return transfer;
}

Task<void> Transfers::RunExport(Known transfer, Resource database, DumpOptions options) {
  const std::shared_ptr<Database> live = databases_.Of(database);
  const std::string copy = transfer->path + ".database";
  Status status = (co_await Await<std::string>(loop_, [&](Done<std::string> done) {
                    live->Export(copy, std::move(done));
                  })).status();
  if (status.ok()) {
    status = co_await OnThread(loop_, workers_, [&]() -> Status {
      ARROW_RETURN_NOT_OK(DumpSql(ContextOf(clock_, log_), copy, disk_, transfer->path, options));
      return disk_.Remove(copy);
    });
  }
  if (status.ok()) {
    transfer->state = TransferState::kComplete;
  } else {
    if (reserve_ != nullptr) reserve_->ReleaseIfFull(status);
    Fail(transfer, status);
    (void)co_await OnThread(loop_, workers_, [&] { return transfer->RemoveFiles(); });
  }
  --running_;
}

Task<void> Transfers::AwaitEnd(Known transfer) {
  for (int i = 0; i < kLooks && transfer->state == TransferState::kRunning; ++i) {
    co_await loop_.Sleep(kLook);
  }
}

Task<Result<std::unique_ptr<net::ResponseBody>>> Transfers::OpenFile(Known transfer,
                                                                     uint64_t& bytes) {
  using Opened = std::pair<std::shared_ptr<os::ReadableFile>, int64_t>;
  const Result<Opened> opened = co_await OnThread(loop_, workers_, [&]() -> Result<Opened> {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<os::ReadableFile> file, disk_.Open(transfer->path));
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
    return Opened(std::move(file), size);
  });
  if (!opened.ok()) co_return opened.status();
  bytes = static_cast<uint64_t>(opened->second);
  co_return std::make_unique<FileBody>(transfer, opened->first, loop_, workers_);
}

}  // namespace levada::services::d1
