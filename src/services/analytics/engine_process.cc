#include "services/analytics/engine_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "db/chdb/library.h"
#include "formats/aesql/render.h"
#include "os/process.h"
#include "services/analytics/engine_child.h"
#include "services/analytics/engine_frame.h"
#include "services/analytics/statement_runner.h"

namespace levada::services::analytics {
namespace {

using db::chdb::Connection;
using db::chdb::Library;

constexpr size_t kRequestBytesMax = size_t{256} << 20;
constexpr int kBadArguments = 2;
// Of a machine without memory this process goes before the daemon: it has nothing to lose.
constexpr std::string_view kFirstToGo = "800";

// No machine code is made while it runs: levada.service forbids that, and the engine would fail.
constexpr std::string_view kSettingsOfAll =
    "compile_expressions = 0, compile_aggregate_expressions = 0, compile_sort_description = 0";

/// The settings that every statement of aesql repeats: a connection that has them already may be
/// closed to changes of settings.
std::string SettingsOfQueries() {
  constexpr std::string_view kBegin = " SETTINGS ", kEnd = " FORMAT ";
  const std::string statement = aesql::RenderTimezone(aesql::Format::kJson);
  const size_t begin = statement.find(kBegin) + kBegin.size();
  return statement.substr(begin, statement.rfind(kEnd) - begin);
}

/// Takes a standard file away from the library and gives it another; where it is now.
int Take(int standard, int instead) {
  const int file = fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (file < 0 || instead < 0 || dup2(instead, standard) < 0) {
    _exit(1);  // tidy: allow there is no way to tell
  }
  return file;
}

/// Where answers go, of many threads. What the library prints would be taken for answers, and goes
/// where errors go.
class Output {
 public:
  Output() : file_(Take(STDOUT_FILENO, STDERR_FILENO)) {}

  void Write(const EngineAnswer& answer) {
    const std::string frame = Encode(answer);
    const std::lock_guard lock(mutex_);
    std::string_view rest(frame);
    while (!rest.empty()) {
      const ssize_t count = write(file_, rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) _exit(0);  // tidy: allow the daemon is gone and nobody to tell
      rest.remove_prefix(static_cast<size_t>(count));
    }
  }

 private:
  const int file_;
  std::mutex mutex_;
};

/// Requests for some connections, each with a thread.
class Lane {
 public:
  /// `runner` and `output` outlive it.
  Lane(std::vector<std::unique_ptr<Connection>> connections, const StatementRunner& runner,
       Output& output)
      : connections_(std::move(connections)), runner_(runner), output_(output) {
    for (const auto& connection : connections_) {
      threads_.emplace_back([this, own = connection.get()] { Serve(*own); });
    }
  }
  ~Lane() { Finish(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Answers what was added, and no more. Idempotent.
  void Finish() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    arrived_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  void Add(EngineRequest request) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(request));
    }
    arrived_.notify_one();
  }

 private:
  std::optional<EngineRequest> Next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    EngineRequest request = std::move(waiting_.front());
    waiting_.pop_front();
    return request;
  }

  void Serve(Connection& connection) {
    while (const auto request = Next()) {
      output_.Write(AnswerOf(request->id, runner_.Run(connection, request->statement)));
    }
  }

  const std::vector<std::unique_ptr<Connection>> connections_;
  const StatementRunner& runner_;
  Output& output_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<EngineRequest> waiting_;  // bounded by who asks: each waits for its answer
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;  // tidy: allow threads, the library has no other way
};

Result<std::unique_ptr<Connection>> ConnectReader(Library& library, const std::string& directory,
                                                  const EngineProcessOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto connection, library.Connect(directory));
  const std::string limits = fmt::format(
      "SET max_execution_time = {}, max_memory_usage = {}, max_result_bytes = {}, "
      "result_overflow_mode = 'throw', timeout_overflow_mode = 'throw', allow_ddl = 0, {}",
      options.query_seconds_max, options.query_bytes_max, options.answer_bytes_max, kSettingsOfAll);
  // Closed to all else by the last: files and URLs, too, are for those alone who may change
  // something.
  for (const std::string& statement :
       {limits, "SET " + SettingsOfQueries(), std::string("SET readonly = 1")}) {
    ARROW_RETURN_NOT_OK(connection->Run(statement).status());
  }
  return connection;
}

Result<std::unique_ptr<Connection>> ConnectWriter(Library& library, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(auto connection, library.Connect(directory));
  // One insert is one part, which is there or not.
  const std::string settings = fmt::format(
      "SET async_insert = 0, max_insert_block_size = 1000000, max_block_size = 1000000, "
      "min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 1073741824, "
      "insert_deduplicate = 1, {}",
      kSettingsOfAll);
  ARROW_RETURN_NOT_OK(connection->Run(settings).status());
  ARROW_RETURN_NOT_OK(
      connection->Run(std::string("CREATE DATABASE IF NOT EXISTS ") + kChildDatabase).status());
  return connection;
}

