#include "formats/aesql/binder.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "formats/aesql/argument_check.h"
#include "formats/aesql/expression_binder.h"
#include "formats/aesql/refusal.h"
#include "formats/aesql/row_order.h"

namespace levada::aesql {
namespace {

struct Shared {
  std::span<const Dataset> datasets;
  Budget budget;
  Refusal refusal;
};

std::optional<Query> BindSelect(const Select& select, Shared& shared);

/// One SELECT. A step that fails leaves the problem in the refusal.
class SelectBinder final {
 public:
  SelectBinder(const Select& select, std::vector<SourceColumn> columns, Query& query,
               Shared& shared)
      : select_(select),
        query_(query),
        refusal_(shared.refusal),
        expressions_(select, std::move(columns), select.from.has_value(), shared.budget,
                     shared.refusal) {}

  bool Run() {
    if (!Items() || !Where() || !GroupBy() || !Having() || !OrderBy() || !Grouping()) return false;
    query_.limit = select_.limit;
    query_.offset = select_.offset;
    return true;
  }

 private:
  bool Items() {
    for (size_t i = 0; i < select_.items.size(); ++i) {
      const SelectItem& item = select_.items[i];
      if (!item.expression) {
        if (!Star(item)) return false;
        continue;
      }
      std::optional<Node> node = expressions_.BindItem(i);
      if (!node || !Output(item.name, std::move(*node), item.range)) return false;
    }
    return true;
  }

  bool Star(const SelectItem& item) {
    if (!select_.from) return Fail(ProblemCode::kUnknownColumn, item.range, "* without FROM", "");
    for (const SourceColumn& column : expressions_.columns()) {
      Node node = MakeColumn(column.name, column.type, item.range);
      if (!Output(column.name, std::move(node), item.range)) return false;
    }
    return true;
  }

  bool Output(const std::string& name, Node node, Range range) {
    if (std::ranges::find(query_.columns, name, &OutputColumn::name) != query_.columns.end()) {
      return Fail(ProblemCode::kBadAlias, range, "the result has two columns \"" + name + "\"",
                  "name one of them with AS");
    }
    query_.columns.push_back({name, std::move(node)});
    return true;
  }

  bool Where() {
    if (!select_.where) return true;
    std::optional<Node> node = expressions_.Bind(*select_.where, "WHERE");
    if (node) query_.where = Condition(std::move(*node), "WHERE", refusal_);
    return query_.where.has_value();
  }

  bool GroupBy() {
    for (const Syntax& syntax : select_.group_by) {
      std::optional<Node> node = AtPosition(syntax, "GROUP BY");
      if (!node) return false;
      if (node->has_aggregate) {
        return Fail(ProblemCode::kBadAggregate, syntax.range, "an aggregate in GROUP BY", "");
      }
      if (!Scalar(*node, "GROUP BY")) return false;
      query_.group_by.push_back(std::move(*node));
    }
    return true;
  }

  bool Having() {
    if (!select_.having) return true;
    std::optional<Node> node = expressions_.Bind(*select_.having, "");
    if (node) query_.having = Condition(std::move(*node), "HAVING", refusal_);
    return query_.having.has_value();
  }

  bool OrderBy() {
    for (const OrderItem& item : select_.order_by) {
      std::optional<Node> node = AtPosition(item.expression, "");
      if (!node || !Scalar(*node, "ORDER BY")) return false;
      query_.order_by.push_back({std::move(*node), item.descending});
    }
    return true;
  }

  // A written integer is the number of a column of the result.
  std::optional<Node> AtPosition(const Syntax& syntax, std::string_view place) {
    if (syntax.kind != SyntaxKind::kInteger) return expressions_.Bind(syntax, place);
    size_t position = 0;
    const char* end = syntax.text.data() + syntax.text.size();
    const auto [stop, error] = std::from_chars(syntax.text.data(), end, position);
    if (error != std::errc() || position < 1 || position > query_.columns.size()) {
      return refusal_.Fail(ProblemCode::kBadArguments, syntax.range,
                           "position " + syntax.text + ": the result has " +
                               std::to_string(query_.columns.size()) + " columns",
                           "write the column's name or expression");
    }
    Node node = query_.columns[position - 1].node;
    node.range = syntax.range;
    return node;
  }

