#include "connectors/postgres/postgres_catalog.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "base/diagnostic.h"
#include "base/json.h"

namespace levada::postgres {
namespace {

constexpr const char* kDoing = "cannot read the catalog";

// Names to choose the nearest of: more would cost more than the suggestion is worth.
constexpr const char* kCandidatesLimit = "10000";

int64_t IntegerOf(const std::optional<std::string>& text, int64_t otherwise) {
  int64_t number = otherwise;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

double DoubleOf(const std::optional<std::string>& text, double otherwise) {
  return text ? std::strtod(text->c_str(), nullptr) : otherwise;
}

bool BoolOf(const std::optional<std::string>& text) { return text == "t"; }

uint32_t OidOf(const std::optional<std::string>& text) {
  return static_cast<uint32_t>(IntegerOf(text, 0));
}

/// {1,2,3}
template <typename Numbers>
std::string ArrayOf(const Numbers& numbers) {
  std::string text = "{";
  for (const auto number : numbers) {
    if (text.size() > 1) text += ',';
    text += std::to_string(number);
  }
  return text + '}';
}

// What lies below an inherited table is not counted: the planner's estimate is better than the size
// of the parent alone. A temporary table of another session is in no search_path, and found so that
// something else can be said than that there is none.
constexpr const char* kFindRelation = R"(
select c.oid, n.nspname, c.relname, c.relkind, coalesce(a.amname = 'heap', false),
  c.relkind = 'p' or i.inherited,
  case when c.relkind in ('r', 'p') then pg_catalog.row_security_active(c.oid) else false end,
  case when c.relkind = 'p' then (
    select pg_catalog.sum(greatest(l.reltuples, 0))::bigint
    from pg_catalog.pg_partition_tree(c.oid) t join pg_catalog.pg_class l on l.oid = t.relid
    where t.isleaf) when i.inherited then null else c.reltuples::bigint end,
  case when c.relkind = 'p' then (
    select pg_catalog.sum(pg_catalog.pg_table_size(t.relid))::bigint
    from pg_catalog.pg_partition_tree(c.oid) t where t.isleaf)
  when c.relkind in ('r', 'm') and not i.inherited then pg_catalog.pg_table_size(c.oid) end,
  case when c.relkind in ('r', 'm') then pg_catalog.pg_relation_size(c.oid) /
    pg_catalog.current_setting('block_size')::bigint end, c.relpersistence = 't'
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am a on a.oid = c.relam
cross join lateral (select exists (select from pg_catalog.pg_inherits h where h.inhparent = c.oid)
  as inherited) i
where c.relname = $1 and case when $2 = '' then pg_catalog.pg_table_is_visible(c.oid)
  or c.relpersistence = 't' and c.relkind = 'r' else n.nspname = $2 end
order by pg_catalog.pg_table_is_visible(c.oid) desc limit 1
)";

Result<TableName> NearestTable(const Context& ctx, pq::Connection& connection,
                               const TableName& name) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid) "
                       "from pg_catalog.pg_class c "
                       "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                       "where c.relkind in ('r', 'p', 'v', 'm', 'f') and "
                       "c.relpersistence <> 't' and n.nspname not in "
                       "('pg_catalog', 'information_schema', 'pg_toast') "
                       "order by (c.relname = $1) desc, 1, 2 limit " +
                           std::string(kCandidatesLimit),
                       {name.name}));
  std::vector<TableName> tables;
  std::vector<std::string> written;
  for (const pq::Row& row : rows) {
    TableName table{row[0].value_or(""), row[1].value_or("")};
    if (table.name == name.name) return table;
    // Without a schema the nearest name is one that needs none.
    if (name.schema.empty() && BoolOf(row[2])) table.schema.clear();
    written.push_back(table.Written());
    tables.push_back(std::move(table));
  }
  const std::string nearest = NearestName(name.Written(), written);
  const auto found = std::find(written.begin(), written.end(), nearest);
  return found == written.end() ? TableName()
                                : tables[static_cast<size_t>(found - written.begin())];
}

