#pragma once
// The options of consumer "sqlite": their spec, and what a checked set of them means. Nothing here
// opens a file.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/sqlite/sqlite_types.h"
#include "elt/catalog.h"
#include "elt/options.h"

namespace levada::sqlite {

/// Most connections that may read one partition.
inline constexpr int kConnectionsMax = 16;
/// Most partitions one run may have: each is a statement, files and a record.
inline constexpr int64_t kPartitionsMax = 10'000;
/// Most files beside the main one: SQLite's own limit, as it is built.
inline constexpr size_t kAttachedMax = 10;

/// `mixed:`, what becomes of a value that its column's type does not hold.
enum class Mixed : uint8_t {
  kError,   ///< it ends the attempt
  kNull,    ///< NULL stands for it
  kString,  ///< the column is text, each of its values an SQL literal
};

/// What `types:` says of one column.
struct ColumnOption {
  std::string name;
  std::optional<ColumnType> type;
  std::optional<Mixed> mixed;
  elt::Options where;  ///< for problems
};

/// `attach: { name: path }`
struct AttachedFile {
  std::string name;
  std::string path;
  elt::Options where;
};

/// `partition: { by, size | count }`
struct PartitionOptions {
  enum class Rule : uint8_t { kDerived, kSize, kCount };
  Rule rule = Rule::kDerived;
  std::string by;
  int64_t number = 0;
};

struct ConsumerOptions {
  elt::Options written;
  std::string path;
  std::vector<AttachedFile> attached;
  bool immutable = false;
  std::string schema =
      "main";         ///< the file that the table is in: "main", or an attached one's name
  std::string table;  ///< this or query
  std::string query;
  Mixed mixed = Mixed::kError;
  std::vector<ColumnOption> columns;  ///< of `types:`
  PartitionOptions partition;
  int connections = 1;            ///< 0: auto
  bool whole_partitions = false;  ///< by one connection each, whatever was asked for
  std::chrono::milliseconds busy_timeout{0};

  /// The word of `types:` for this column, in whatever case; nullptr when there is none.
  const ColumnOption* Find(std::string_view column) const;
  /// `option` of what was written: for a fault that names a place in the pipeline file.
  Fault At(FaultCode code, const std::string& message, const std::string& help,
           std::string_view option) const;
  /// The option that says what is read: "table" or "query".
  std::string_view Subject() const { return query.empty() ? "table" : "query"; }
};

/// SQLite compares names ignoring the case of ASCII letters.
bool SameName(std::string_view a, std::string_view b);

elt::OptionSpec ConsumerSpec();

/// Every problem at once. `whole_partitions`: a transformer needs them.
Result<std::shared_ptr<const ConsumerOptions>> ReadConsumerOptions(const elt::Options& options,
                                                                   bool whole_partitions);

/// sqlite:///absolute/shop.db?table=t, sqlite://relative/shop.db?table=t, sqlite:shop.db?query=...
Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url);

}  // namespace levada::sqlite
