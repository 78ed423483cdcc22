#pragma once
// Place: where the files of a dataset live, as a loader sees it: a local directory, or a prefix in
// an object store.
//
// Data files are made in two steps: staged (durable under a name that readers pass over, or not
// listed at all), then published (visible under the final name, atomically). Small files
// ("records": manifests, intents) are read and replaced whole. A Place knows nothing of runs: which
// files make a dataset, and in which order they appear, is the loader's protocol.
//
// Every path is relative to the root of the Place, with "/" between its parts, no leading "/" and
// no "." or ".." part. Errors are those of os/disk.h.

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/fault.h"

namespace levada::places {

/// A staged file whose bytes are all durable. Nothing but `Publish` makes it visible.
struct StagedFile {
  std::string staged;  ///< what Publish, Open, Size and Remove take for it
  int64_t bytes = 0;
  std::string sha256;  ///< of the bytes, lower-case hex
};

/// A file being staged: an Arrow stream that hashes what passes. One thread at a time.
/// Destroyed before a successful Seal, it leaves nothing behind (best effort).
class StagingFile : public arrow::io::OutputStream {
 public:
  /// Ends the file: the bytes and the staged name survive power loss once OK is returned. Once,
  /// also when it fails: a failed sync is never tried again.
  virtual Result<StagedFile> Seal() = 0;
  /// Where it is staged; known from the start, so that leftovers can be found.
  virtual const std::string& staged() const = 0;
};

struct PlaceEntry {
  std::string name;
  bool is_directory = false;
  int64_t bytes = 0;
  /// What Publish, Open, Size and Remove take for a staged file where that is not its path. Its
  /// name is StagedName(kUnknownTag, ...) then: who staged it is not listed.
  std::string staged = {};
};

/// What a writer of a record believes is there.
struct Expectation {
  enum class Kind : uint8_t { kAnything, kAbsent, kTag };
  Kind kind = Kind::kAnything;
  std::string tag;  ///< kTag: as ReadRecord gave it

  static Expectation Anything() { return {}; }
  static Expectation Absent() { return {Kind::kAbsent, {}}; }
  static Expectation Tag(std::string tag) { return {Kind::kTag, std::move(tag)}; }
};

struct Record {
  std::string content;
  std::string tag;  ///< changes with the content
};

/// A lock held by this object and no other, in this process or another one, until it is destroyed
/// or the process ends. It carries a text that anyone may read.
class PlaceLock {
 public:
  virtual ~PlaceLock() = default;
  /// The text, empty when none was ever written. Also when the process died while writing it: the
  /// caller must not need it to be there.
  virtual Result<std::string> Read(Context& ctx) const = 0;
  /// Durable once OK is returned.
  virtual Status Write(Context& ctx, std::string_view text) = 0;
};

/// Thread-safe.
class Place {  // tidy: allow more than five methods: staged files, records and locks of one root
               // belong together
 public:
  virtual ~Place() = default;

  /// Where `path` (`""`: the root) is, as a person would write it: for messages.
  virtual std::string Location(const std::string& path) const = 0;
  /// Of memory that one StagingFile needs at most.
  virtual int64_t staging_bytes() const { return 0; }
  /// How many of them may be written in turns.
  virtual int staging_files_max() const { return std::numeric_limits<int>::max(); }

  /// Begins the file that is to become `path`. `tag` makes the staged name unique and says whose it
  /// is. Creates the directories on the way. Writing counts into ctx.counters.
  virtual Result<std::unique_ptr<StagingFile>> Stage(Context& ctx, const std::string& path,
                                                     std::string_view tag) = 0;
  /// Gives a staged file its final name, replacing what has it. Survives power loss only after
  /// Settle. kTargetFileMissing when there is no such staged file.
  virtual Status Publish(Context& ctx, const std::string& staged, const std::string& path) = 0;
  /// Takes a published file out of sight: it is staged again, or gone where it cannot be. Durable
  /// after Settle. kTargetFileMissing when it was not published.
  virtual Status Withdraw(Context& ctx, const std::string& path, const std::string& staged) = 0;
  /// Removes a staged or a published file; OK when it is gone. Durable after Settle.
  virtual Status Remove(Context& ctx, const std::string& path) = 0;
  /// Makes earlier Publish and Remove calls of these paths durable.
  virtual Status Settle(Context& ctx, std::span<const std::string> paths) = 0;
  /// Removes `directory` and its parents as far as they are empty; never the root.
  virtual Status Prune(Context& ctx, const std::string& directory) = 0;

  /// Opens a staged or published file for reading. kTargetUnsupported of a staged one where
  /// reads_staged() is false.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(Context& ctx,
                                                                    const std::string& path) = 0;
  virtual bool reads_staged() const { return true; }
  /// Its size in bytes; nullopt when there is no such file.
  virtual Result<std::optional<int64_t>> Size(Context& ctx, const std::string& path) = 0;
  /// Entries of a directory (`""`: the root), staged ones too, sorted by name; empty when there is
  /// no such directory.
  virtual Result<std::vector<PlaceEntry>> List(Context& ctx, const std::string& directory) = 0;

  /// nullopt when there is none; kTargetIo when it is larger than `limit_bytes`.
  virtual Result<std::optional<Record>> ReadRecord(Context& ctx, const std::string& path,
                                                   int64_t limit_bytes) = 0;
  /// Replaces a record whole: readers see the old or the new one, and the new one is durable once
  /// OK is returned. kFenced when what is there is not what is expected. Writers of one record
  /// exclude each other by a lock.
  virtual Status WriteRecord(Context& ctx, const std::string& path, std::string_view content,
                             const Expectation& expected) = 0;

  /// nullptr when somebody else holds it.
  virtual Result<std::unique_ptr<PlaceLock>> TryLock(Context& ctx, const std::string& path) = 0;
};

inline constexpr std::string_view kStagedPrefix = ".levada-";
/// A suffix of our own: some readers pass over names that begin with a dot, others (DuckDB) do not
/// when they are asked for *.parquet.
inline constexpr std::string_view kStagedSuffix = ".staged";

/// In place of a tag, in names that are listed.
inline constexpr std::string_view kUnknownTag = "upload";

/// The name, in its own directory, under which a file is staged: ".levada-<tag>-<name>.staged".
/// Readers of datasets pass over names that start with a dot.
std::string StagedName(std::string_view tag, std::string_view name);

}  // namespace levada::places
