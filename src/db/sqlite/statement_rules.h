#pragma once
// StatementRules: what strangers' SQL may do in a database that is theirs, asked by SQLite as it
// compiles a statement (its authorizer, sqlite.org/c3ref/set_authorizer.html). They have one
// database and nothing else: no other files, no transactions of their own, no settings that outlive
// the request. Internal to this folder.

#include <string_view>

struct sqlite3;

namespace levada::db::sqlite {

/// Of one connection, on its thread.
class StatementRules final {
 public:
  /// Takes the connection's authorizer. It outlives the connection's use.
  explicit StatementRules(sqlite3* connection);

  /// While it lives, everything is allowed: our own statements.
  class Trusted final {
   public:
    explicit Trusted(StatementRules& rules) : rules_(rules) { ++rules_.trusted_; }
    ~Trusted() { --rules_.trusted_; }
    Trusted(const Trusted&) = delete;
    Trusted& operator=(const Trusted&) = delete;

   private:
    StatementRules& rules_;
  };

  /// A PRAGMA that changes the connection was compiled: its settings are to be put back.
  bool has_changed_settings() const { return has_changed_settings_; }
  void ForgetSettings() { has_changed_settings_ = false; }

 private:
  static int OnAction(void* self, int action, const char* first, const char* second,
                      const char* schema, const char* trigger);
  bool Allows(int action, std::string_view first, std::string_view second);
  bool AllowsPragma(std::string_view name, std::string_view argument);

  int trusted_ = 0;
  bool has_changed_settings_ = false;
};

/// Puts back what the PRAGMAs of strangers may have changed.
constexpr const char* kDefaultSettings =
    "PRAGMA case_sensitive_like = OFF; PRAGMA ignore_check_constraints = OFF;"
    "PRAGMA legacy_alter_table = OFF; PRAGMA recursive_triggers = OFF;"
    "PRAGMA reverse_unordered_selects = OFF; PRAGMA foreign_keys = ON;"
    "PRAGMA defer_foreign_keys = OFF";

}  // namespace levada::db::sqlite
