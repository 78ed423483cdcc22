#pragma once
// Database, Statement, Transaction: SQLite with owners for its resources, Status for its errors and
// a stop for its waits. It stands under the ledger and under the sqlite consumer and knows neither.
//
// A Database is one connection: one thread at a time uses it and its statements. Every call that
// can wait takes a Context and ends within a fraction of a second of its stop or deadline, whether
// it waits for a lock or works through rows.

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "db/sqlite/error.h"
#include "db/sqlite/stoppable_files.h"

struct sqlite3;
struct sqlite3_stmt;

namespace levada::db::sqlite {

enum class OpenMode : uint8_t {
  kRead,    ///< the file must exist; no statement can change it
  kWrite,   ///< the file must exist
  kCreate,  ///< made when absent; its directory must exist
  kMemory,  ///< a private database without a file; for tests
};

/// How writes get to the file. With a write-ahead log readers do not block the writer.
enum class Journal : uint8_t {
  kAsItIs,      ///< as the file says
  kWal,         ///< a crash of the machine may undo the newest transactions, never half of one
  kDurableWal,  ///< a committed transaction survives power loss
};

struct OpenOptions {
  OpenMode mode = OpenMode::kRead;
  /// How long a statement waits for locks of other connections before kBusy.
  std::chrono::milliseconds busy_timeout{5000};
  Journal journal = Journal::kAsItIs;  ///< the others only for kWrite and kCreate
  /// Pages kept in memory.
  int64_t cache_bytes = int64_t{2} << 20;
  /// kRead only: nobody writes the file while it is open, so nothing is locked and no -shm file is
  /// needed. Refused (kHasLog) where a write-ahead log or a journal lies beside the file, since its
  /// content would not be seen.
  bool immutable = false;
};

enum class CellType : uint8_t { kNull, kInteger, kReal, kText, kBlob };

/// One value of the current row. `bytes` holds text (UTF-8 as stored, not validated) or a blob,
/// valid until the next Step, Reset or destruction of its statement. A text that is no valid UTF-16
/// in a database of that encoding is one byte that is no valid UTF-8, and `is_lost`.
struct Cell {
  CellType type = CellType::kNull;
  bool is_lost = false;  ///< a text of which `bytes` says nothing
  union {
    int64_t integer = 0;
    double real;
  };
  std::string_view bytes;
};

class Database;

/// A compiled statement. Movable; dies before its Database. Parameters are numbered from 1 as in
/// SQL (?1), columns from 0.
class Statement final {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  /// Text and blobs are copied. A parameter SQLite refuses (out of range, too large) is reported by
  /// the next Step.
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, double value);
  Statement& Bind(int parameter, std::string_view text);
  Statement& Bind(int parameter, const char* text) {
    return Bind(parameter, std::string_view(text));
  }
  Statement& BindBlob(int parameter, std::span<const uint8_t> bytes);
  Statement& BindNull(int parameter);
  int parameter_count() const;

  /// True: a row is there. False: the end, and the statement is reset, its parameters kept.
  /// kStopped or kSourceTimeout when `ctx` ends first; the statement is reset after every error.
  Result<bool> Step(const Context& ctx);
  /// Steps to the end, dropping rows: for statements that write.
  Status Run(const Context& ctx);
  /// Ends the current execution, releasing its locks outside a transaction. Parameters are kept.
  void Reset();

  // Of the current row; after Step gave true.
  Cell At(int column);
  bool IsNull(int column) const;
  /// As SQLite converts: text that is not a number is 0, NULL is 0.
  int64_t Int64(int column) const;
  /// NULL is empty. A copy.
  std::string Text(int column);

  int column_count() const;
  std::string ColumnName(int column) const;
  /// The type in the CREATE TABLE of the column a result column comes from, as written; empty for
  /// expressions and for columns without a type.
  std::string DeclaredType(int column) const;
  /// It cannot change the database.
  bool reads_only() const;
  /// The statement's own text, up to its semicolon.
  const std::string& sql() const { return sql_; }

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* statement, std::string sql)
      : database_(database), statement_(statement), sql_(std::move(sql)) {}
  void NoteBind(int code);

  Database* database_;
  sqlite3_stmt* statement_;
  std::string sql_;
  int pending_code_ = 0;  ///< first refused Bind or conversion, told by the next Step
};

