#pragma once
// PostgresReader: one attempt at one partition. Its slices see one snapshot.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/bounds.h"
#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/subject.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"

namespace levada::postgres {

/// What every slice of a partition needs; made by PostgresConsumer::Open.
struct ReaderInput {
  std::shared_ptr<const ConsumerOptions> options;
  Subject subject;
  std::string condition;  ///< of the window and the partition
  std::vector<SliceBounds> slices;
  elt::BatchLimits limits;
  bool validate_utf8 = true;
  std::string position;  ///< the snapshot, for StreamEnd
};

/// With one slice it is read by the session of Open itself. With several that session only keeps
/// the snapshot it exported, and each slice connects on its own.
class PostgresReader final : public elt::PartitionReader {
 public:
  PostgresReader(ReaderInput input, std::unique_ptr<pq::Connection> session,
                 std::optional<Snapshot> snapshot)
      : input_(std::move(input)), snapshot_(std::move(snapshot)), session_(std::move(session)) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override;

 private:
  Result<std::unique_ptr<pq::Connection>> SessionFor(const Context& ctx);

  const ReaderInput input_;
  const std::optional<Snapshot> snapshot_;  ///< none: one slice
  std::mutex mutex_;
  std::unique_ptr<pq::Connection> session_;
};

}  // namespace levada::postgres
