#pragma once
// RequestConnection: runs requests of strangers on a database that we own. A request is a list of
// SQL texts and one transaction: all of it happens or nothing. What it may do stands in
// statement_rules.h, how much in SqlLimits.
//
// Of a database there is one connection that writes and any number that read; each is used by one
// thread at a time. Between two requests nothing of the first is left on the connection.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/context.h"
#include "db/sqlite/page_files.h"
#include "db/sqlite/request.h"
#include "db/sqlite/statement_rules.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_context;
struct sqlite3_value;

namespace levada::db::sqlite {

enum class ConnectionKind : uint8_t { kWriter, kReader };

class RequestConnection final {
 public:
  /// `files` outlives it.
  static Result<std::unique_ptr<RequestConnection>> Open(PageFiles& files, ConnectionKind kind,
                                                         const SqlLimits& limits);
  ~RequestConnection();
  RequestConnection(const RequestConnection&) = delete;
  RequestConnection& operator=(const RequestConnection&) = delete;

  /// What is wrong with the request is in the answer. Fails where the database cannot be read or
  /// written (kStoreDamaged names the page; after a failed commit nobody knows whether it
  /// happened) and where `ctx` ends.
  Result<SqlAnswer> Run(const Context& ctx, std::span<const SqlText> request);
  /// As Run where every statement compiles here and changes nothing; nullopt otherwise, and nothing
  /// has happened. A reader's.
  Result<std::optional<SqlAnswer>> RunIfReading(const Context& ctx,
                                                std::span<const SqlText> request);

  /// The writer's, between two requests: the transactions that Run commits from here on are seen by
  /// no reader until Publish. False where that cannot be, since an export reads.
  Result<bool> HoldBack();
  void Publish();
  /// What was held back is lost: readers see what was there before, or nothing, until the files are
  /// opened again.
  void GiveUp();
  /// Called on this thread, every few thousand steps of a request that runs; may be empty.
  void set_pulse(std::function<void()> pulse) { pulse_ = std::move(pulse); }

  /// The writer's: puts all of the log into the file, synced, and empties it unless readers use it.
  /// False where a reader's snapshot is too old for that: later then.
  Result<bool> Checkpoint();
  /// Writes all of the database to a new plain file without checksums, which any SQLite opens.
  Status ExportTo(const Context& ctx, const std::string& path);

 private:
  /// Our own statements that every request needs, compiled when first used.
  enum class Own : uint8_t { kBegin, kCommit, kLook, kPageCount, kIndexes };
  static constexpr size_t kOwnCount = 5;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using OwnedStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

  RequestConnection(PageFiles& files, ConnectionKind kind, const SqlLimits& limits);
  Status Configure();
  Status Execute(const char* sql);
  const char* SqlOf(Own own) const;
  /// nullptr where it does not compile. To be stepped while StatementRules trust us, and reset.
  sqlite3_stmt* Find(Own own);
  /// SQLite's number: SQLITE_OK at its end.
  int Do(Own own);
  Status Begin(const Context& ctx);
  bool CompilesToReads(std::span<const SqlText> request);
  Result<SqlAnswer> RunWhole(const Context& ctx, std::span<const SqlText> request);
  Status RunTexts(std::span<const SqlText> request, SqlAnswer& answer);
  Status RunText(size_t index, const SqlText& text, SqlAnswer& answer);
  Status RunStatement(sqlite3_stmt* statement, SqlAnswer& answer, SqlResult& result);
  bool Bind(sqlite3_stmt* statement, const SqlText& text, size_t index, SqlAnswer& answer);
  /// Puts SQLite's last complaint into the answer, unless it is not about the request.
  Status Refused(int code, size_t text, SqlAnswer& answer);
  void Refuse(std::string message, const char* code, size_t text, SqlAnswer& answer);
  /// The reason underneath when the files or the context are to blame.
  Status Blamed(int code);
  Status EndRequest(bool commit, SqlAnswer& answer);
  void ResetSession();
  int64_t IndexesOf(const std::string& table);
  int64_t PageCount();

  static int OnProgress(void* self);
  static void OnRow(void* self, sqlite3*, int, const char* schema, const char* table, long long,
                    long long);  // NOLINT: as SQLite writes it
  static void Changes(sqlite3_context* context, int, sqlite3_value**);
  static void TotalChanges(sqlite3_context* context, int, sqlite3_value**);

  PageFiles& files_;
  const ConnectionKind kind_;
  const SqlLimits limits_;
  sqlite3* connection_ = nullptr;
  std::unique_ptr<StatementRules> rules_;
  std::array<OwnedStatement, kOwnCount> own_;
  std::function<void()> pulse_;
  // Of the request that runs.
  const Context* context_ = nullptr;
  std::map<std::string, int64_t> rows_of_table_;  ///< written by the statement that runs
  bool only_reads_ = false;                       ///< what does not is declined
  bool has_declined_ = false;
  int64_t answer_bytes_ = 0;
  int64_t statements_ = 0;
  int64_t total_changes_before_ = 0;
};

}  // namespace levada::db::sqlite