Result<Relation> NotFound(const Context& ctx, pq::Connection& connection, const TableName& name) {
  Fault fault(FaultCode::kTableNotFound, "table \"" + name.Written() + "\" does not exist in \"" +
                                             connection.endpoint().database + "\"");
  fault.With("table", name.Written());
  ARROW_ASSIGN_OR_RAISE(const TableName nearest, NearestTable(ctx, connection, name));
  if (!nearest.name.empty()) {
    fault.Help("did you mean \"" + nearest.Written() + "\"?");
  } else if (name.schema.empty()) {
    fault.Help("name the schema too, as schema.table");
  }
  return fault;
}

const char* NameOfKind(char kind) {
  switch (kind) {
    case 'i':
    case 'I':
      return "an index";
    case 'S':
      return "a sequence";
    case 'c':
      return "a composite type";
    case 't':
      return "a TOAST table";
    default:
      return "not a table";
  }
}

}  // namespace

Result<Relation> FindRelation(const Context& ctx, pq::Connection& connection,
                              const TableName& name) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        connection.Query(ctx, kDoing, kFindRelation, {name.name, name.schema}));
  if (rows.empty()) return NotFound(ctx, connection, name);
  const pq::Row& row = rows[0];
  Relation relation;
  relation.oid = OidOf(row[0]);
  relation.name = {row[1].value_or(""), row[2].value_or("")};
  relation.kind = row[3].value_or("?")[0];
  relation.heap = BoolOf(row[4]);
  relation.has_children = BoolOf(row[5]);
  relation.filtered = BoolOf(row[6]);
  relation.rows = IntegerOf(row[7], -1);
  relation.bytes = IntegerOf(row[8], -1);
  relation.blocks = IntegerOf(row[9], 0);
  if (BoolOf(row[10])) {
    return Fault(FaultCode::kSourceUnsupported,
                 "\"" + relation.name.name + "\" is a temporary table of another session")
        .With("table", relation.name.Written())
        .Help("only that session can read it: write the rows to a table that stays");
  }
  if (std::string_view("rpvmf").find(relation.kind) == std::string_view::npos) {
    return Fault(FaultCode::kSourceUnsupported, "\"" + relation.name.Written() + "\" is " +
                                                    NameOfKind(relation.kind) + ", not a table")
        .With("table", relation.name.Written())
        .Help("name a table or view, or use query:");
  }
  return relation;
}

Result<std::vector<TableName>> ListTables(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select n.nspname, c.relname from pg_catalog.pg_class c "
                       "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                       "where c.relkind in ('r', 'p') and not c.relispartition and "
                       "c.relpersistence <> 't' and n.nspname !~ '^pg_' and "
                       "n.nspname <> 'information_schema' "
                       "order by n.nspname collate \"C\", c.relname collate \"C\""));
  std::vector<TableName> tables;
  tables.reserve(rows.size());
  for (const pq::Row& row : rows) tables.push_back({row[0].value_or(""), row[1].value_or("")});
  return tables;
}

Result<Attributes> FindAttributes(const Context& ctx, pq::Connection& connection,
                                  const Relation& relation) {
  // A constraint that was declared NOT VALID (PostgreSQL 18) promises nothing of the rows before.
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select a.attnum, a.attnotnull and not exists (select from "
                       "pg_catalog.pg_constraint k where k.conrelid = a.attrelid and "
                       "k.contype = 'n' and a.attnum = any (k.conkey) and not k.convalidated) "
                       "and not exists (select from pg_catalog.pg_partition_tree($1) p "
                       "join pg_catalog.pg_class l on l.oid = p.relid where l.relkind = 'f'), "
                       "a.attgenerated <> '' from pg_catalog.pg_attribute a "
                       "where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped",
                       {std::to_string(relation.oid)}));
  Attributes attributes;
  // The children of an inherited table may allow what it forbids; nobody checks foreign tables,
  // among partitions neither.
  const bool holds = relation.kind == 'p' || (relation.kind == 'r' && !relation.has_children);
  for (const pq::Row& row : rows) {
    if (holds && BoolOf(row[1])) {
      attributes.not_null.push_back(static_cast<int16_t>(IntegerOf(row[0], 0)));
    }
    attributes.generated = attributes.generated || BoolOf(row[2]);
  }
  return attributes;
}

