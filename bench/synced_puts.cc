// Puts to RocksDB itself, each synced to the disk before it is acknowledged: what a store on it
// could do at most. Its own group commit gathers what several threads write at once. Options are
// RocksDB's defaults. The figures are those of http_load.
//
//   synced_puts --path DIR --threads 64 --seconds 5 --value-bytes 1024

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/load_figures.h"

namespace levada::bench {
namespace {

std::string ValueOf(size_t size) {
  std::mt19937_64 random(1);  // tidy: allow the bytes of a benchmark
  std::string value(size, '\0');
  for (char& byte : value) byte = static_cast<char>(random());
  return value;
}

Figures PutUntil(rocksdb::DB& database, std::atomic<uint64_t>& next, const std::string& value,
                 uint64_t end_ns) {
  rocksdb::WriteOptions options;
  options.sync = true;
  Figures puts;
  for (uint64_t began = NowNs(); began < end_ns;) {
    const rocksdb::Status put = database.Put(options, fmt::format("key-{:07}", next++), value);
    const uint64_t now = NowNs();
    if (put.ok()) {
      puts.latencies.Add(now - began);
    } else {
      ++puts.errors;
    }
    began = now;
  }
  return puts;
}

int Main(int argc, char** argv) {
  CLI::App app("synced puts to RocksDB");
  std::string path;
  size_t threads = 1;
  size_t value_bytes = 1024;
  double seconds = 5;
  app.add_option("--path", path, "a directory; made when absent")->required();
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--value-bytes", value_bytes);
  app.add_option("--seconds", seconds);
  CLI11_PARSE(app, argc, argv);

  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &opened);
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.ToString());
    return 1;
  }
  const std::unique_ptr<rocksdb::DB> database(opened);
  const std::string value = ValueOf(value_bytes);
  std::atomic<uint64_t> next = 0;
  std::vector<Figures> of_threads(threads);
  const uint64_t began = NowNs();
  const uint64_t end = began + static_cast<uint64_t>(seconds * 1e9);
  {
    std::vector<std::jthread> running;  // tidy: allow a benchmark of threads
    for (Figures& puts : of_threads) {
      running.emplace_back([&] { puts = PutUntil(*database, next, value, end); });
    }
  }
  Figures all;
  all.elapsed_s = static_cast<double>(NowNs() - began) / 1e9;
  for (const Figures& puts : of_threads) {
    all.latencies.Add(puts.latencies);
    all.errors += puts.errors;
  }
  all.bytes = all.latencies.count() * value_bytes;
  fmt::print("{}", JsonOf(all));
  return all.latencies.count() > 0 ? 0 : 1;
}

}  // namespace
}  // namespace levada::bench

int main(int argc, char** argv) { return levada::bench::Main(argc, argv); }
