#include "connectors/postgres/loader_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "connectors/postgres/loader_faults.h"
#include "connectors/postgres/loader_fit.h"
#include "connectors/postgres/loader_session.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/run_predicate.h"
#include "elt/stage_problems.h"
#include "formats/pgcopy/batch_encoder.h"

namespace levada::postgres {
namespace {

constexpr const char* kDoing = "cannot read the catalog for";
constexpr size_t kProblemsMax = 8;
// Of which each is a value of a row in memory here and there.
constexpr int kColumnsMax = 1600;
constexpr size_t kNameBytesMax = 63;  // NAMEDATALEN - 1

constexpr const char* kFindTable = R"(
select n.nspname, c.relname, c.relkind, c.oid
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and case when $2 = '' then pg_catalog.pg_table_is_visible(c.oid) else n.nspname = $2 end
limit 1
)";

constexpr const char* kFindColumns = R"(
select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  pg_catalog.format_type(a.atttypid, -1), a.atttypid, a.atttypmod, a.attnotnull,
  a.atthasdef or a.attidentity <> '', a.attgenerated <> ''
from pg_catalog.pg_attribute a
where a.attrelid = $1::pg_catalog.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
)";

// By the table's own names: those of the index stay when a column is renamed. Servers before 15
// have no indnullsnotdistinct.
constexpr const char* kFindKeys = R"(
select i.indexrelid, a.attname,
  pg_catalog.bool_and(a.attnotnull or coalesce(
    (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false))
    over (partition by i.indexrelid)
from pg_catalog.pg_index i
cross join lateral pg_catalog.unnest(i.indkey) with ordinality k(attnum, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = $1::pg_catalog.oid and i.indisunique and i.indisvalid and i.indimmediate
  and i.indpred is null and i.indexprs is null and k.place <= i.indnkeyatts
order by 1, 2
)";

int64_t Number(const std::optional<std::string>& text, int64_t otherwise) {
  int64_t number = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

/// What a type is behind its domains and as an element.
void Resolve(TargetColumn& column, const ServerTypes& types) {
  column.base = column.oid;
  column.order = OrderOf(column.oid, types);
  for (auto found = types.find(column.base); found != types.end();
       found = types.find(column.base)) {
    const ServerType& type = found->second;
    if (type.kind == ServerType::Kind::kDomain) {
      column.base = type.base;
      if (type.base_modifier >= 0) column.modifier = type.base_modifier;
    } else if (type.is_array && !column.array) {
      column.array = true;
      column.base = type.element;
    } else {
      break;
    }
  }
}

Status ReadColumns(const Context& ctx, pq::Connection& connection, const std::string& oid,
                   TargetTable& table) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows columns,
                        Ask(ctx, connection, table.name, kDoing, kFindColumns, {oid}));
  std::vector<uint32_t> oids;
  for (const pq::Row& row : columns) {
    TargetColumn column;
    column.name = row[0].value_or("");
    column.type = row[1].value_or("");
    column.cast = row[2].value_or("");
    column.oid = static_cast<uint32_t>(Number(row[3], 0));
    column.modifier = static_cast<int32_t>(Number(row[4], -1));
    column.not_null = row[5] == "t";
    column.has_default = row[6] == "t";
    column.generated = row[7] == "t";
    oids.push_back(column.oid);
    table.columns.push_back(std::move(column));
  }
  const auto types = FindTypes(ctx, connection, oids);
  if (!types.ok()) return OfTarget(types.status(), table.name);
  for (TargetColumn& column : table.columns) Resolve(column, *types);
  ARROW_ASSIGN_OR_RAISE(const pq::Rows keys,
                        Ask(ctx, connection, table.name, kDoing, kFindKeys, {oid}));
  std::optional<std::string> index;
  for (const pq::Row& row : keys) {
    if (row[2] != "t") continue;  // each NULL is another one to it
    if (row[0] != index) table.keys.emplace_back();
    index = row[0];
    table.keys.back().push_back(row[1].value_or(""));
  }
  for (auto& key : table.keys) std::ranges::sort(key);
  return Status::OK();
}

/// Collects what is wrong with a table, and says it all at once.
class Problems {
 public:
  explicit Problems(const LoaderOptions& options) : options_(options) {}

