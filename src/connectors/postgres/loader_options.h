#pragma once
// The options of loader "postgres": their spec, and what a checked set of them means. Nothing here
// connects.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/table_name.h"
#include "elt/catalog.h"
#include "elt/options.h"

namespace levada::postgres {

/// What a run does to the rows that are in the table.
enum class LoadMode : uint8_t {
  kReplace,  ///< the run's own rows take the place of those it had before
  kAppend,   ///< the run's rows come beside what is there
  kUpsert,   ///< a row takes the place of the one with its key
};

struct LoaderOptions {
  /// The written ones: dsn is revealed from here when connecting, never before.
  elt::Options written;
  TableName table;
  LoadMode mode = LoadMode::kReplace;
  std::vector<std::string> key;
  bool create = true;
  std::chrono::nanoseconds lock_timeout{0};
  std::optional<std::chrono::nanoseconds> connect_timeout;
};

elt::OptionSpec LoaderSpec();

/// Checks what the spec cannot say. The Fault carries a diagnostic for each problem.
Result<LoaderOptions> ReadLoaderOptions(const elt::Options& options);

/// "postgres://user@host/db?table=public.orders&mode=upsert&key=id" -> dsn without our parameters,
/// and those. kBadCommandLine without a table.
Result<elt::WrittenOptions> LoaderOptionsFromUrl(const std::string& url);

}  // namespace levada::postgres
