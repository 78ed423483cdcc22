// Any bytes as a database file, read as a pipeline would read it: with literals, with values that
// do not fit as NULL, cut into partitions, by several connections, and through a view. An error, or
// batches that are whole.
//
// Where the bytes of a write-ahead log begin among the data, they become the log beside the file.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "elt/catalog.h"
#include "elt/value.h"

namespace levada::sqlite {

void Register(elt::Catalog& catalog);

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// The world of one process: the catalog, and a file in memory where there is such a place.
class Surroundings {
 public:
  Surroundings() {
    Register(catalog_);
    const std::string parent = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    path_ = parent + "/levada-damaged-" + std::to_string(getpid()) + ".db";
  }
  ~Surroundings() { Remove(); }

  Context context() {
    Context ctx;
    ctx.clock = clock_.get();
    ctx.log = log_.get();
    ctx.counters = &counters_;
    ctx.pool = &pool_;
    ctx.failpoints = &failpoints_;
    // A view may well run for ever; that a stop ends it is tested elsewhere.
    return ctx.Within(std::chrono::milliseconds(300));
  }

  void Write(std::string_view bytes) {
    Remove();
    constexpr std::string_view kLogBegins[] = {"\x37\x7f\x06\x82", "\x37\x7f\x06\x83"};
    size_t at = std::string_view::npos;
    for (const std::string_view magic : kLogBegins) at = std::min(at, bytes.find(magic));
    WriteFile(path_, bytes.substr(0, at));
    if (at != std::string_view::npos) WriteFile(path_ + "-wal", bytes.substr(at));
  }

  Result<std::unique_ptr<elt::Consumer>> Make(const std::string& yaml) {
    auto source =
        std::make_shared<const SourceText>(SourceText{"fuzz.yaml", "path: " + path_ + "\n" + yaml});
    ARROW_ASSIGN_OR_RAISE(const elt::Value value, elt::ParseYaml(source));
    const auto* entry = catalog_.FindConsumer("sqlite");
    std::vector<Diagnostic> problems;
    const elt::Options options = elt::ValidateOptions(
        entry->spec, value, "consumer", source,
        std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), problems);
    Require(problems.empty());
    return entry->make(options, elt::StageInput());
  }

 private:
  static void WriteFile(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<long>(bytes.size()));
  }
  void Remove() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::filesystem::remove(path_ + suffix);
    }
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  Counters counters_;
  BudgetPool pool_{int64_t{512} << 20};
  Failpoints failpoints_;
  elt::Catalog catalog_;
  std::string path_;
};

Status ReadSlice(Context& ctx, elt::PartitionReader& reader, int slice) {
  ARROW_ASSIGN_OR_RAISE(auto stream, reader.Read(ctx, slice));
  int64_t rows = 0;
  while (true) {
    elt::BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) break;
    Require(batch->ValidateFull().ok());
    rows += batch->num_rows();
  }
  ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream->Finish());
  Require(end.rows_read == rows);
  return Status::OK();
}

Status ReadAll(Context ctx, const elt::Consumer& consumer) {
  ARROW_ASSIGN_OR_RAISE(const elt::Source source, consumer.Describe(ctx));
  elt::SplitLimits limits;
  limits.partition_bytes = 4096;
  ARROW_ASSIGN_OR_RAISE(const auto partitions, consumer.Split(ctx, {}, source, limits));
  for (const elt::Partition& partition : partitions) {
    ARROW_ASSIGN_OR_RAISE(auto reader, consumer.Open(ctx, {}, partition, source, {.rows = 100}));
    for (const elt::Slice& slice : partition.slices) {
      ARROW_RETURN_NOT_OK(ReadSlice(ctx, *reader, slice.index));
    }
  }
  return Status::OK();
}

}  // namespace
}  // namespace levada::sqlite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using levada::sqlite::ReadAll;
  static levada::sqlite::Surroundings surroundings;
  surroundings.Write(std::string_view(reinterpret_cast<const char*>(data), size));
  for (const char* yaml :
       {"table: t\nmixed: string\nconnections: 3\nbusy_timeout: 0s",
        "table: t\nmixed: null\npartition: { by: rowid, count: 3 }", "table: v\nmixed: string"}) {
    const auto consumer = surroundings.Make(yaml);
    if (consumer.ok()) (void)ReadAll(surroundings.context(), **consumer);
  }
  return 0;
}