  void Add(FaultCode code, std::string message, const std::string& column, std::string help) {
    ++count_;
    if (count_ == 1) {
      first_.emplace(code, message);
      if (!column.empty()) first_->With("column", column);
      first_->Help(std::move(help));
    } else if (count_ <= kProblemsMax) {
      first_->With("also", std::move(message));
    }
  }
  void Add(const Status& status) {
    const Fault fault = FaultOf(status);
    Add(fault.code(), fault.message(), std::string(fault.Detail("column")), fault.help());
  }

  Status Said() {
    if (!first_) return Status::OK();
    first_->With("table", options_.table.Written());
    return elt::Placed(*first_, options_.written, "table");
  }

 private:
  const LoaderOptions& options_;
  std::optional<Fault> first_;
  size_t count_ = 0;
};

std::string Joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += pq::QuoteIdentifier(name);
  }
  return list;
}

/// The column that a run goes by and what it is compared as.
Result<std::string> Condition(const std::string& column, Order order, bool nullable,
                              const elt::RunInstance& run) {
  const std::string name = pq::QuoteIdentifier(column);
  if (run.increment) {
    std::string condition;
    if (run.increment->low) condition = name + " > " + MarkLiteral(*run.increment->low, order);
    if (run.increment->high) {
      if (!condition.empty()) condition += " AND ";
      condition += name + " <= " + MarkLiteral(*run.increment->high, order);
    }
    return condition;
  }
  ARROW_ASSIGN_OR_RAISE(const ValueRange values, ValuesOf(*run.window, order));
  const std::string inside = name + " >= " + TimeLiteral(values.from, order) + " AND " + name +
                             " < " + TimeLiteral(values.to, order);
  if (run.null_window != elt::NullWindow::kThisWindow || !nullable) return inside;
  return "(" + inside + " OR " + UnplacedPredicate(column, order, true) + ")";
}

bool CanTell(Order order, const elt::RunInstance& run) {
  return IsTime(order) || (run.increment && order == Order::kInteger);
}

/// Of a table that is to be made.
Order OrderOfStage(const std::string& type) {
  if (type == "date") return Order::kDate;
  if (type == "timestamp") return Order::kTimestamp;
  if (type == "timestamptz") return Order::kTimestamptz;
  return type == "int2" || type == "int4" || type == "int8" ? Order::kInteger : Order::kNone;
}

void PlanSlice(const TargetTable& table, const arrow::Schema& schema, const elt::RunInstance& run,
               LoadPlan& plan, Problems& problems) {
  if (plan.mode != LoadMode::kReplace) return;
  if (!run.window && !run.increment) {
    plan.slice = "";
    return;
  }
  const std::string& name = run.Column();
  constexpr const char* kOtherwise =
      "keep the column, or say mode: append (rows come beside what is there) or mode: upsert with "
      "a key:";
  if (schema.GetFieldIndex(name) < 0) {
    problems.Add(FaultCode::kImpossiblePlan,
                 fmt::format("column \"{}\" does not reach the table, and without it nobody can "
                             "tell which rows there are the run's own",
                             name),
                 name, kOtherwise);
    return;
  }
  const TargetColumn* column = table.Find(name);
  Order order = column == nullptr ? Order::kNone : column->order;
  std::string type = column == nullptr ? "" : column->type;
  if (!table.exists) {
    for (const LoadedColumn& made : plan.columns) {
      if (made.name == name) order = OrderOfStage(type = made.stage_type);
    }
  }
  if (!CanTell(order, run)) {
    problems.Add(
        FaultCode::kImpossiblePlan,
        fmt::format("column \"{}\": expected a {} to tell the run's own rows by, got {}", name,
                    run.increment ? "whole number, date, timestamp or timestamptz"
                                  : "date, timestamp or timestamptz",
                    type.empty() ? "nothing" : type),
        name, "cast it before it gets here, or say mode: append");
    return;
  }
  auto condition = Condition(name, order, column == nullptr || !column->not_null, run);
  if (condition.ok()) {
    plan.slice = *std::move(condition);
    plan.slice_column = name;
  } else {
    problems.Add(condition.status());
  }
}

