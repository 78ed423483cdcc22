#include "connectors/postgres/subject.h"

#include <arrow/type.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/diagnostic.h"
#include "elt/stage_problems.h"

namespace levada::postgres {
namespace {

// Of objects made after initdb: FirstNormalObjectId in transam.h.
constexpr uint32_t kFirstUserOid = 16384;

std::string Doing(const ConsumerOptions& options) { return "cannot describe " + options.What(); }

std::vector<std::string> NamesOf(const std::vector<pq::StatementColumn>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const pq::StatementColumn& column : columns) names.push_back(column.name);
  return names;
}

Status CheckNames(const Subject& subject, const ConsumerOptions& options) {
  if (subject.all.empty()) {
    return Fault(FaultCode::kSourceUnsupported, options.What() + " has no columns")
        .Help("a consumer reads what a SELECT returns");
  }
  std::set<std::string> seen;
  for (const pq::StatementColumn& column : subject.all) {
    if (seen.insert(column.name).second) continue;
    return Fault(FaultCode::kDuplicateColumn,
                 options.What() + ": two columns are named \"" + column.name + "\"")
        .With("column", column.name)
        .Help("give one of them another name: select ... as other_name");
  }
  return Status::OK();
}

/// The relation was found in the transaction's snapshot, the columns in the catalog of this moment:
/// a table that took the name in between may need another COPY than the one that had it.
Status CheckSameTable(const Subject& subject, const ConsumerOptions& options) {
  if (!subject.relation) return Status::OK();
  for (const pq::StatementColumn& column : subject.all) {
    if (column.table_oid == subject.relation->oid) continue;
    return Fault(FaultCode::kSourceBusy,
                 options.What() + " was replaced by another table while it was looked up")
        .With("table", subject.relation->name.Written());
  }
  return Status::OK();
}

Status SelectColumns(Subject& subject, const ConsumerOptions& options) {
  if (options.columns.empty()) {
    subject.selected = subject.all;
    return Status::OK();
  }
  for (const std::string& name : options.columns) {
    ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                          NeedColumn(subject, options, name, "columns"));
    subject.selected.push_back(*column);
  }
  return Status::OK();
}

/// What reads a column: "id", or "ip"::text.
std::string ReadingOf(const pq::StatementColumn& column, bool cast) {
  return pq::QuoteIdentifier(column.name) + (cast ? "::text" : "");
}

bool HasCasts(const Subject& subject) {
  return std::find(subject.casts.begin(), subject.casts.end(), true) != subject.casts.end();
}

/// All that is selected.
std::string ListOf(const Subject& subject) {
  std::string list;
  for (size_t i = 0; i < subject.selected.size(); ++i) {
    if (!list.empty()) list += ", ";
    list += ReadingOf(subject.selected[i], subject.casts[i]);
    if (subject.casts[i]) list += " AS " + pq::QuoteIdentifier(subject.selected[i].name);
  }
  return list;
}

struct TypeProblem {
  std::string column;
  std::string what;
};

/// All of them at once, pointing at the option that names the source.
Fault UnsupportedTypes(const ConsumerOptions& options, const std::vector<TypeProblem>& problems,
                       const std::string& help) {
  std::string message = options.What() + ": ";
  for (const TypeProblem& problem : problems) {
    if (&problem != problems.data()) message += "; ";
    message += problem.what;
  }
  Fault fault(FaultCode::kUnsupportedType, message);
  for (const TypeProblem& problem : problems) fault.With("column", problem.column);
  return elt::Placed(fault.Help(help), options.written, options.table ? "table" : "query");
}

/// Which of the selected columns are declared as arrays of several dimensions, or asked for as
/// text: those a decoder would know are read by a cast all the same.
Result<std::vector<bool>> FindCasts(const Context& ctx, pq::Connection& connection,
                                    const Subject& subject, const ConsumerOptions& options) {
  std::vector<bool> casts(subject.selected.size(), false);
  bool arrays = false;
  for (const pq::StatementColumn& column : subject.selected) {
    arrays = arrays || IsArray(column.type_oid, subject.types);
  }
  if (arrays) {
    ARROW_ASSIGN_OR_RAISE(const auto dimensions,
                          DeclaredDimensions(ctx, connection, subject.selected));
    for (size_t i = 0; i < casts.size(); ++i) casts[i] = dimensions[i] > 1;
  }
  for (const std::string& name : options.as_text) {
    ARROW_RETURN_NOT_OK(NeedColumn(subject, options, name, "as_text").status());
    for (size_t i = 0; i < casts.size(); ++i) {
      if (subject.selected[i].name == name) casts[i] = true;
    }
  }
  return casts;
}

