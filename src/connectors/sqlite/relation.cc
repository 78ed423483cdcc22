#include "connectors/sqlite/relation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "connectors/sqlite/storage_classes.h"
#include "elt/stage_problems.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;

const Column* FindColumn(const std::vector<Column>& columns, std::string_view name) {
  const auto found = std::ranges::find_if(
      columns, [&](const Column& column) { return SameName(column.name, name); });
  return found == columns.end() ? nullptr : &*found;
}

struct TableKind {
  std::string name;
  std::string type;  ///< table, view, shadow, virtual
  bool without_rowid = false;
  bool is_strict = false;
};

Result<TableKind> FindTable(const Context& ctx, Database& database,
                            const ConsumerOptions& options) {
  ARROW_ASSIGN_OR_RAISE(
      Statement tables,
      database.Prepare(ctx,
                       "SELECT name, type, wr, strict FROM pragma_table_list "
                       "WHERE lower(schema) = lower(?1) AND name NOT IN ('sqlite_schema', "
                       "'sqlite_temp_schema')"));
  tables.Bind(1, options.schema);
  std::vector<std::string> names;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, tables.Step(ctx));
    if (!row) break;
    names.push_back(tables.Text(0));
    if (SameName(names.back(), options.table)) {
      return TableKind{names.back(), tables.Text(1), tables.Int64(2) != 0, tables.Int64(3) != 0};
    }
  }
  std::ranges::sort(names);
  std::string path = database.path();
  for (const AttachedFile& file : options.attached) {
    if (SameName(file.name, options.schema)) path = file.path;
  }
  return options.At(FaultCode::kTableNotFound,
                    "no table or view \"" + options.table + "\" in \"" + path + "\"",
                    DidYouMean(options.table, names), "table");
}

/// Whether the primary key has an index of its own; without one it is the rowid itself.
Result<bool> HasKeyIndex(const Context& ctx, Database& database, const TableKind& table,
                         const std::string& schema) {
  ARROW_ASSIGN_OR_RAISE(
      Statement indexes,
      database.Prepare(ctx, "SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'pk'"));
  return indexes.Bind(1, table.name).Bind(2, schema).Step(ctx);
}