void PlanKey(const LoaderOptions& options, const TargetTable& table, const arrow::Schema& schema,
             LoadPlan& plan, Problems& problems) {
  plan.key = options.key;
  for (const std::string& name : options.key) {
    if (schema.GetFieldIndex(name) >= 0) continue;
    problems.Add(FaultCode::kUnknownColumn, "key: column \"" + name + "\" does not reach the table",
                 name, "name columns that do, or keep it in select and rename");
    return;
  }
  if (plan.mode != LoadMode::kUpsert || !table.exists) return;
  std::vector<std::string> sorted = options.key;
  std::ranges::sort(sorted);
  if (std::ranges::find(table.keys, sorted) != table.keys.end()) return;
  std::string help =
      fmt::format("create unique index on {} ({})", table.name.Quoted(), Joined(options.key));
  for (const std::string& name : options.key) {
    const TargetColumn* column = table.Find(name);
    if (column == nullptr || column->not_null) continue;
    help += fmt::format(", and alter table {} alter column {} set not null", table.name.Quoted(),
                        pq::QuoteIdentifier(name));
  }
  problems.Add(FaultCode::kImpossiblePlan,
               "mode: upsert: the table has no unique index over exactly its key, of columns that "
               "are NOT NULL: each run would insert a row with a NULL there again",
               "", std::move(help));
}

std::string CreateStatement(const LoadPlan& plan, const arrow::Schema& schema) {
  std::string columns;
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    if (i > 0) columns += ", ";
    columns += pq::QuoteIdentifier(plan.columns[i].name) + " " + plan.columns[i].stage_type;
    if (!schema.field(static_cast<int>(i))->nullable()) columns += " not null";
  }
  if (!plan.key.empty()) columns += ", primary key (" + Joined(plan.key) + ")";
  return "create table if not exists " + plan.table.Quoted() + " (" + columns + ")";
}

void PlanColumn(const arrow::Field& field, const TargetTable& table, LoadPlan& plan,
                Problems& problems) {
  LoadedColumn loaded;
  loaded.name = field.name();
  const auto stage_type = pgcopy::SqlTypeOf(*field.type());
  if (!stage_type.ok()) {
    const Fault fault = FaultOf(stage_type.status());
    problems.Add(fault.code(), "column \"" + field.name() + "\": " + fault.message(), field.name(),
                 fault.help());
    return;
  }
  loaded.stage_type = *stage_type;
  loaded.target_type = *stage_type;
  loaded.expression = pq::QuoteIdentifier(field.name());
  if (field.name().size() > kNameBytesMax || field.name().empty()) {
    problems.Add(FaultCode::kBadColumnName,
                 fmt::format("column \"{}\": PostgreSQL's names have 1 to {} bytes", field.name(),
                             kNameBytesMax),
                 field.name(), "rename it");
    return;
  }
  if (table.exists) {
    const TargetColumn* column = table.Find(field.name());
    if (column == nullptr) {
      problems.Add(FaultCode::kUnknownColumn,
                   fmt::format("column \"{}\" is not in the table", field.name()), field.name(),
                   fmt::format("alter table {} add column {} {}, or leave it out with select",
                               table.name.Quoted(), loaded.expression, loaded.stage_type));
      return;
    }
    const Fit fit = FitOf(field, *column);
    if (!fit.expression) {
      problems.Add(fit.code,
                   fmt::format("column \"{}\": expected {}, got {} ({})", field.name(),
                               fit.expected, column->type, field.type()->ToString()),
                   field.name(), fit.help);
      return;
    }
    loaded.target_type = column->type;
    loaded.expression = *fit.expression;
  }
  plan.columns.push_back(std::move(loaded));
}

}  // namespace

