#pragma once
// The options of consumer "postgres": their spec, and what a checked set of them means. Nothing
// here connects.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/postgres/table_name.h"
#include "elt/catalog.h"
#include "elt/options.h"
#include "formats/pgcopy/types.h"

namespace levada::postgres {

/// Most connections one partition may be read by.
inline constexpr int kConnectionsMax = 16;
/// Most partitions one run may have: each is a statement, files and a record.
inline constexpr int64_t kPartitionsMax = 10'000;

/// `partition: { by, ... }`
struct PartitionOptions {
  enum class Rule : uint8_t { kDerived, kSize, kCount, kValues, kInterval, kHash };
  Rule rule = Rule::kDerived;
  std::string by;
  int64_t number = 0;  ///< of kSize, kCount, kHash
  std::chrono::nanoseconds interval{0};
  std::vector<std::string> values;
};

struct ConsumerOptions {
  /// The written ones: dsn is revealed from here when connecting, never before.
  elt::Options written;
  std::optional<TableName> table;    ///< this, query or tables
  std::string query;                 ///< without semicolons and comments at its end
  std::string tables;                ///< a pattern; a consumer of one of them reads, not this one
  std::vector<std::string> exclude;  ///< patterns
  std::vector<std::string> columns;
  std::vector<std::string> as_text;  ///< columns that the server casts, whatever their type
  PartitionOptions partition;
  int connections = 1;            ///< 0: auto
  bool whole_partitions = false;  ///< by one connection each, whatever was asked for
  bool trim = false;
  /// numeric without bounds: a decimal, or a policy.
  std::optional<pgcopy::NumericBounds> numeric;
  pgcopy::ValuePolicy unbounded = pgcopy::ValuePolicy::kError;
  pgcopy::ValuePolicy non_finite = pgcopy::ValuePolicy::kError;
  pgcopy::ValuePolicy infinity = pgcopy::ValuePolicy::kError;
  bool uuid_as_bytes = false;
  bool time_as_text = true;  ///< Spark reads no time of day, and no type but text holds 24:00:00
  std::chrono::nanoseconds statement_timeout{0};  ///< 0: none
  std::optional<std::chrono::nanoseconds> connect_timeout;

  /// "public.orders" or "the query", for messages.
  std::string What() const { return table ? table->Written() : "the query"; }
};

elt::OptionSpec ConsumerSpec();

/// Checks what the spec cannot say. The Fault carries a diagnostic for each problem.
/// `whole_partitions`: of the pipeline, a partition must be read by one connection.
Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options, bool whole_partitions);

/// "postgres://user@host/db?table=public.orders&sslmode=require" -> dsn without our parameters, and
/// those. kBadCommandLine when there is not exactly one of table and query.
Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url);

/// {"dsn", url without the parameters `names`}, and those that it has. kBadCommandLine for one
/// without a value.
Result<elt::WrittenOptions> TakeFromUrl(const std::string& url,
                                        std::span<const std::string_view> names);
/// kBadCommandLine; the URL is shown without its password.
Fault RefusedUrl(const std::string& url, const std::string& problem);

}  // namespace levada::postgres
