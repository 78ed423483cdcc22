#pragma once
// Transfers: imports and exports of databases as files, which take longer than a request: a client
// begins one, asks how it goes until it has ended, and sends or fetches the file by an address that
// nobody can guess and that ends after an hour. They live in memory, and end with the daemon.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http.h"
#include "net/loop.h"
#include "os/disk.h"
#include "services/core/control.h"
#include "services/d1/databases.h"
#include "services/d1/sql_dump.h"

namespace levada::services::d1 {

struct TransfersLimits {
  int64_t import_bytes_max = kImportBytesMax;
  size_t transfers_max = 100;  ///< of all databases: each may have a file; ended ones make room
  size_t running_max = 2;      ///< an import's text is in memory
  WallMicros kept = WallMicros{3600} * 1'000'000;
};

enum class TransferState : uint8_t {
  kAwaited,   ///< an import whose file has not come
  kArriving,  ///< it comes
  kReady,     ///< it is here
  kRunning,
  kComplete,
  kFailed,
};

struct Transfer {
  std::string secret;    ///< of its address
  std::string filename;  ///< as clients call it
  uint64_t database = 0;
  bool is_import = false;
  TransferState state = TransferState::kAwaited;
  std::string etag;         ///< of an import: MD5 in hex, as announced
  std::string options;      ///< of an export, as asked for
  std::string at_bookmark;  ///< where it began: what it is asked about by
  std::string path;         ///< of its file; it goes with the transfer
  std::string result;       ///< of a complete one: JSON
  std::string error;        ///< of a failed one
  WallMicros expires = 0;
  os::Disk* disk = nullptr;
  Transfer() = default;
  ~Transfer();  ///< removes its files
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  Status RemoveFiles();
};

/// On the loop.
class Transfers final {
 public:
  /// All outlive it.
  Transfers(Databases& databases, os::Disk& disk, const Clock& clock, Logger& log, Random& random,
            net::Loop& loop, net::Workers& workers, os::DiskReserve* reserve,
            const TransfersLimits& limits)
      : databases_(databases),
        disk_(disk),
        clock_(clock),
        log_(log),
        random_(random),
        loop_(loop),
        workers_(workers),
        reserve_(reserve),
        limits_(limits) {}

  using Known = std::shared_ptr<Transfer>;

  /// An import that awaits its file. Busy when there are too many.
  Result<Known> BeginImport(const Resource& database, std::string etag);
  /// Takes its file. kBadValue for one that is not what was announced, or too long.
  net::Task<Status> Receive(Known transfer, net::RequestBody& body);
  /// Runs an import whose file is here; kBadValue for another. Returns when it has begun.
  net::Task<Status> StartImport(Known transfer, Resource database);
  /// Begins an export.
  net::Task<Result<Known>> StartExport(Resource database, DumpOptions options,
                                       std::string options_text);
  /// Waits a while for its end, so that clients that ask without a pause ask seldom.
  net::Task<void> AwaitEnd(Known transfer);

  /// By the secret of its address; null when there is none (any more).
  Known Find(std::string_view secret);
  Known FindImport(uint64_t database, std::string_view filename);
  /// The newest that fits. `options`: of an export.
  Known FindRunning(uint64_t database, bool is_import, std::string_view at_bookmark,
                    std::string_view options);
  /// The file of a complete export.
  net::Task<Result<std::unique_ptr<net::ResponseBody>>> OpenFile(Known transfer, uint64_t& bytes);

 private:
  Result<Known> Add(const Resource& database, bool is_import);
  void Expire();
  /// The oldest that nobody fetches anything of any more. False: there is none.
  bool DropEnded();
  net::Task<void> RunImport(Known transfer, Resource database);
  net::Task<void> RunExport(Known transfer, Resource database, DumpOptions options);
  void Fail(const Known& transfer, const Status& status);

  Databases& databases_;
  os::Disk& disk_;
  const Clock& clock_;
  Logger& log_;
  Random& random_;
  net::Loop& loop_;
  net::Workers& workers_;
  os::DiskReserve* const reserve_;
  const TransfersLimits limits_;
  std::map<std::string, Known, std::less<>> by_secret_;
  size_t running_ = 0;
};

}  // namespace levada::services::d1
