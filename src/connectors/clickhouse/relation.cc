#include "connectors/clickhouse/relation.h"

#include <charconv>
#include <set>
#include <utility>

#include "connectors/clickhouse/server_error.h"
#include "connectors/clickhouse/sql_text.h"
#include "elt/option_problems.h"

namespace levada::clickhouse {
namespace {

using chnative::BlockColumn;

std::string Listed(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + QuoteName(column);
  return list.empty() ? "*" : list;
}

/// The columns of a query that gives no rows.
Result<std::vector<BlockColumn>> HeadOf(const Context& ctx, Session& session,
                                        const std::string& doing, const std::string& sql) {
  ARROW_RETURN_NOT_OK(session.Begin(ctx, doing, sql));
  std::vector<BlockColumn> columns;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto block, session.Next());
    if (!block) break;
    if (columns.empty()) columns = block->columns;
  }
  if (!columns.empty()) return columns;
  return Fault(FaultCode::kSourceProtocol, doing + ": the server did not say which columns it has");
}

Result<std::vector<std::string>> Names(const Context& ctx, Session& session,
                                       const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const Session::Rows rows, session.Ask(ctx, "cannot look for names", sql));
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[0].value_or(""));
  return names;
}

/// What could have been meant; empty when nobody can be asked.
std::string Suggestion(const Context& ctx, Session& session, const std::string& name,
                       const std::string& sql) {
  const auto names = Names(ctx, session, sql);
  return names.ok() && !names->empty() ? elt::SuggestName(name, *names) : std::string();
}

Fault WithDetails(Fault fault, const Status& status) {
  const Fault cause = FaultOf(status);
  for (const auto& [key, value] : cause.details()) fault.With(key, value);
  return fault;
}

/// A missing table or column with what it may have been.
Status Explained(const Context& ctx, Session& session, const Relation& relation,
                 const ConsumerOptions& options, const Status& status) {
  const FaultCode code = CodeOf(status);
  if (code == FaultCode::kTableNotFound && options.query.empty()) {
    const std::string help = Suggestion(ctx, session, options.table,
                                        "SELECT name FROM system.tables WHERE database = " +
                                            QuoteText(relation.database) + " ORDER BY name");
    return WithDetails(
        options.At(code, "no " + options.What() + " in database \"" + relation.database + "\"",
                   help, "table"),
        status);
  }
  if (code != FaultCode::kColumnNotFound || options.columns.empty() || !options.query.empty()) {
    return status;
  }
  const std::string sql =
      "SELECT name FROM system.columns WHERE database = " + QuoteText(relation.database) +
      " AND table = " + QuoteText(options.table);
  const auto names = Names(ctx, session, sql);
  if (!names.ok()) return status;
  const std::set<std::string> known(names->begin(), names->end());
  for (const std::string& column : options.columns) {
    if (known.contains(column)) continue;
    return WithDetails(options.At(code, "no column \"" + column + "\" in " + options.What(),
                                  elt::SuggestName(column, *names), "columns"),
                       status);
  }
  return status;
}

}  // namespace

Result<ReadySession> OpenSession(const Context& ctx, const ConsumerOptions& options,
                                 int64_t batch_rows) {
  ARROW_ASSIGN_OR_RAISE(SessionOptions of_session, options.OfSession());
  if (batch_rows > 0) {
    of_session.settings.insert(of_session.settings.begin(),
                               {"max_block_size", std::to_string(batch_rows)});
  }
  ReadySession ready;
  ARROW_ASSIGN_OR_RAISE(ready.session, Session::Open(ctx, of_session));
  const auto in_force = CheckSettings(ctx, *ready.session, of_session.settings, options.settings);
  if (in_force.ok()) {
    ready.plain_settings = !*in_force;
    return ready;
  }
  const bool refused = ClickHouseCodeOf(in_force.status()) == kReadOnly &&
                       options.settings.empty() && options.wire != Wire::kZstd;
  if (!refused) return in_force.status();
  of_session.settings.clear();
  of_session.may_set = false;
  ARROW_ASSIGN_OR_RAISE(ready.session, Session::Open(ctx, of_session));
  ARROW_RETURN_NOT_OK(CheckSettings(ctx, *ready.session, {}, {}).status());
  ready.plain_settings = true;
  return ready;
}