/// Of one selected column; a cast is noted in the subject.
pgcopy::ColumnType DecideType(Subject& subject, size_t index, const ConsumerOptions& options) {
  const pq::StatementColumn& column = subject.selected[index];
  std::optional<pgcopy::ColumnType> type;
  if (!subject.casts[index]) {
    type = ColumnTypeOf(column.type_oid, column.type_modifier, subject.types, options);
  }
  subject.casts[index] = !type;
  if (!type) type = CastType();
  type->nullable = !subject.IsNotNull(column);
  return *type;
}

Status DecideTypes(Subject& subject, const ConsumerOptions& options) {
  std::vector<TypeProblem> problems;
  std::vector<TypeProblem> unbounded;
  Status decision;
  arrow::FieldVector fields;
  for (size_t i = 0; i < subject.selected.size(); ++i) {
    const pq::StatementColumn& column = subject.selected[i];
    if (!HasTextForm(column.type_oid, subject.types)) {
      problems.push_back({column.name, "column \"" + column.name + "\" is of type " +
                                           subject.type_names[i] +
                                           ", which has no values to read"});
      continue;
    }
    subject.columns.push_back({column.name, DecideType(subject, i, options)});
    auto field = pgcopy::FieldOf(subject.columns.back());
    if (field.ok()) {
      fields.push_back(*std::move(field));
    } else if (CodeOf(field.status()) == FaultCode::kUnsupportedType) {
      unbounded.push_back({column.name, FaultOf(field.status()).message()});
    } else if (decision.ok()) {
      decision = field.status();
    }
  }
  if (!problems.empty()) {
    return UnsupportedTypes(options, problems,
                            "leave it out of the query, or name others under columns:");
  }
  if (!unbounded.empty()) {
    return UnsupportedTypes(options, unbounded,
                            "say under consumer: postgres: how to read such columns:  numeric: "
                            "decimal(38,9),  numeric: string (exact) or  numeric: double "
                            "(rounded); in a URL &numeric=string");
  }
  if (!decision.ok()) return decision;
  subject.schema = arrow::schema(std::move(fields));
  return Status::OK();
}

Result<bool> CastsPrintNames(const Context& ctx, pq::Connection& connection,
                             const Subject& subject) {
  std::vector<uint32_t> oids;
  for (size_t i = 0; i < subject.selected.size(); ++i) {
    if (subject.casts[i]) oids.push_back(subject.selected[i].type_oid);
  }
  if (oids.empty()) return false;
  return PrintNames(ctx, connection, oids);
}

}  // namespace

