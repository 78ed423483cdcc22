#pragma once
// Subject: the table or query a pipeline reads, as the server knows it now, and the statements that
// read it.

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/postgres_types.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"
#include "formats/pgcopy/types.h"

namespace levada::postgres {

struct Subject {
  std::optional<Relation> relation;  ///< of a table
  Attributes attributes;             ///< of a table
  std::vector<pq::StatementColumn> all;
  ServerTypes types;

  std::vector<pq::StatementColumn> selected;  ///< what the pipeline reads, in its order
  std::vector<std::string> type_names;        ///< of the selected: "numeric(15,2)"
  std::vector<bool> casts;                    ///< of the selected: the server makes text of it
  std::vector<pgcopy::Column> columns;        ///< of the selected, for the decoder
  elt::SchemaPtr schema;                      ///< of the selected
  bool prints_names = false;                  ///< a cast prints names as search_path has them

  /// Among all columns; nullptr when there is none.
  const pq::StatementColumn* Find(const std::string& name) const;
  bool IsNotNull(const pq::StatementColumn& column) const;
  /// Of the selected, for people: "numeric(15,2)", and where a cast reads it `inet (read as
  /// "ip"::text)`.
  std::vector<std::string> SourceTypes() const;
};

/// Looks the source up. Inside a transaction it is locked against changes of its columns from then
/// on, and the session is set up to read it. Errors: kTableNotFound, kColumnNotFound,
/// kDuplicateColumn, kUnsupportedType (all columns at once), kQueryFailed, kSourceBusy when another
/// table takes its name meanwhile, and those of formats/pgcopy.
Result<Subject> FindSubject(const Context& ctx, pq::Connection& connection,
                            const ConsumerOptions& options);

/// Makes another session print a table's values as the one that found it does.
Status SetUpFor(const Context& ctx, pq::Connection& connection, const Subject& subject);

/// kSourceBusy when something that the subject reads was truncated, rewritten or made after the
/// transaction's snapshot was taken: to that snapshot it looks empty, whatever is and was in it
/// (PostgreSQL documentation, "Serialization and Consistency: Caveats"). That happens to whoever
/// waits for the lock of a TRUNCATE and load. Locks all that is read under `condition`.
Status CheckSeenBySnapshot(const Context& ctx, pq::Connection& connection, const Subject& subject,
                           const ConsumerOptions& options, const std::string& condition);

/// Column `name` of the source, for `purpose` ("partition: by"); kColumnNotFound with the nearest
/// name.
Result<const pq::StatementColumn*> NeedColumn(const Subject& subject,
                                              const ConsumerOptions& options,
                                              const std::string& name, const std::string& purpose);

/// `FROM` without the word.
std::string FromOf(const Subject& subject, const ConsumerOptions& options);
/// "a AND b" of the conditions that are not empty.
std::string AllOf(const std::vector<std::string>& conditions);
/// The SELECT of the pipeline's columns under `condition` (may be empty).
std::string SelectOf(const Subject& subject, const ConsumerOptions& options,
                     const std::string& condition);
/// The COPY of the same rows.
std::string CopyOf(const Subject& subject, const ConsumerOptions& options,
                   const std::string& condition);

}  // namespace levada::postgres