Result<Relation> FindRelation(const Context& ctx, Session& session,
                              const ConsumerOptions& options) {
  Relation relation;
  if (options.query.empty()) {
    relation.database = options.database.empty() ? session.database() : options.database;
    relation.from = QuoteName(relation.database) + "." + QuoteName(options.table);
  } else {
    relation.from = "(" + options.query + "\n)";  // its last line may be a comment
  }
  const std::string doing = "cannot read " + options.What();
  Result<std::vector<BlockColumn>> columns =
      HeadOf(ctx, session, doing,
             "SELECT " + Listed(options.columns) + " FROM " + relation.from + " LIMIT 0");
  if (!columns.ok()) return Explained(ctx, session, relation, options, columns.status());
  relation.columns = *std::move(columns);
  arrow::FieldVector fields;
  std::set<std::string> names;
  for (const BlockColumn& column : relation.columns) {
    if (!names.insert(column.name).second) {
      return options.At(FaultCode::kDuplicateColumn, "two columns \"" + column.name + "\"",
                        "name one of them otherwise: SELECT x AS y", options.Subject());
    }
    fields.push_back(column.field);
  }
  relation.schema = arrow::schema(std::move(fields));
  return relation;
}

Result<chnative::Type> TypeOfColumn(const Context& ctx, Session& session, const Relation& relation,
                                    const ConsumerOptions& options, const std::string& name,
                                    const std::string& use) {
  for (const BlockColumn& column : relation.columns) {
    if (column.name == name) return chnative::ParseType(column.type);
  }
  const auto columns = HeadOf(ctx, session, "cannot read " + options.What(),
                              "SELECT " + QuoteName(name) + " FROM " + relation.from + " LIMIT 0");
  if (columns.ok()) return chnative::ParseType(columns->front().type);
  if (CodeOf(columns.status()) != FaultCode::kColumnNotFound) return columns.status();
  std::vector<std::string> names;
  for (const BlockColumn& column : relation.columns) names.push_back(column.name);
  return Fault(FaultCode::kColumnNotFound,
               use + ": no column \"" + name + "\" in " + options.What())
      .With("column", name)
      .Help(elt::SuggestName(name, names));
}

std::string SelectOf(const Relation& relation, const ConsumerOptions& options,
                     const std::string& condition) {
  // A query that is read as it stands keeps its ORDER BY.
  if (!options.query.empty() && options.columns.empty() && condition.empty()) return options.query;
  std::vector<std::string> names;
  for (const BlockColumn& column : relation.columns) names.push_back(column.name);
  std::string sql = "SELECT " + Listed(names) + " FROM " + relation.from;
  if (!condition.empty()) sql += " WHERE " + condition;
  return sql;
}

Result<TableSize> SizeOf(const Context& ctx, Session& session, const Relation& relation,
                         const ConsumerOptions& options) {
  TableSize size;
  if (!options.query.empty()) return size;
  const auto rows = session.Ask(
      ctx, "cannot read the size of " + options.What(),
      "SELECT toString(sum(rows)), toString(sum(bytes)), toString(count()) FROM system.parts WHERE "
      "active AND database = " +
          QuoteText(relation.database) + " AND table = " + QuoteText(options.table));
  // Who may read a table need not be allowed to read this.
  if (!rows.ok())
    return IsRetryable(rows.status()) || CodeOf(rows.status()) == FaultCode::kStopped
               ? Result<TableSize>(rows.status())
               : size;
  if (rows->empty() || (*rows)[0].size() != 3 || (*rows)[0][2] == "0") return size;
  for (auto [index, into] : {std::pair(0, &size.rows), std::pair(1, &size.bytes)}) {
    const std::string text = (*rows)[0][static_cast<size_t>(index)].value_or("");
    std::from_chars(text.data(), text.data() + text.size(), *into);
  }
  return size;
}

}  // namespace levada::clickhouse
