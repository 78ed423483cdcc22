#include "formats/aesql/translate.h"

#include <utility>

#include "formats/aesql/render.h"

namespace levada::aesql {

std::variant<Translation, Problem> Translate(std::string_view sql,
                                             std::span<const Dataset> datasets) {
  auto parsed = Parse(sql);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  const Statement& statement = std::get<Statement>(parsed);
  Translation translation{"", statement.format};
  switch (statement.kind) {
    case StatementKind::kShowTables:
      translation.sql = RenderTables(datasets, statement.format);
      break;
    case StatementKind::kShowTimezones:
      translation.sql = RenderTimezones(statement.format);
      break;
    case StatementKind::kShowTimezone:
      translation.sql = RenderTimezone(statement.format);
      break;
    case StatementKind::kSelect: {
      auto bound = Bind(statement.select, datasets);
      if (auto* problem = std::get_if<Problem>(&bound)) return std::move(*problem);
      translation.sql = Render(std::get<Query>(bound), statement.format);
      // What SHOW TABLES lists is ours, and as long as it is.
      if (translation.sql.size() > kEngineBytesMax) {
        return Problem{ProblemCode::kTooLarge,
                       {0, 0},
                       "the query is too large with its aliases written out",
                       "compute in a subquery and build on its columns"};
      }
      break;
    }
  }
  return translation;
}

}  // namespace levada::aesql
