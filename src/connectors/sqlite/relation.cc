#include "connectors/sqlite/relation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "connectors/sqlite/sqlite_types.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;

struct Column {
  std::string name;
  std::string declared;
  bool nullable = true;
  int64_t key_position = 0;  ///< in the primary key, from 1; 0: not in it
};

const Column* FindColumn(const std::vector<Column>& columns, std::string_view name) {
  const auto found = std::ranges::find_if(
      columns, [&](const Column& column) { return SameName(column.name, name); });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> Names(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestName(name, candidates);
  if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
  std::string list;
  for (size_t i = 0; i < candidates.size() && i < 10; ++i) list += (i ? ", " : "") + candidates[i];
  return candidates.empty() ? "there is none" : "there is " + list;
}

Fault At(FaultCode code, const std::string& message, const std::string& help,
         const elt::Options& options, std::string_view option) {
  return Fault(code, message).Help(help).At({options.ErrorAt(option, code, message, help)});
}

struct TableKind {
  std::string name;
  std::string type;  ///< table, view, shadow, virtual
  bool without_rowid = false;
};

Result<TableKind> FindTable(const Context& ctx, Database& database, const elt::Options& options) {
  const std::string& wanted = options.Text("table");
  ARROW_ASSIGN_OR_RAISE(Statement tables,
                        database.Prepare(ctx,
                                         "SELECT name, type, wr FROM pragma_table_list "
                                         "WHERE schema = 'main' AND name <> 'sqlite_schema'"));
  std::vector<std::string> names;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, tables.Step(ctx));
    if (!row) break;
    names.push_back(tables.Text(0));
    if (SameName(names.back(), wanted)) {
      return TableKind{names.back(), tables.Text(1), tables.Int64(2) != 0};
    }
  }
  std::ranges::sort(names);
  return At(FaultCode::kTableNotFound,
            "no table or view \"" + wanted + "\" in \"" + database.path() + "\"",
            DidYouMean(wanted, names), options, "table");
}

Result<std::vector<Column>> ColumnsOfTable(const Context& ctx, Database& database,
                                           const TableKind& table) {
  ARROW_ASSIGN_OR_RAISE(Statement info,
                        database.Prepare(ctx,
                                         "SELECT name, type, \"notnull\", pk, hidden "
                                         "FROM pragma_table_xinfo(?1)"));
  info.Bind(1, table.name);
  std::vector<Column> columns;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, info.Step(ctx));
    if (!row) break;
    constexpr int64_t kHidden = 1;  // a parameter of a virtual table, no data
    if (info.Int64(4) == kHidden) continue;
    Column column{info.Text(0), info.Text(1), info.Int64(2) == 0, info.Int64(3)};
    columns.push_back(std::move(column));
  }
  // Keys hold no NULL in tables without rowid, and where the key is the rowid itself: then it needs
  // no index. (INTEGER PRIMARY KEY DESC is not the rowid, and may be NULL.)
  ARROW_ASSIGN_OR_RAISE(
      Statement indexes,
      database.Prepare(ctx, "SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk'"));
  ARROW_ASSIGN_OR_RAISE(const bool has_index, indexes.Bind(1, table.name).Step(ctx));
  for (Column& column : columns) {
    if (column.key_position > 0 && (table.without_rowid || !has_index)) column.nullable = false;
  }
  return columns;
}

Result<Relation> RelationOfTable(const Context& ctx, Database& database,
                                 const elt::Options& options, std::vector<Column>& columns) {
  ARROW_ASSIGN_OR_RAISE(TableKind table, FindTable(ctx, database, options));
  ARROW_ASSIGN_OR_RAISE(columns, ColumnsOfTable(ctx, database, table));
  Relation relation;
  relation.name = table.name;
  relation.from = QuoteName(table.name);
  if (table.type != "table" && table.type != "shadow") return relation;
  if (!table.without_rowid) {
    for (const char* name : {"rowid", "_rowid_", "oid"}) {
      if (FindColumn(columns, name) != nullptr) continue;
      relation.row_id = name;
      relation.order = {name};
      break;
    }
    return relation;
  }
  std::map<int64_t, std::string> key;
  for (const Column& column : columns) {
    if (column.key_position > 0) key[column.key_position] = QuoteName(column.name);
  }
  for (auto& [position, name] : key) relation.order.push_back(std::move(name));
  return relation;
}

Result<Relation> RelationOfQuery(const Context& ctx, Database& database,
                                 const elt::Options& options, std::vector<Column>& columns) {
  auto prepared = database.Prepare(ctx, options.Text("query"));
  if (!prepared.ok()) {
    const Fault fault = FaultOf(prepared.status());
    if (fault.kind().blame != Blame::kSource) return prepared.status();
    return At(fault.code(), fault.message(), fault.help(), options, "query");
  }
  Statement query = *std::move(prepared);
  if (!query.reads_only() || query.column_count() == 0) {
    return At(FaultCode::kQueryFailed, "the query gives no rows: expected one SELECT",
              "write a SELECT", options, "query");
  }
  if (query.parameter_count() > 0) {
    return At(FaultCode::kQueryFailed, "the query has parameters, and nothing to put there",
              "write the values, or ${env:NAME}", options, "query");
  }
  for (int c = 0; c < query.column_count(); ++c) {
    columns.push_back({query.ColumnName(c), query.DeclaredType(c)});
  }
  Relation relation;
  relation.statement = query.sql();
  while (!relation.statement.empty() &&
         std::string_view("; \t\r\n").find(relation.statement.back()) != std::string_view::npos) {
    relation.statement.pop_back();
  }
  // On lines of its own, so that a comment at its end stays inside.
  relation.from = "(\n" + relation.statement + "\n)";
  return relation;
}