const pq::StatementColumn* Subject::Find(const std::string& name) const {
  const auto found = std::find_if(all.begin(), all.end(), [&](const pq::StatementColumn& column) {
    return column.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

bool Subject::IsNotNull(const pq::StatementColumn& column) const {
  return relation && column.table_oid == relation->oid &&
         std::find(attributes.not_null.begin(), attributes.not_null.end(), column.table_column) !=
             attributes.not_null.end();
}

std::vector<std::string> Subject::SourceTypes() const {
  std::vector<std::string> texts = type_names;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (casts[i]) texts[i] += " (read as " + ReadingOf(selected[i], true) + ")";
  }
  return texts;
}

Result<Subject> FindSubject(const Context& ctx, pq::Connection& connection,
                            const ConsumerOptions& options) {
  Subject subject;
  if (options.table) {
    ARROW_ASSIGN_OR_RAISE(subject.relation, FindRelation(ctx, connection, *options.table));
  }
  ARROW_ASSIGN_OR_RAISE(
      subject.all, connection.Describe(ctx, Doing(options),
                                       options.table ? "select * from " + FromOf(subject, options)
                                                     : options.query));
  ARROW_RETURN_NOT_OK(CheckSameTable(subject, options));
  if (subject.relation) {
    ARROW_ASSIGN_OR_RAISE(subject.attributes, FindAttributes(ctx, connection, *subject.relation));
  }
  ARROW_RETURN_NOT_OK(CheckNames(subject, options));
  ARROW_RETURN_NOT_OK(SelectColumns(subject, options));
  std::vector<uint32_t> oids;
  for (const pq::StatementColumn& column : subject.all) oids.push_back(column.type_oid);
  ARROW_ASSIGN_OR_RAISE(subject.types, FindTypes(ctx, connection, oids));
  ARROW_ASSIGN_OR_RAISE(subject.type_names, TypeNames(ctx, connection, subject.selected));
  ARROW_ASSIGN_OR_RAISE(subject.casts, FindCasts(ctx, connection, subject, options));
  ARROW_RETURN_NOT_OK(DecideTypes(subject, options));
  ARROW_ASSIGN_OR_RAISE(subject.prints_names, CastsPrintNames(ctx, connection, subject));
  ARROW_RETURN_NOT_OK(SetUpFor(ctx, connection, subject));
  return subject;
}

Status SetUpFor(const Context& ctx, pq::Connection& connection, const Subject& subject) {
  // Each name with its schema, whatever the role's path is. A query's own names are found by that
  // path, and so are those in the functions of a view: only who reads such types does without.
  if (!subject.relation || !subject.prints_names) return Status::OK();
  return connection.Execute(ctx, "cannot set up the session", "set local search_path = pg_catalog");
}

Status CheckSeenBySnapshot(const Context& ctx, pq::Connection& connection, const Subject& subject,
                           const ConsumerOptions& options, const std::string& condition) {
  // Planning it takes the locks of all that it will read, partitions too; from then on nobody
  // rewrites them.
  const std::string doing = "cannot read " + options.What();
  ARROW_RETURN_NOT_OK(
      connection.Query(ctx, doing, "explain " + SelectOf(subject, options, condition)).status());
  // What pg_class says is the snapshot's view, what pg_relation_filenode says is of this moment.
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(
          ctx, doing,
          "select l.relation::pg_catalog.regclass::text from pg_catalog.pg_locks l "
          "left join pg_catalog.pg_class c on c.oid = l.relation "
          "where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted and "
          "l.relation >= " +
              std::to_string(kFirstUserOid) +
              " and (c.oid is null or c.relkind in ('r', 'm') and "
              "c.relfilenode is distinct from pg_catalog.pg_relation_filenode(l.relation)) "
              "order by l.relation limit 1"));
  if (rows.empty()) return Status::OK();
  const std::string table = rows[0][0].value_or("?");
  return Fault(FaultCode::kSourceBusy,
               doing + ": table " + table +
                   " was emptied, rewritten or replaced while its rows were "
                   "about to be read")
      .With("table", table);
}

Result<const pq::StatementColumn*> NeedColumn(const Subject& subject,
                                              const ConsumerOptions& options,
                                              const std::string& name, const std::string& purpose) {
  const pq::StatementColumn* column = subject.Find(name);
  if (column != nullptr) return column;
  Fault fault(FaultCode::kColumnNotFound,
              purpose + ": there is no column \"" + name + "\" in " + options.What());
  fault.With("column", name);
  const std::string nearest = NearestName(name, NamesOf(subject.all));
  if (!nearest.empty()) fault.Help("did you mean \"" + nearest + "\"?");
  return fault;
}

std::string FromOf(const Subject& subject, const ConsumerOptions& options) {
  if (subject.relation) return subject.relation->name.Quoted();
  // A line break, because the query may end in a comment.
  return "(" + options.query + "\n) AS source";
}

std::string AllOf(const std::vector<std::string>& conditions) {
  std::string all;
  for (const std::string& condition : conditions) {
    if (condition.empty()) continue;
    if (!all.empty()) all += " AND ";
    all += condition;
  }
  return all;
}

std::string SelectOf(const Subject& subject, const ConsumerOptions& options,
                     const std::string& condition) {
  if (!subject.relation && options.columns.empty() && condition.empty() && !HasCasts(subject)) {
    return options.query;
  }
  return "SELECT " + ListOf(subject) + " FROM " + FromOf(subject, options) +
         (condition.empty() ? "" : " WHERE " + condition);
}

std::string CopyOf(const Subject& subject, const ConsumerOptions& options,
                   const std::string& condition) {
  // Without an executor in between where the server can: casts, inherited rows, computed columns,
  // views and row security need one.
  const bool direct = subject.relation && subject.relation->kind == 'r' &&
                      !subject.relation->has_children && !subject.relation->filtered &&
                      !subject.attributes.generated && condition.empty() && !HasCasts(subject);
  if (!direct) {
    return "COPY (" + SelectOf(subject, options, condition) + "\n) TO STDOUT (FORMAT binary)";
  }
  return "COPY " + subject.relation->name.Quoted() + " (" + ListOf(subject) +
         ") TO STDOUT (FORMAT binary)";
}

}  // namespace levada::postgres
