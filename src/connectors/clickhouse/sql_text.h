#pragma once
// Names and texts as ClickHouse's SQL has them.

#include <initializer_list>
#include <string>
#include <string_view>

namespace levada::clickhouse {

/// `name` in backquotes, whatever is in it.
std::string QuoteName(std::string_view name);
/// 'text' in quotes, whatever is in it.
std::string QuoteText(std::string_view text);
/// All of them that are not empty.
std::string AllOf(std::initializer_list<std::string> conditions);

}  // namespace levada::clickhouse
