#pragma once
// The options of consumer "clickhouse": their spec, and what a checked set of them means. Nothing
// here connects.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/clickhouse/session.h"
#include "elt/catalog.h"
#include "elt/options.h"

namespace levada::clickhouse {

/// Most partitions one run may have: each is a query, files and a record.
inline constexpr int64_t kPartitionsMax = 10'000;

/// `partition: { by, size | count | values }`
struct PartitionOptions {
  enum class Rule : uint8_t { kDerived, kSize, kCount, kValues };
  Rule rule = Rule::kDerived;
  std::string by;
  int64_t number = 0;
  std::vector<std::string> values;
};

struct ConsumerOptions {
  elt::Options written;
  std::string database;  ///< of the table; empty: that of the dsn
  std::string table;     ///< this or query
  std::string query;
  std::vector<std::string> columns;  ///< empty: all
  chnative::TypeOptions types;
  Wire wire = Wire::kAuto;
  int64_t threads = 1;
  Settings settings;
  PartitionOptions partition;
  Socket::Timeouts timeouts;
  std::string version;  ///< of levada

  /// "table \"orders\"", "the query": for messages.
  std::string What() const;
  /// `option` of what was written: for a fault that names a place in the pipeline file.
  Fault At(FaultCode code, const std::string& message, const std::string& help,
           std::string_view option) const;
  /// The option that says what is read: "table" or "query".
  std::string_view Subject() const { return query.empty() ? "table" : "query"; }
  /// With the secrets of the dsn resolved now.
  Result<SessionOptions> OfSession() const;
};

elt::OptionSpec ConsumerSpec();

/// Every problem at once.
Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options,
                                            const std::string& version);

/// clickhouse://user@host/database?table=t: what is not ours stays in the dsn.
Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url);

}  // namespace levada::clickhouse