  bool Scalar(const Node& node, const std::string& clause) {
    const Kind kind = node.type.kind;
    if (kind != Kind::kList && kind != Kind::kInterval) return true;
    return Fail(ProblemCode::kBadType, node.range,
                clause + ": expected a number, string or time, got " + WithArticle(kind), "");
  }

  // Beside aggregates, a column stands for a group only if GROUP BY names it.
  bool Grouping() {
    const auto aggregates = [](const auto& entry) { return entry.node.has_aggregate; };
    const bool grouped = !query_.group_by.empty() ||
                         std::ranges::any_of(query_.columns, aggregates) ||
                         std::ranges::any_of(query_.order_by, aggregates) ||
                         (query_.having && query_.having->has_aggregate);
    if (!grouped) {
      return !query_.having || Fail(ProblemCode::kNotGrouped, query_.having->range,
                                    "HAVING without GROUP BY or an aggregate", "write WHERE");
    }
    if (!OrderRows(query_, refusal_)) return false;
    for (const OutputColumn& column : query_.columns) {
      if (!IsOfGroup(column.node)) return false;
    }
    if (query_.having && !IsOfGroup(*query_.having)) return false;
    return std::ranges::all_of(query_.order_by,
                               [&](const OrderKey& key) { return IsOfGroup(key.node); });
  }

  bool IsOfGroup(const Node& node) {
    const Node* column = ColumnOutsideGroups(node, query_.group_by);
    if (column == nullptr) return true;
    return Fail(ProblemCode::kNotGrouped, column->range,
                "column \"" + column->value + "\" is neither in GROUP BY nor in an aggregate",
                "add it to GROUP BY, or take argMax(" + column->value + ", timestamp)");
  }

  bool Fail(ProblemCode code, Range range, std::string message, std::string help) {
    refusal_.Fail(code, range, std::move(message), std::move(help));
    return false;
  }

  const Select& select_;
  Query& query_;
  Refusal& refusal_;
  ExpressionBinder expressions_;
};

/// The columns of what stands behind FROM, which goes into `query`.
std::optional<std::vector<SourceColumn>> BindSource(const Source& source, Query& query,
                                                    Shared& shared) {
  std::vector<SourceColumn> columns;
  if (source.subquery != nullptr) {
    std::optional<Query> inner = BindSelect(*source.subquery, shared);
    if (!inner) return std::nullopt;
    for (const OutputColumn& column : inner->columns) {
      columns.push_back({column.name, column.node.type});
    }
    query.subquery = std::make_unique<Query>(std::move(*inner));
    return columns;
  }
  const auto dataset = std::ranges::find(shared.datasets, source.dataset, &Dataset::name);
  if (dataset == shared.datasets.end()) {
    std::vector<std::string> names;
    for (const Dataset& known : shared.datasets) names.push_back(known.name);
    const std::string nearest = NearestName(source.dataset, names);
    return shared.refusal.Fail(
        ProblemCode::kUnknownDataset, source.range, "unknown dataset \"" + source.dataset + "\"",
        nearest.empty() ? "a dataset is there once a Worker has written to it; see SHOW TABLES"
                        : "did you mean \"" + nearest + "\"?");
  }
  query.table = dataset->table;
  for (const Column& column : DatasetColumns()) columns.push_back({column.name, column.type});
  return columns;
}

std::optional<Query> BindSelect(const Select& select, Shared& shared) {
  Query query;
  std::vector<SourceColumn> columns;
  if (select.from) {
    auto found = BindSource(*select.from, query, shared);
    if (!found) return std::nullopt;
    columns = std::move(*found);
  }
  if (!SelectBinder(select, std::move(columns), query, shared).Run()) return std::nullopt;
  return query;
}

}  // namespace

std::variant<Query, Problem> Bind(const Select& select, std::span<const Dataset> datasets) {
  Shared shared{datasets, {}, {}};
  std::optional<Query> query = BindSelect(select, shared);
  if (!query) return shared.refusal.problem();
  return std::move(*query);
}

}  // namespace levada::aesql