class Database final {
 public:
  /// `path` is a file name and never a URI. Reads the header, so that a file that is no database is
  /// refused here (kNotADatabase) and a locked one waited for. Loading extensions is impossible,
  /// and "x" in double quotes is always a name, never a text. A file that is opened to be read is
  /// taken for hostile: no triggers, no functions with side effects in its schema, no mapped
  /// memory, and every page is checked as it is loaded (sqlite.org/security.html).
  static Result<std::unique_ptr<Database>> Open(const Context& ctx, const std::string& path,
                                                const OpenOptions& options, FaultOfError fault_of);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Adds the database in another file under `name`, in the mode of this one. `path` as in Open.
  /// SQLite takes ten at most.
  Status Attach(const Context& ctx, const std::string& name, const std::string& path,
                bool immutable);
  /// "main" and the names that were attached, in their order.
  const std::vector<std::string>& schemas() const { return schemas_; }

  /// Runs one or more statements, dropping their rows.
  Status Execute(const Context& ctx, std::string_view sql);
  /// Exactly one statement; what follows it may only be white space and comments.
  Result<Statement> Prepare(const Context& ctx, std::string_view sql);

  /// Reads every page (`full`) or the structure only. kCorrupt with the first complaint.
  Status CheckIntegrity(const Context& ctx, bool full);

  /// Rows changed by the last INSERT, UPDATE or DELETE.
  int64_t rows_changed() const;
  bool in_transaction() const;
  const std::string& path() const { return path_; }

 private:
  friend class Statement;
  friend class FileProbe;
  /// Makes `ctx` the one that the callbacks of SQLite obey while one call runs.
  class Entered {
   public:
    Entered(Database& database, const Context& ctx)
        : database_(database), outer_(std::exchange(database.context_, &ctx)), sleeps_(ctx) {}
    ~Entered() { database_.context_ = outer_; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    Database& database_;
    const Context* outer_;
    SleepScope sleeps_;
  };
  Database(std::string path, FaultOfError fault_of, const OpenOptions& options);

  Status Configure(const Context& ctx, const OpenOptions& options);
  Status Harden(const Context& ctx);
  /// kHasLog when `schema` has a write-ahead log or a journal that says something.
  Status CheckNoLog(const std::string& schema);
  /// The fault of the last failing call, or why `ctx` ended it.
  Status Failure(int code, const Context& ctx, const std::string& sql);
  static int OnBusy(void* self, int tries);
  static int OnProgress(void* self);

  const std::string path_;
  const FaultOfError fault_of_;
  const OpenMode mode_;
  const std::chrono::milliseconds busy_timeout_;
  sqlite3* connection_ = nullptr;
  std::vector<std::string> schemas_{"main"};
  bool is_utf16_ = false;             ///< the encoding of the file, when it was opened
  const Context* context_ = nullptr;  ///< of the call that runs now; null between calls
  SteadyTime busy_since_{};
};

/// Rolls back unless committed. Not movable: it lives in the scope it names. Dies before its
/// Database.
class Transaction final {
 public:
  enum class Kind : uint8_t {
    kRead,   ///< a snapshot: taken at once of each file (snapshot.h for one moment of several),
             ///< unchanged by other connections' commits
    kWrite,  ///< takes the write lock at once, so that it cannot fail half way for a lock
  };
  static Result<std::unique_ptr<Transaction>> Begin(const Context& ctx, Database& database,
                                                    Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Once. After an error nothing of the transaction is kept.
  Status Commit(const Context& ctx);

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  ///< null once ended
};

/// `name` as an SQL identifier: in double quotes, quotes doubled.
std::string QuoteName(std::string_view name);
/// `text` as an SQL text literal.
std::string QuoteText(std::string_view text);

}  // namespace levada::db::sqlite