const TargetColumn* TargetTable::Find(const std::string& column) const {
  const auto found = std::ranges::find(columns, column, &TargetColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

Result<TargetTable> FindTargetTable(const Context& ctx, pq::Connection& connection,
                                    const LoaderOptions& options) {
  TargetTable table;
  table.name = options.table;
  ARROW_ASSIGN_OR_RAISE(const pq::Rows found,
                        Ask(ctx, connection, options.table, kDoing, kFindTable,
                            {options.table.name, options.table.schema}));
  if (!found.empty()) {
    table.name = {found[0][0].value_or(""), found[0][1].value_or("")};
    const std::string kind = found[0][2].value_or("");
    if (kind != "r" && kind != "p") {
      return elt::Placed(Fault(FaultCode::kTargetUnsupported,
                               fmt::format("\"{}\": expected a table, got {}", table.name.Written(),
                                           kind == "f" ? "a foreign table" : "a view"))
                             .Help("name the table that holds the rows"),
                         options.written, "table");
    }
    table.exists = true;
    ARROW_RETURN_NOT_OK(ReadColumns(ctx, connection, found[0][3].value_or("0"), table));
    return table;
  }
  if (table.name.schema.empty()) {
    ARROW_ASSIGN_OR_RAISE(const pq::Rows schema, Ask(ctx, connection, options.table, kDoing,
                                                     "select pg_catalog.current_schema()"));
    table.name.schema = schema.empty() ? "" : schema[0][0].value_or("");
    if (table.name.schema.empty()) {
      return elt::Placed(Fault(FaultCode::kTargetRefused,
                               "table \"" + options.table.name + "\": the session has no schema")
                             .Help("name one too, as schema.table"),
                         options.written, "table");
    }
  }
  return table;
}

std::string LoadPlan::ColumnList() const {
  std::vector<std::string> names;
  for (const LoadedColumn& column : columns) names.push_back(column.name);
  return Joined(names);
}

std::string LoadPlan::InsertFrom(const std::vector<std::string>& stages) const {
  if (stages.empty()) return {};
  std::string expressions;
  for (const LoadedColumn& column : columns) {
    if (!expressions.empty()) expressions += ", ";
    expressions += column.expression;
  }
  std::string rows;
  for (const std::string& stage : stages) {
    if (!rows.empty()) rows += " union all ";
    rows += "select " + expressions + " from " + stage;
  }
  // A column that is "generated always as identity" takes the source's values too.
  std::string sql =
      "insert into " + table.Quoted() + " (" + ColumnList() + ") overriding system value " + rows;
  if (mode != LoadMode::kUpsert) return sql;
  std::string sets;
  for (const LoadedColumn& column : columns) {
    if (std::ranges::find(key, column.name) != key.end()) continue;
    if (!sets.empty()) sets += ", ";
    const std::string name = pq::QuoteIdentifier(column.name);
    sets += name + " = excluded." + name;
  }
  return sql + " on conflict (" + Joined(key) + ") do " +
         (sets.empty() ? "nothing" : "update set " + sets);
}

std::string LoadPlan::SliceRowsOf(const std::string& stage) const {
  const auto column = std::ranges::find(columns, slice_column, &LoadedColumn::name);
  return "(select cast(" + column->expression + " as " + column->target_type + ") as " +
         pq::QuoteIdentifier(slice_column) + " from " + stage + ") s";
}

std::string LoadPlan::DeleteSlice() const {
  if (!slice) return {};
  return "delete from " + table.Quoted() + (slice->empty() ? "" : " where " + *slice);
}

Result<LoadPlan> PlanLoad(const LoaderOptions& options, const TargetTable& table,
                          const arrow::Schema& schema, const elt::RunInstance& run) {
  LoadPlan plan;
  plan.table = table.name;
  plan.mode = options.mode;
  Problems problems(options);
  if (!table.exists && !options.create) {
    problems.Add(FaultCode::kTargetRefused,
                 "table \"" + table.name.Written() + "\" does not exist, and create: false", "",
                 "create it, or leave create: out");
  }
  if (schema.num_fields() == 0 || schema.num_fields() > kColumnsMax) {
    problems.Add(FaultCode::kImpossiblePlan,
                 fmt::format("expected 1 to {} columns, got {}", kColumnsMax, schema.num_fields()),
                 "", "select fewer columns");
  }
  for (const auto& field : schema.fields()) PlanColumn(*field, table, plan, problems);
  for (const TargetColumn& column : table.columns) {
    const bool filled = schema.GetFieldIndex(column.name) >= 0;
    if (filled || !column.not_null || column.has_default || column.generated) continue;
    problems.Add(FaultCode::kImpossiblePlan,
                 fmt::format("column \"{}\" of the table is NOT NULL without a default, and no "
                             "column of that name gets there",
                             column.name),
                 column.name, "make one with derive or add, or give the table's a default");
  }
  PlanKey(options, table, schema, plan, problems);
  PlanSlice(table, schema, run, plan, problems);
  ARROW_RETURN_NOT_OK(problems.Said());
  if (!table.exists) plan.create = CreateStatement(plan, schema);
  return plan;
}

Result<std::optional<std::string>> SliceOf(const TargetTable& table, const elt::RunInstance& run) {
  if (!run.window && !run.increment) return std::optional<std::string>("");
  const TargetColumn* column = table.Find(run.Column());
  if (column == nullptr || !CanTell(column->order, run)) return std::optional<std::string>();
  ARROW_ASSIGN_OR_RAISE(std::string condition,
                        Condition(column->name, column->order, !column->not_null, run));
  return std::optional<std::string>(std::move(condition));
}

}  // namespace levada::postgres