Result<ServerTypes> FindTypes(const Context& ctx, pq::Connection& connection,
                              const std::vector<uint32_t>& oids) {
  ServerTypes types;
  std::set<uint32_t> wanted(oids.begin(), oids.end());
  // Each round follows one step of domain or element; types cannot contain themselves that way.
  while (!wanted.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        const pq::Rows rows,
        connection.Query(ctx, kDoing,
                         "select t.oid, t.typtype, p.proname = 'array_send' and t.typelem <> 0, "
                         "t.typbasetype, t.typtypmod, t.typelem from pg_catalog.pg_type t "
                         "left join pg_catalog.pg_proc p on p.oid = t.typsend "
                         "where t.oid = any ($1::pg_catalog.oid[])",
                         {ArrayOf(wanted)}));
    wanted.clear();
    for (const pq::Row& row : rows) {
      ServerType type;
      type.kind = static_cast<ServerType::Kind>(row[1].value_or("p")[0]);
      type.is_array = type.kind == ServerType::Kind::kBase && BoolOf(row[2]);
      type.base = OidOf(row[3]);
      type.base_modifier = static_cast<int32_t>(IntegerOf(row[4], -1));
      type.element = OidOf(row[5]);
      types[OidOf(row[0])] = type;
    }
    for (const auto& [oid, type] : types) {
      const uint32_t next = type.kind == ServerType::Kind::kDomain ? type.base
                            : type.is_array                        ? type.element
                                                                   : 0;
      if (next != 0 && types.find(next) == types.end()) wanted.insert(next);
    }
    if (rows.empty()) break;
  }
  return types;
}

Result<std::vector<int32_t>> DeclaredDimensions(const Context& ctx, pq::Connection& connection,
                                                const std::vector<pq::StatementColumn>& columns) {
  std::set<uint32_t> tables;
  for (const pq::StatementColumn& column : columns) tables.insert(column.table_oid);
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(
          ctx, kDoing,
          "with recursive declared(attrelid, attnum, type, dimensions) as (select attrelid, "
          "attnum, "
          "atttypid, attndims from pg_catalog.pg_attribute where attrelid = any "
          "($1::pg_catalog.oid[]) and attnum > 0 union select d.attrelid, d.attnum, t.typbasetype, "
          "t.typndims from declared d join pg_catalog.pg_type t on t.oid = d.type where "
          "t.typtype = 'd') select attrelid, attnum, pg_catalog.max(dimensions) from declared "
          "group by attrelid, attnum having pg_catalog.max(dimensions) > 0",
          {ArrayOf(tables)}));
  std::map<std::pair<uint32_t, int64_t>, int32_t> by_column;
  for (const pq::Row& row : rows) {
    by_column[{OidOf(row[0]), IntegerOf(row[1], 0)}] = static_cast<int32_t>(IntegerOf(row[2], 0));
  }
  std::vector<int32_t> dimensions;
  dimensions.reserve(columns.size());
  for (const pq::StatementColumn& column : columns) {
    const auto found = by_column.find({column.table_oid, column.table_column});
    dimensions.push_back(found == by_column.end() ? 0 : found->second);
  }
  return dimensions;
}

