#include "db/sqlite/statement_rules.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"

namespace levada::db::sqlite {
namespace {

// In lower case: SQLite's names have none. As Cloudflare documents them (D1, "PRAGMA statements"),
// and what wrangler and tools of schemas ask.
constexpr std::array kReadingPragmas = {
    "data_version", "foreign_key_check", "foreign_key_list", "function_list", "index_info",
    "index_list",   "index_xinfo",       "module_list",      "page_count",    "pragma_list",
    "quick_check",  "table_info",        "table_list",       "table_xinfo",   "collation_list",
};
// Until the request ends.
constexpr std::array kSettingPragmas = {
    "case_sensitive_like",       "defer_foreign_keys", "foreign_keys",
    "ignore_check_constraints",  "legacy_alter_table", "recursive_triggers",
    "reverse_unordered_selects",
};
constexpr std::array kRefusedFunctions = {"load_extension", "fts3_tokenizer"};
constexpr std::array kModules = {"fts5", "fts5vocab"};

template <size_t N>
bool Has(const std::array<const char*, N>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const char* one) { return name == one; });
}

bool IsReserved(std::string_view table) { return LowerAscii(table).starts_with("_cf_"); }

std::string_view View(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

StatementRules::StatementRules(sqlite3* connection) {
  sqlite3_set_authorizer(connection, OnAction, this);
}

int StatementRules::OnAction(void* self, int action, const char* first, const char* second,
                             const char*, const char*) {
  auto& rules = *static_cast<StatementRules*>(self);
  if (rules.trusted_ > 0) return SQLITE_OK;
  return rules.Allows(action, View(first), View(second)) ? SQLITE_OK : SQLITE_DENY;
}

bool StatementRules::AllowsPragma(std::string_view name, std::string_view argument) {
  const std::string pragma = LowerAscii(name);
  if (Has(kReadingPragmas, pragma)) return true;
  if (pragma == "optimize") return argument.empty();
  if (!Has(kSettingPragmas, pragma)) return false;
  if (!argument.empty()) has_changed_settings_ = true;
  return true;
}

bool StatementRules::Allows(int action, std::string_view first, std::string_view second) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return false;
    // They would be seen by the next request of the connection, and not by the one beside it.
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
      return false;
    case SQLITE_PRAGMA:
      return AllowsPragma(first, second);
    case SQLITE_FUNCTION:
      return !Has(kRefusedFunctions, LowerAscii(second));
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
      return Has(kModules, LowerAscii(second)) && !IsReserved(first);
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VIEW:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_READ:
      return !IsReserved(first);
    case SQLITE_ALTER_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
      return !IsReserved(second);
    default:
      return true;
  }
}

}  // namespace levada::db::sqlite
