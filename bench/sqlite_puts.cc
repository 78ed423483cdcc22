// Inserts into SQLite itself, each a transaction that is synced before it is acknowledged (WAL,
// synchronous = FULL): what a service on it could do at most. Threads of one database wait for each
// other, as writers of SQLite do. The figures are those of http_load.
//
//   sqlite_puts --path DIR --databases 1 --threads 64 --seconds 5 --value-bytes 100

#include <fmt/format.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/load_figures.h"

namespace levada::bench {
namespace {

constexpr int kBusyMs = 60'000;

/// A connection with a prepared insert.
class Writer {
 public:
  explicit Writer(const std::string& path) {
    Check(sqlite3_open_v2(path.c_str(), &database_,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
    sqlite3_busy_timeout(database_, kBusyMs);
    Run("PRAGMA journal_mode = WAL");
    Run("PRAGMA synchronous = FULL");
    Run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)");
    Check(sqlite3_prepare_v2(database_, "INSERT INTO t (v) VALUES (?1)", -1, &insert_, nullptr));
  }
  ~Writer() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool Insert(const std::string& value) {
    sqlite3_bind_text(insert_, 1, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    const int code = sqlite3_step(insert_);
    sqlite3_reset(insert_);
    return code == SQLITE_DONE;
  }

 private:
  void Run(const char* sql) { Check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
  void Check(int code) {
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_));
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

Figures InsertUntil(Writer& writer, const std::string& value, uint64_t end_ns) {
  Figures inserts;
  for (uint64_t began = NowNs(); began < end_ns;) {
    const bool is_done = writer.Insert(value);
    const uint64_t now = NowNs();
    if (is_done) {
      inserts.latencies.Add(now - began);
    } else {
      ++inserts.errors;
    }
    began = now;
  }
  return inserts;
}

int Main(int argc, char** argv) {
  CLI::App app("synced inserts into SQLite");
  std::string path;
  size_t databases = 1;
  size_t threads = 1;
  size_t value_bytes = 100;
  double seconds = 5;
  app.add_option("--path", path, "a directory; made when absent")->required();
  app.add_option("--databases", databases)->check(CLI::Range(1, 1024));
  app.add_option("--threads", threads, "each of one database")->check(CLI::Range(1, 1024));
  app.add_option("--value-bytes", value_bytes);
  app.add_option("--seconds", seconds);
  CLI11_PARSE(app, argc, argv);
  try {  // tidy: allow the edge of the program
    std::filesystem::create_directories(path);
    std::vector<std::unique_ptr<Writer>> writers;
    for (size_t i = 0; i < threads; ++i) {
      writers.push_back(std::make_unique<Writer>(fmt::format("{}/{}.db", path, i % databases)));
    }
    const std::string value(value_bytes, 'v');
    std::vector<Figures> of_threads(threads);
    const uint64_t began = NowNs();
    const uint64_t end = began + static_cast<uint64_t>(seconds * 1e9);
    {
      std::vector<std::jthread> running;  // tidy: allow a benchmark of threads
      for (size_t i = 0; i < threads; ++i) {
        running.emplace_back([&, i] { of_threads[i] = InsertUntil(*writers[i], value, end); });
      }
    }
    Figures all;
    all.elapsed_s = static_cast<double>(NowNs() - began) / 1e9;
    for (const Figures& inserts : of_threads) {
      all.latencies.Add(inserts.latencies);
      all.errors += inserts.errors;
    }
    all.bytes = all.latencies.count() * value_bytes;
    fmt::print("{}", JsonOf(all));
    return all.latencies.count() > 0 ? 0 : 1;
  } catch (const std::exception& error) {  // tidy: allow as above
    fmt::print(stderr, "sqlite_puts: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace levada::bench

int main(int argc, char** argv) { return levada::bench::Main(argc, argv); }