Result<bool> PrintNames(const Context& ctx, pq::Connection& connection,
                        const std::vector<uint32_t>& oids) {
  // The last list: regproc, anyarray and record (of which nobody knows what is in them),
  // regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary, regcollation.
  // regrole and regnamespace print names that stand in no schema.
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(
          ctx, kDoing,
          "with recursive parts(oid) as (select pg_catalog.unnest($1::pg_catalog.oid[]) union "
          "select n.oid from parts p join pg_catalog.pg_type t on t.oid = p.oid cross join "
          "lateral (select t.typbasetype union all select t.typelem union all "
          "select a.atttypid from pg_catalog.pg_attribute a where t.typtype = 'c' and "
          "a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped union all "
          "select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid) n(oid) "
          "where n.oid <> 0) select exists (select from parts where oid in (24, 2277, 2249, 2287, "
          "2202, 2203, 2204, 2205, 2206, 3734, 3769, 4191))",
          {ArrayOf(oids)}));
  return !rows.empty() && BoolOf(rows[0][0]);
}

Result<std::vector<std::string>> TypeNames(const Context& ctx, pq::Connection& connection,
                                           const std::vector<pq::StatementColumn>& columns) {
  std::vector<uint32_t> oids;
  std::vector<int32_t> modifiers;
  for (const pq::StatementColumn& column : columns) {
    oids.push_back(column.type_oid);
    modifiers.push_back(column.type_modifier);
  }
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select pg_catalog.format_type(t, m) from rows from ("
                       "pg_catalog.unnest($1::pg_catalog.oid[]), "
                       "pg_catalog.unnest($2::pg_catalog.int4[])) with ordinality u(t, m, o) "
                       "order by o",
                       {ArrayOf(oids), ArrayOf(modifiers)}));
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const pq::Row& row : rows) names.push_back(row[0].value_or("?"));
  names.resize(columns.size(), "?");
  return names;
}

Result<std::vector<ColumnStatistics>> FindStatistics(
    const Context& ctx, pq::Connection& connection,
    const std::vector<pq::StatementColumn>& columns) {
  std::set<uint32_t> tables;
  for (const pq::StatementColumn& column : columns) tables.insert(column.table_oid);
  std::vector<ColumnStatistics> statistics(columns.size());
  if (tables.empty()) return statistics;
  // The planner takes a row of pg_stats for rarer than it is, and in an ordinary join it compares
  // each column with the statistics of all columns of the database: minutes for a thousand columns.
  // LATERAL and OFFSET keep it to one look at each table, and the subquery to one at each column.
  // A fraction that counts the children of an inherited table is not one of that table's rows.
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(
          ctx, kDoing,
          "select c.oid, (select a.attnum from pg_catalog.pg_attribute a "
          "where a.attrelid = c.oid and a.attname = s.attname), "
          "case when s.n_distinct >= 0 then s.n_distinct when s.inherited and c.relkind <> 'p' "
          "then 0 else -s.n_distinct * greatest(c.reltuples, 0) end, s.avg_width, s.null_frac from "
          "pg_catalog.pg_class c "
          "join pg_catalog.pg_namespace n on n.oid = c.relnamespace cross join lateral "
          "(select * from pg_catalog.pg_stats p where p.schemaname = n.nspname and "
          "p.tablename = c.relname offset 0) s "
          "where c.oid = any ($1::pg_catalog.oid[]) order by s.inherited desc",
          {ArrayOf(tables)}));
  // Of a parent's two rows for a column, the one with its children counts: it came first.
  std::map<std::pair<uint32_t, int64_t>, ColumnStatistics> by_column;
  for (const pq::Row& row : rows) {
    ColumnStatistics found{DoubleOf(row[2], -1), DoubleOf(row[3], -1), DoubleOf(row[4], -1)};
    // 0: the server says it does not know.
    if (found.distinct <= 0) found.distinct = -1;
    by_column.try_emplace({OidOf(row[0]), IntegerOf(row[1], 0)}, found);
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto found = by_column.find({columns[i].table_oid, columns[i].table_column});
    if (found != by_column.end()) statistics[i] = found->second;
  }
  return statistics;
}