Result<std::vector<Column>> ColumnsOfTable(const Context& ctx, Database& database,
                                           const TableKind& table, const std::string& schema,
                                           bool key_is_row_id) {
  ARROW_ASSIGN_OR_RAISE(Statement info,
                        database.Prepare(ctx,
                                         "SELECT name, type, \"notnull\", pk, hidden "
                                         "FROM pragma_table_xinfo(?1, ?2)"));
  info.Bind(1, table.name).Bind(2, schema);
  std::vector<Column> columns;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, info.Step(ctx));
    if (!row) break;
    constexpr int64_t kHidden = 1;   // a parameter of a virtual table, no data
    constexpr int64_t kVirtual = 2;  // computed when it is read, and not checked
    const int64_t hidden = info.Int64(4);
    if (hidden == kHidden) continue;
    Column column{info.Text(0), info.Text(1), info.Int64(2) == 0, info.Int64(3)};
    column.is_held = table.is_strict && hidden != kVirtual && !SameName(column.declared, "ANY");
    if (column.key_position > 0) {
      // Keys hold no NULL in tables without rowid, and where the key is the rowid itself.
      if (table.without_rowid || key_is_row_id) column.nullable = false;
      if (key_is_row_id) column.is_held = true;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<Relation> RelationOfTable(const Context& ctx, Database& database,
                                 const ConsumerOptions& options) {
  ARROW_ASSIGN_OR_RAISE(TableKind table, FindTable(ctx, database, options));
  // (INTEGER PRIMARY KEY DESC is not the rowid, and may be NULL.)
  ARROW_ASSIGN_OR_RAISE(const bool has_index, HasKeyIndex(ctx, database, table, options.schema));
  const bool key_is_row_id = !table.without_rowid && !has_index;
  Relation relation;
  ARROW_ASSIGN_OR_RAISE(relation.columns,
                        ColumnsOfTable(ctx, database, table, options.schema, key_is_row_id));
  relation.name = table.name;
  relation.from = QuoteName(table.name);
  if (!options.attached.empty()) relation.from = QuoteName(options.schema) + "." + relation.from;
  if (table.type != "table" && table.type != "shadow") return relation;
  if (!table.without_rowid) {
    for (const char* name : {"rowid", "_rowid_", "oid"}) {
      if (FindColumn(relation.columns, name) != nullptr) continue;
      relation.row_id = name;
      relation.order = {name};
      break;
    }
    for (const Column& column : relation.columns) {
      if (key_is_row_id && column.key_position > 0) relation.row_id_column = column.name;
    }
    return relation;
  }
  relation.without_row_id = true;
  std::map<int64_t, std::string> key;
  for (const Column& column : relation.columns) {
    if (column.key_position > 0) key[column.key_position] = QuoteName(column.name);
  }
  for (auto& [position, name] : key) relation.order.push_back(std::move(name));
  return relation;
}

Result<Relation> RelationOfQuery(const Context& ctx, Database& database,
                                 const ConsumerOptions& options) {
  auto prepared = database.Prepare(ctx, options.query);
  if (!prepared.ok()) {
    const Fault fault = FaultOf(prepared.status());
    if (fault.kind().blame != Blame::kSource) return prepared.status();
    return options.At(fault.code(), fault.message(), fault.help(), "query");
  }
  Statement query = *std::move(prepared);
  if (!query.reads_only() || query.column_count() == 0) {
    return options.At(FaultCode::kQueryFailed, "the query gives no rows: expected one SELECT",
                      "write a SELECT", "query");
  }
  if (query.parameter_count() > 0) {
    return options.At(FaultCode::kQueryFailed, "the query has parameters, and nothing to put there",
                      "write the values, or ${env:NAME}", "query");
  }
  Relation relation;
  for (int c = 0; c < query.column_count(); ++c) {
    relation.columns.push_back({query.ColumnName(c), query.DeclaredType(c)});
  }
  relation.statement = query.sql();
  while (!relation.statement.empty() &&
         std::string_view("; \t\r\n").find(relation.statement.back()) != std::string_view::npos) {
    relation.statement.pop_back();
  }
  // On lines of its own, so that a comment at its end stays inside.
  relation.from = "(\n" + relation.statement + "\n)";
  return relation;
}

/// The columns to read, in the order asked for.
Result<std::vector<Column>> Choose(const std::vector<Column>& columns,
                                   const ConsumerOptions& options) {
  if (!options.written.Given("columns")) return columns;
  std::vector<Column> chosen;
  std::vector<Diagnostic> problems;
  for (const elt::Options& item : options.written.List("columns")) {
    const Column* column = FindColumn(columns, item.Scalar());
    if (column != nullptr) {
      chosen.push_back(*column);
      continue;
    }
    problems.push_back(item.ErrorAt("", FaultCode::kColumnNotFound,
                                    "no column \"" + item.Scalar() + "\"",
                                    DidYouMean(item.Scalar(), NamesOf(columns))));
  }
  if (!problems.empty()) {
    const std::string message = problems.front().message;
    return Fault(FaultCode::kColumnNotFound, message).At(std::move(problems));
  }
  return chosen;
}

Status CheckNames(const std::vector<Column>& columns, const std::vector<Column>& chosen,
                  const ConsumerOptions& options) {
  const std::string_view option = options.query.empty() ? "columns" : "query";
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (!SameName(chosen[i].name, chosen[k].name)) continue;
      return options.At(FaultCode::kDuplicateColumn, "two columns \"" + chosen[i].name + "\"",
                        "name one of them otherwise: SELECT x AS y", option);
    }
  }
  for (const ColumnOption& option_of : options.columns) {
    if (FindColumn(columns, option_of.name) != nullptr) continue;
    const Fault fault = Fault(FaultCode::kColumnNotFound, "no column \"" + option_of.name + "\"")
                            .Help(DidYouMean(option_of.name, NamesOf(columns)));
    return elt::Placed(fault, option_of.where, "");
  }
  return Status::OK();
}

