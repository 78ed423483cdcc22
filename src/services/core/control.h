#pragma once
// Control: what the daemon knows of accounts, tokens and resources, and who changed it. It is a
// SQLite file (control.db) and a copy of it in memory: reads never touch the disk, changes are
// durable when they return, and a revocation holds from then on.
//
// A resource is a namespace, a bucket, a database: something that belongs to an account and that a
// store keeps data under by its number, which is never given again.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/fault.h"
#include "base/secret.h"
#include "os/disk_reserve.h"
#include "services/core/access.h"
#include "services/core/master_key.h"

namespace levada::db::sqlite {
class Database;
}

namespace levada::services {

struct Account {
  int64_t row = 0;
  std::string id;  ///< 32 hex digits
  std::string name;
  WallMicros created = 0;
};

struct Token {
  std::string id;  ///< 32 hex digits; also the S3 access key id
  int64_t account = 0;
  std::string name;
  std::vector<Scope> scopes;
  WallMicros created = 0;
  std::optional<WallMicros> expires;
  std::optional<WallMicros> revoked;
};

/// A token at its creation: the only moment its text is known.
struct IssuedToken {
  Token token;
  Secret text;
  Secret s3_secret;  ///< hex SHA-256 of the text, as Cloudflare derives it
};

enum class ResourceKind : uint8_t { kNamespace, kBucket, kDatabase, kQueue, kDataset, kOrigin };
/// "namespace"
std::string_view NameOf(ResourceKind kind);

struct Resource {
  uint64_t number = 0;  ///< never given twice
  int64_t account = 0;
  ResourceKind kind = ResourceKind::kNamespace;
  std::string id;  ///< 32 hex digits; of a database a UUID
  std::string name;
  WallMicros created = 0;
  std::string settings;  ///< JSON of the service's own; "" is none
};

/// Settings of a resource whose data is being made: nobody was told of it, and the next start
/// removes what did not get to its end.
inline constexpr const char* kBegunSettings = R"({"new":true})";

/// What to do about a damaged database, for people.
inline constexpr std::string_view kControlHelp =
    "put control.db back from a backup; `levada fsck` says how the rest of the directory is";

/// What the S3 secret of a token is sealed for (MasterKey::Seal).
std::string S3SecretContext(std::string_view token_id);

/// Who asked for a change, for the audit log.
struct Actor {
  std::string who;      ///< "token <id>" or "cli"
  std::string address;  ///< "" for the command line
};

struct AuditEntry {
  int64_t row = 0;
  WallMicros at = 0;
  std::string who;
  std::string address;
  std::string account;  ///< its id
  std::string action;   ///< "token.create"
  std::string subject;  ///< what it was done to
};

/// Which entries of the audit log: those that fit everything it names.
struct AuditQuery {
  int64_t row = 0;                       ///< this one; 0: any
  int64_t before = 0;                    ///< of lower rows; 0: any
  std::string account = {};              ///< its id; empty: of all
  std::string who = {};                  ///< its beginning; empty: anybody
  std::string address = {};              ///< empty: from anywhere
  std::string action = {};               ///< empty: any
  std::optional<WallMicros> since = {};  ///< at it or later
  std::optional<WallMicros> until = {};  ///< before it
  bool oldest_first = false;
  int64_t skip = 0;
  int64_t count = 100;
};

enum class TokenState : uint8_t { kValid, kUnknown, kExpired, kRevoked };

struct Authentication {
  TokenState state = TokenState::kUnknown;
  Principal principal;  ///< of a valid token
};

/// Thread-safe. Changes wait for the disk; what is not named so answers from memory.
class Control final {
 public:
  /// Makes the file when absent. `reserve` may be null: what finds the disk full lets go of it, and
  /// accounts, tokens and resources are made again (kDiskFull until then) when it is kept. All
  /// outlive it. Errors: kStoreDamaged, also when `master` opens none of the secrets in it;
  /// kNewerLayout, those of the disk.
  static Result<std::unique_ptr<Control>> Open(const std::string& path, MasterKey master,
                                               const Clock& clock, Random& random,
                                               os::DiskReserve* reserve = nullptr);
  ~Control();

  // ---- accounts
  /// kBadValue: there is one of this name. Waits for the disk.
  Result<Account> CreateAccount(const std::string& name, const Actor& actor);
  std::vector<Account> Accounts() const;
  std::optional<Account> FindAccount(std::string_view id) const;