namespace {

// A plan nests as deep as the query does; what lies below this is not looked at.
constexpr int kPlanDepthMax = 64;

std::string TextOf(const Json& node, const char* key) {
  const auto found = node.find(key);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "Seq Scan" as words: "sequential scan".
std::string ScanText(const Json& node) {
  std::string type = TextOf(node, "Node Type");
  if (type == "Seq Scan") return "sequential scan";
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::string index = TextOf(node, "Index Name");
  return index.empty() ? type : type + " " + index;
}

/// How the rows below a node of EXPLAIN's answer are found: each way once.
void AddScans(const Json& node, int depth, std::set<std::string>& scans) {
  if (depth > kPlanDepthMax || !node.is_object()) return;
  const std::string type = TextOf(node, "Node Type");
  // The one only passes on what is below it, of the other the index is below it.
  const bool is_own = type != "Subquery Scan" && type != "Bitmap Heap Scan";
  if (type.ends_with("Scan") && is_own) scans.insert(ScanText(node));
  const auto below = node.find("Plans");
  if (below == node.end() || !below->is_array()) return;
  for (const Json& child : *below) {
    // A question beside the rows, as of a value in the select list.
    const std::string role = TextOf(child, "Parent Relationship");
    if (role != "SubPlan" && role != "InitPlan") AddScans(child, depth + 1, scans);
  }
}

}  // namespace

Result<Estimate> EstimateOf(const Context& ctx, pq::Connection& connection, std::string_view doing,
                            const std::string& select) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        connection.Query(ctx, doing, "explain (format json) " + select));
  Estimate estimate;
  if (rows.empty() || rows[0].empty() || !rows[0][0]) return estimate;
  const auto plan = ParseJson(*rows[0][0]);
  if (!plan.is_array() || plan.empty() || !plan[0].contains("Plan")) return estimate;
  const auto number = [&](const char* key) {
    const auto& node = plan[0]["Plan"];
    const auto found = node.find(key);
    if (found == node.end() || !found->is_number()) return int64_t{-1};
    constexpr double kMost = 9e18;
    return static_cast<int64_t>(std::min(found->get<double>(), kMost));
  };
  estimate.rows = number("Plan Rows");
  estimate.row_bytes = number("Plan Width");
  const Json& top = plan[0]["Plan"];
  const auto cost = top.find("Total Cost");
  if (cost != top.end() && cost->is_number()) estimate.cost = cost->get<double>();
  std::set<std::string> scans;
  AddScans(top, 0, scans);
  if (!scans.empty()) estimate.scan = scans.size() == 1 ? *scans.begin() : "several scans";
  return estimate;
}

Result<bool> HasIndexOn(const Context& ctx, pq::Connection& connection, const Relation& relation,
                        const std::string& column) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select exists (select from pg_catalog.pg_index i "
                       "join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and "
                       "a.attnum = i.indkey[0] where i.indrelid = $1 and a.attname = $2 and "
                       "i.indisvalid and i.indpred is null)",
                       {std::to_string(relation.oid), column}));
  return !rows.empty() && BoolOf(rows[0][0]);
}

Result<int64_t> SequenceCache(const Context& ctx, pq::Connection& connection,
                              const Relation& relation, const pq::StatementColumn& column) {
  // serial and identity columns own their sequence: deptype a and i.
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select max(s.seqcache) from pg_catalog.pg_sequence s "
                       "join pg_catalog.pg_depend d on d.objid = s.seqrelid and "
                       "d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and "
                       "d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and "
                       "d.deptype in ('a', 'i') where d.refobjid = $1 and d.refobjsubid = $2",
                       {std::to_string(relation.oid), std::to_string(column.table_column)}));
  return rows.empty() || !rows[0][0] ? 1 : std::max<int64_t>(1, IntegerOf(rows[0][0], 1));
}