/// As `plan` shows it: the declared type, and what else is made of it.
std::string SourceTypeOf(const Column& column, Mixed mixed) {
  if (mixed == Mixed::kError) return column.declared;
  const char* how = mixed == Mixed::kNull ? "(others as NULL)" : "(read as literals)";
  return column.declared.empty() ? how : column.declared + " " + how;
}

/// The problem of a column that nothing says the type of, with what its first rows hold.
Result<Diagnostic> UnknownType(const Context& ctx, Database& database, const Relation& relation,
                               const Column& column, const Status& problem,
                               const ConsumerOptions& options) {
  const Fault fault = FaultOf(problem);
  std::string help = fault.help();
  ARROW_ASSIGN_OR_RAISE(
      const std::string seen,
      TypeAdvice(ctx, database, relation.from, column.name, AffinityOf(column.declared)));
  if (!seen.empty()) help = seen;
  if (const size_t at = help.find("COLUMN"); at != std::string::npos) {
    help.replace(at, std::string_view("COLUMN").size(), column.name);
  }
  return options.written.ErrorAt(options.Subject(), fault.code(),
                                 "column \"" + column.name + "\": " + fault.message(), help);
}

Status SetSchema(const Context& ctx, Database& database, const std::vector<Column>& chosen,
                 const ConsumerOptions& options, Relation& relation) {
  arrow::FieldVector fields;
  std::vector<Diagnostic> problems;
  for (const Column& column : chosen) {
    const Mixed mixed = MixedOf(column, options);
    auto type = TypeOf(column, options);
    if (!type.ok()) {
      ARROW_ASSIGN_OR_RAISE(Diagnostic unknown,
                            UnknownType(ctx, database, relation, column, type.status(), options));
      problems.push_back(std::move(unknown));
      continue;
    }
    const bool nullable = column.nullable || mixed == Mixed::kNull;
    fields.push_back(arrow::field(column.name, type->type, nullable));
    relation.source_types.push_back(SourceTypeOf(column, mixed));
    relation.types.push_back(*std::move(type));
    relation.mixed.push_back(mixed);
  }
  if (!problems.empty()) {
    const std::string message = problems.front().message;
    const std::string help = problems.front().help;
    return Fault(FaultCode::kUnsupportedType, message).Help(help).At(std::move(problems));
  }
  relation.schema = arrow::schema(std::move(fields));
  return Status::OK();
}

}  // namespace

const Column* Relation::Find(std::string_view column) const { return FindColumn(columns, column); }

std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestName(name, candidates);
  if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
  std::string list;
  for (size_t i = 0; i < candidates.size() && i < 10; ++i) list += (i ? ", " : "") + candidates[i];
  return candidates.empty() ? "there is none" : "there is " + list;
}

std::vector<std::string> NamesOf(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

Result<Relation> FindRelation(const Context& ctx, Database& database,
                              const ConsumerOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Relation relation, options.query.empty()
                                               ? RelationOfTable(ctx, database, options)
                                               : RelationOfQuery(ctx, database, options));
  ARROW_ASSIGN_OR_RAISE(std::vector<Column> chosen, Choose(relation.columns, options));
  ARROW_RETURN_NOT_OK(CheckNames(relation.columns, chosen, options));
  ARROW_RETURN_NOT_OK(SetSchema(ctx, database, chosen, options, relation));
  relation.projected = options.written.Given("columns");
  return relation;
}

Result<ColumnType> TypeOf(const Column& column, const ConsumerOptions& options) {
  const ColumnOption* said = options.Find(column.name);
  if (said != nullptr && said->type) return *said->type;
  if (MixedOf(column, options) == Mixed::kString) return LiteralType();
  return TypeOfDeclared(column.declared);
}

Mixed MixedOf(const Column& column, const ConsumerOptions& options) {
  const ColumnOption* said = options.Find(column.name);
  if (said != nullptr && said->mixed) return *said->mixed;
  // A type of its own for the column says more than a policy for all.
  if (said != nullptr && said->type && options.mixed == Mixed::kString) return Mixed::kError;
  return column.is_held ? Mixed::kError : options.mixed;
}

}  // namespace levada::sqlite