/// What the user says of types, by column.
using Overrides = std::vector<std::pair<std::string, elt::Options>>;

Overrides OverridesOf(const elt::Options& options) {
  return options.Has("types") ? options.Map("types") : Overrides();
}

Result<std::shared_ptr<arrow::DataType>> TypeOf(const Column& column, const Overrides& overrides) {
  for (const auto& [name, value] : overrides) {
    if (SameName(name, column.name)) return TypeOfOption(value.Scalar());
  }
  return TypeOfDeclared(column.declared);
}

/// The columns to read, in the order asked for.
Result<std::vector<Column>> Choose(const std::vector<Column>& columns,
                                   const elt::Options& options) {
  if (!options.Given("columns")) return columns;
  std::vector<Column> chosen;
  std::vector<Diagnostic> problems;
  for (const elt::Options& item : options.List("columns")) {
    const Column* column = FindColumn(columns, item.Scalar());
    if (column != nullptr) {
      chosen.push_back(*column);
      continue;
    }
    problems.push_back(item.ErrorAt("", FaultCode::kColumnNotFound,
                                    "no column \"" + item.Scalar() + "\"",
                                    DidYouMean(item.Scalar(), Names(columns))));
  }
  if (!problems.empty()) {
    const std::string message = problems.front().message;
    return Fault(FaultCode::kColumnNotFound, message).At(std::move(problems));
  }
  return chosen;
}

Status CheckNames(const std::vector<Column>& columns, const std::vector<Column>& chosen,
                  const elt::Options& options) {
  const std::string_view option = options.Given("query") ? "query" : "columns";
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (!SameName(chosen[i].name, chosen[k].name)) continue;
      return At(FaultCode::kDuplicateColumn, "two columns \"" + chosen[i].name + "\"",
                "name one of them otherwise: SELECT x AS y", options, option);
    }
  }
  for (const auto& [name, value] : OverridesOf(options)) {
    if (FindColumn(columns, name) != nullptr) continue;
    const std::string message = "no column \"" + name + "\"";
    const std::string help = DidYouMean(name, Names(columns));
    return Fault(FaultCode::kColumnNotFound, message)
        .Help(help)
        .At({value.ErrorAt("", FaultCode::kColumnNotFound, message, help)});
  }
  return Status::OK();
}

Status SetSchema(const std::vector<Column>& chosen, const elt::Options& options,
                 Relation& relation) {
  const Overrides overrides = OverridesOf(options);
  const std::string_view option = relation.name.empty() ? "query" : "table";
  arrow::FieldVector fields;
  std::vector<Diagnostic> problems;
  for (const Column& column : chosen) {
    auto type = TypeOf(column, overrides);
    if (!type.ok()) {
      const Fault fault = FaultOf(type.status());
      std::string help = fault.help();
      if (const size_t at = help.find("COLUMN"); at != std::string::npos) {
        help.replace(at, std::string_view("COLUMN").size(), column.name);
      }
      problems.push_back(options.ErrorAt(
          option, fault.code(), "column \"" + column.name + "\": " + fault.message(), help));
      continue;
    }
    fields.push_back(arrow::field(column.name, *type, column.nullable));
    relation.source_types.push_back(column.declared);
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

bool SameName(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<Relation> FindRelation(const Context& ctx, Database& database, const elt::Options& options) {
  std::vector<Column> columns;
  ARROW_ASSIGN_OR_RAISE(Relation relation, options.Given("query")
                                               ? RelationOfQuery(ctx, database, options, columns)
                                               : RelationOfTable(ctx, database, options, columns));
  ARROW_ASSIGN_OR_RAISE(std::vector<Column> chosen, Choose(columns, options));
  ARROW_RETURN_NOT_OK(CheckNames(columns, chosen, options));
  ARROW_RETURN_NOT_OK(SetSchema(chosen, options, relation));
  relation.projected = options.Given("columns");
  for (const Column& column : columns) {
    relation.columns.push_back(column.name);
    relation.declared.push_back(column.declared);
  }
  return relation;
}

Result<std::shared_ptr<arrow::DataType>> TypeOfColumn(const Relation& relation,
                                                      const std::string& column,
                                                      const elt::Options& options) {
  for (size_t c = 0; c < relation.columns.size(); ++c) {
    if (!SameName(relation.columns[c], column)) continue;
    return TypeOf({relation.columns[c], relation.declared[c]}, OverridesOf(options));
  }
  return Fault(FaultCode::kColumnNotFound, "no column \"" + column + "\"")
      .Help(DidYouMean(column, relation.columns));
}

}  // namespace levada::sqlite
