#pragma once
// Relation: what the consumer reads, as the server describes it.

#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "connectors/clickhouse/bounds.h"
#include "connectors/clickhouse/clickhouse_options.h"
#include "connectors/clickhouse/session.h"

namespace levada::clickhouse {

/// A session that is ready for queries of the consumer. A user who may change no settings gets the
/// server's own: see plain_settings. kSourceUnsupported where those would cut results short.
struct ReadySession {
  std::unique_ptr<Session> session;
  bool plain_settings = false;  ///< ours are not in force: rows come in any order
};
Result<ReadySession> OpenSession(const Context& ctx, const ConsumerOptions& options,
                                 int64_t batch_rows);

struct Relation {
  std::string from;                            ///< what stands behind FROM
  std::string database;                        ///< of a table
  std::vector<chnative::BlockColumn> columns;  ///< those that are read
  std::shared_ptr<arrow::Schema> schema;
};

/// Errors: kTableNotFound, kColumnNotFound, both with the nearest name; kUnsupportedType,
/// kDuplicateColumn, and those of the session.
Result<Relation> FindRelation(const Context& ctx, Session& session, const ConsumerOptions& options);

/// The column `name`, which need not be among those that are read; `use` says for what: "run:
/// column". kColumnNotFound.
Result<chnative::Type> TypeOfColumn(const Context& ctx, Session& session, const Relation& relation,
                                    const ConsumerOptions& options, const std::string& name,
                                    const std::string& use);

/// The statement that reads the rows of `condition`, which may be empty.
std::string SelectOf(const Relation& relation, const ConsumerOptions& options,
                     const std::string& condition);

struct TableSize {
  int64_t rows = -1;
  int64_t bytes = -1;  ///< as they lie on disk
};
/// Of a table's parts; -1 where it has none.
Result<TableSize> SizeOf(const Context& ctx, Session& session, const Relation& relation,
                         const ConsumerOptions& options);

}  // namespace levada::clickhouse