/// Goes there, for the library takes a config.xml where it is for its own. Its absolute name.
Result<std::string> EnterDirectory(const std::string& directory) {
  std::array<char, PATH_MAX> path;
  if (realpath(directory.c_str(), path.data()) == nullptr || chdir(path.data()) != 0) {
    return Fault(
        FaultCode::kSourceUnsupported,
        fmt::format("cannot go to \"{}\": {}", directory, std::generic_category().message(errno)));
  }
  return std::string(path.data());
}

struct Connections {
  std::string directory;
  std::unique_ptr<Library> library;
  std::vector<std::unique_ptr<Connection>> readers;
  std::vector<std::unique_ptr<Connection>> writers;
};

Result<Connections> Connect(const EngineProcessOptions& options) {
  Connections made;
  ARROW_ASSIGN_OR_RAISE(made.library, db::chdb::LoadLibrary(options.library));
  ARROW_ASSIGN_OR_RAISE(made.directory, EnterDirectory(options.directory));
  ARROW_ASSIGN_OR_RAISE(auto writer, ConnectWriter(*made.library, made.directory));
  made.writers.push_back(std::move(writer));
  for (int i = 0; i < options.readers; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto reader, ConnectReader(*made.library, made.directory, options));
    made.readers.push_back(std::move(reader));
  }
  return made;
}

/// Until the end of `input`.
void Serve(int input, Lane& readers, Lane& writers) {
  FrameCutter cutter(kRequestBytesMax);
  std::vector<char> buffer(size_t{256} << 10);
  while (true) {
    const ssize_t count = read(input, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    cutter.Add({buffer.data(), static_cast<size_t>(count)});
    while (true) {
      const auto frame = cutter.Next();
      if (!frame.ok()) return;
      if (!*frame) break;
      auto request = DecodeRequest(**frame);
      if (!request) return;
      const bool is_query = request->statement.kind == StatementKind::kQuery;
      (is_query ? readers : writers).Add(*std::move(request));
    }
  }
}

/// Where nothing says so, nothing is lost but the order.
void BeFirstToGo() {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)!write(file, kFirstToGo.data(), kFirstToGo.size());
  close(file);
}

void LimitProcess(rlim_t bytes) {
  const rlimit no_core{0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit memory{bytes, bytes};  // sanitizers have terabytes of it
  (void)setrlimit(RLIMIT_AS, &memory);
#else
  (void)bytes;
#endif
}

bool ReadNumber(const std::string& text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

std::optional<EngineProcessOptions> OptionsOf(std::span<const std::string> arguments) {
  EngineProcessOptions options;
  int64_t readers = 0;
  if (arguments.size() != 7 || !ReadNumber(arguments[2], readers) || readers > 64 ||
      !ReadNumber(arguments[3], options.query_seconds_max) ||
      !ReadNumber(arguments[4], options.query_bytes_max) ||
      !ReadNumber(arguments[5], options.answer_bytes_max) ||
      !ReadNumber(arguments[6], options.process_bytes_max)) {
    return std::nullopt;
  }
  options.library = arguments[0];
  options.directory = arguments[1];
  options.readers = static_cast<int>(readers);
  return options;
}

}  // namespace

std::vector<std::string> ArgumentsOf(const EngineProcessOptions& options) {
  return {kEngineCommand,
          options.library,
          options.directory,
          std::to_string(options.readers),
          std::to_string(options.query_seconds_max),
          std::to_string(options.query_bytes_max),
          std::to_string(options.answer_bytes_max),
          std::to_string(options.process_bytes_max)};
}

int RunEngineProcess(std::span<const std::string> arguments) {
  const auto options = OptionsOf(arguments);
  if (!options) return kBadArguments;
  BeFirstToGo();
  os::RaiseOpenFileLimit();  // a merge has a file open for each column of each part
  LimitProcess(static_cast<rlim_t>(options->process_bytes_max));
  Output output;
  // The library takes what it finds in standard input for rows of inserts.
  const int input = Take(STDIN_FILENO, open("/dev/null", O_RDONLY | O_CLOEXEC));
  Result<Connections> connections = Connect(*options);
  if (!connections.ok()) {
    const Fault fault = FaultOf(connections.status());
    const bool is_missing = fault.code() == FaultCode::kFileUnreadable;
    output.Write({0, is_missing ? Outcome::kNoLibrary : Outcome::kUnsupported, fault.message()});
    _exit(1);  // tidy: allow as below
  }
  output.Write({0, Outcome::kOk, {}});
  const auto disk = os::MakeSystemDisk();
  const StatementRunner runner(*disk, connections->directory,
                               static_cast<size_t>(options->answer_bytes_max));
  Lane readers(std::move(connections->readers), runner, output);
  Lane writers(std::move(connections->writers), runner, output);
  Serve(input, readers, writers);
  readers.Finish();
  writers.Finish();
  // Nothing is taken down: the engine's own threads are in the midst of things, and what matters is
  // on the disk. tidy: allow the end of a process
  _exit(0);
}

}  // namespace levada::services::analytics