  // ---- tokens
  /// Waits for the disk.
  Result<IssuedToken> CreateToken(const Account& account, const std::string& name,
                                  std::vector<Scope> scopes, std::optional<WallMicros> expires,
                                  const Actor& actor);
  /// nullopt: no such token of that account. Waits for the disk.
  Result<std::optional<Token>> RevokeToken(const Account& account, std::string_view id,
                                           const Actor& actor);
  /// A new token of the same name and scopes; the old one stays valid for `overlap`. nullopt: no
  /// such token, or it is not valid any more. Waits for the disk.
  Result<std::optional<IssuedToken>> RotateToken(const Account& account, std::string_view id,
                                                 std::chrono::microseconds overlap,
                                                 std::optional<WallMicros> expires,
                                                 const Actor& actor);
  std::vector<Token> Tokens(const Account& account) const;
  Authentication Authenticate(const Secret& text) const;
  /// By S3 access key id: who it would be. Nobody has shown to be that one yet.
  Authentication FindS3Token(std::string_view access_key_id) const;
  /// The same with the secret, to verify a signature. The secret of an id never changes.
  struct S3Credential {
    Authentication authentication;
    Secret secret;
  };
  Result<S3Credential> FindS3Credential(std::string_view access_key_id) const;

  // ---- resources
  /// nullopt: the name is taken, by this account, of buckets by any. Waits for the disk.
  Result<std::optional<Resource>> CreateResource(const Account& account, ResourceKind kind,
                                                 const std::string& name,
                                                 const std::string& settings, const Actor& actor);
  /// False: the name is taken. Waits for the disk.
  Result<bool> RenameResource(const Resource& resource, const std::string& name,
                              const Actor& actor);
  /// Replaces its settings. `what` is for the audit log: "cors". Waits for the disk.
  Status ChangeSettings(const Resource& resource, const std::string& settings,
                        std::string_view what, const Actor& actor);
  /// Its number is free of an owner then, and the store drops what it has under it. Waits for the
  /// disk.
  Status DeleteResource(const Resource& resource, const Actor& actor);
  std::optional<Resource> FindResource(int64_t account, ResourceKind kind,
                                       std::string_view id) const;
  /// Of a bucket the account may be 0: any.
  std::optional<Resource> FindResourceByName(int64_t account, ResourceKind kind,
                                             std::string_view name) const;
  std::optional<Resource> FindResourceByNumber(uint64_t number) const;
  /// By number: of one account, or of all with 0.
  std::vector<Resource> Resources(int64_t account, ResourceKind kind) const;

  /// Of all accounts, for metrics. Looks at every token and resource.
  struct Counts {
    size_t accounts = 0;
    size_t tokens = 0;                              ///< valid ones
    std::map<ResourceKind, size_t> resources = {};  ///< a number for each kind there is
  };
  Counts counts() const;

  // ---- copies
  /// A whole copy of the database as a file at `path`, which must not exist, not synced; and what
  /// resources it knows. Waits for the disk.
  Result<std::vector<Resource>> CopyTo(const std::string& path) const;

  // ---- audit
  /// In the order of their rows. Waits for the disk, and reads over what does not fit.
  Result<std::vector<AuditEntry>> Audit(const AuditQuery& query) const;

 private:
  struct Stored;  // a token with what it is verified by
  Control(MasterKey master, const Clock& clock, Random& random, os::DiskReserve* reserve);
  /// kDiskFull while it is. Before anything that makes something; what changes or ends something
  /// is let through, for it may make room.
  Status CheckRoom() const;
  Status Load();
  /// With another key no token would be found, and new ones would be of two keys.
  Status CheckMasterKey() const;
  Status Note(const Actor& actor, std::string_view account, std::string_view action,
              std::string_view subject);
  /// Runs `sql` with a resource's number (?1) and a value (?2), and notes it in the audit log.
  /// Holding change_mutex_.
  Status ChangeRow(const char* sql, const Resource& resource,
                   const std::optional<std::string>& value, std::string_view action,
                   const std::string& subject, const Actor& actor);
  struct Inserted;
  Result<Inserted> InsertToken(const Account& account, const std::string& name,
                               std::vector<Scope> scopes, std::optional<WallMicros> expires);
  /// What was committed becomes true for everybody.
  void Remember(std::shared_ptr<const Stored> stored);
  TokenState StateOf(const Token& token) const;
  Authentication AuthenticationOf(const Token& token) const;

  const MasterKey master_;
  const Clock& clock_;
  Random& random_;
  os::DiskReserve* const reserve_;
  mutable std::mutex change_mutex_;  // one change at a time; guards database_
  std::unique_ptr<db::sqlite::Database> database_;
  Context context_;
  mutable std::shared_mutex memory_mutex_;  // guards what follows
  std::map<int64_t, Account> accounts_;
  std::unordered_map<std::string, std::shared_ptr<const Stored>> by_lookup_;
  std::map<std::string, std::shared_ptr<const Stored>, std::less<>> by_token_id_;
  std::map<uint64_t, Resource> resources_;
  std::map<std::pair<ResourceKind, std::string>, uint64_t> by_resource_id_;
  std::map<std::tuple<ResourceKind, int64_t, std::string>, uint64_t> by_resource_name_;
};

}  // namespace levada::services
