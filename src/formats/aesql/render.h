#pragma once
// Render: a checked query as SQL of ClickHouse, for libchdb 26 and for a server. Functions and
// keywords are ours, columns are qualified with the source and quoted, literals are quoted anew.
// Each statement ends with the settings that its meaning rests on, whatever those of the engine
// are.

#include <span>
#include <string>
#include <string_view>

#include "formats/aesql/binder.h"
#include "formats/aesql/query.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

std::string Render(const Query& query, Format format);

/// SHOW TABLES: the datasets' names in their order, in columns dataset and type.
std::string RenderTables(std::span<const Dataset> datasets, Format format);
/// SHOW TIMEZONES: those that the engine knows, in a column timezone.
std::string RenderTimezones(Format format);
/// SHOW TIMEZONE: Etc/UTC.
std::string RenderTimezone(Format format);

/// CREATE TABLE of a dataset's table: its columns in the order of SELECT *, without an engine.
/// The dataset's own name is in no row but an alias column.
std::string RenderTableColumns(std::string_view dataset);

/// 'text' with quotes and backslashes escaped. Precondition: no NUL byte.
std::string QuoteText(std::string_view text);
/// `name`, likewise.
std::string QuoteName(std::string_view name);

}  // namespace levada::aesql