Result<std::string> LeadingKeyColumn(const Context& ctx, pq::Connection& connection,
                                     const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select a.attname from pg_catalog.pg_index i "
                       "join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and "
                       "a.attnum = i.indkey[0] where i.indrelid = $1 and i.indisunique and "
                       "i.indisvalid and i.indpred is null and i.indexprs is null "
                       "order by i.indisprimary desc, i.indnkeyatts, a.attnum limit 1",
                       {std::to_string(relation.oid)}));
  return rows.empty() ? std::string() : rows[0][0].value_or("");
}

namespace {

/// The type whose order the cuts of a column follow.
const char* OrderedType(const pq::StatementColumn& column, Order order) {
  constexpr uint32_t kCharN = 1042;
  switch (order) {
    case Order::kNone:
      break;
    case Order::kInteger:
      return "int8";
    case Order::kNumeric:
      return "numeric";
    case Order::kText:
      // Which compares without its padding: another order than that of text with it.
      return column.type_oid == kCharN ? "bpchar" : "text";
    case Order::kUuid:
      return "uuid";
    case Order::kDate:
      return "date";
    case Order::kTimestamp:
      return "timestamp";
    case Order::kTimestamptz:
      return "timestamptz";
  }
  return nullptr;
}

}  // namespace

Result<std::vector<WeightedValue>> FindDistribution(const Context& ctx, pq::Connection& connection,
                                                    const Relation& relation,
                                                    const pq::StatementColumn& column,
                                                    Order order) {
  const char* type = OrderedType(column, order);
  if (type == nullptr) return std::vector<WeightedValue>();
  const std::string array = std::string("::text::pg_catalog.") + type + "[]";
  const std::string collation = order == Order::kText ? " collate \"C\"" : "";
  // Behind the last bound of a histogram there is nothing.
  const std::string sql =
      "with s as (select histogram_bounds" + array + " bounds, most_common_vals" + array +
      " vals, most_common_freqs freqs, greatest(0, 1 - null_frac - coalesce((select "
      "pg_catalog.sum(f) from pg_catalog.unnest(most_common_freqs) f), 0)) rest "
      "from pg_catalog.pg_stats where schemaname = $1 and tablename = $2 and attname = $3 "
      "order by inherited desc limit 1), "
      "h as (select u.v, case when u.o < pg_catalog.array_length(s.bounds, 1) then s.rest / "
      "(pg_catalog.array_length(s.bounds, 1) - 1) else 0 end w "
      "from s, pg_catalog.unnest(s.bounds) with ordinality u(v, o)), "
      "m as (select u.v, u.w from s, rows from (pg_catalog.unnest(s.vals), "
      "pg_catalog.unnest(s.freqs)) u(v, w)) "
      // Under another name: a bare `order by v` would mean the text.
      "select v::text as value, w, single from (select v, w, false single from h union all "
      "select v, w, true from m) p where v is not null order by v" +
      collation + ", single";
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing, sql, {relation.name.schema, relation.name.name, column.name}));
  std::vector<WeightedValue> values;
  values.reserve(rows.size());
  for (const pq::Row& row : rows) {
    values.push_back({row[0].value_or(""), DoubleOf(row[1], 0), BoolOf(row[2])});
  }
  return values;
}

Result<bool> AreInOrder(const Context& ctx, pq::Connection& connection,
                        const pq::StatementColumn& column, Order order,
                        const std::vector<std::string>& values) {
  const char* type = OrderedType(column, order);
  if (type == nullptr || values.size() < 2) return true;
  std::string list;
  for (const std::string& value : values) {
    list += (list.empty() ? "" : ", ") + pq::QuoteLiteral(value);
  }
  const std::string collation = order == Order::kText ? " collate \"C\"" : "";
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select pg_catalog.bool_and(v > before) from (select v" + collation +
                           " v, pg_catalog.lag(v" + collation +
                           ") over (order by o) before from pg_catalog.unnest(array[" + list +
                           "]::pg_catalog." + type + "[]) with ordinality u(v, o)) p"));
  return !rows.empty() && BoolOf(rows[0][0]);
}

}  // namespace levada::postgres
