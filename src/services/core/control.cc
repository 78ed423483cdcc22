#include "services/core/control.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <functional>
#include <utility>

#include "base/binary_text.h"
#include "base/log.h"
#include "db/sqlite/database.h"
#include "services/core/scram.h"

namespace levada::services {
namespace {

using db::sqlite::Database;
using db::sqlite::ErrorKind;
using db::sqlite::Statement;
using db::sqlite::Transaction;

constexpr int64_t kLayoutVersion = 1;

// `autoincrement`: a number whose row is gone is not given again, and what a store still has under
// it can never become another owner's.
constexpr std::string_view kLayout = R"sql(
create table accounts (
  row integer primary key autoincrement, id text not null unique, name text not null,
  created integer not null
);
create table tokens (
  id text primary key, account integer not null references accounts(row), name text not null,
  lookup text not null unique, scram text not null, s3_secret text not null, scopes text not null,
  created integer not null, expires integer, revoked integer
) without rowid;
create table resources (
  number integer primary key autoincrement, account integer not null references accounts(row),
  kind integer not null, id text not null unique, name text not null, created integer not null,
  settings text not null
);
create unique index resources_by_name on resources(account, kind, name);
create unique index buckets_by_name on resources(name) where kind = 1;
create table audit (
  row integer primary key autoincrement, at integer not null, who text not null,
  address text not null, account text not null, action text not null, subject text not null
);
pragma user_version = 1;
)sql";

constexpr std::array<std::string_view, 6> kKindNames = {"namespace", "bucket",  "database",
                                                        "queue",     "dataset", "origin"};

Fault DiskIsFull(Fault fault) {
  return std::move(fault).Help(
      "make room on the disk of the data directory; what reads, deletes and revokes works "
      "meanwhile, and the daemon goes on by itself");
}

Fault FaultOfControl(const db::sqlite::Error& error) {
  FaultCode code = FaultCode::kTargetIo;
  const bool has_no_room = error.kind == ErrorKind::kFull || error.system_errno == ENOSPC ||
                           error.system_errno == EDQUOT;
  if (has_no_room) {
    return DiskIsFull(db::sqlite::FaultFrom(FaultCode::kDiskFull, "the control database", error));
  }
  if (error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kNotADatabase) {
    code = FaultCode::kStoreDamaged;
  } else if (error.kind == ErrorKind::kReadOnly || error.kind == ErrorKind::kPermission ||
             error.kind == ErrorKind::kCannotOpen) {
    code = FaultCode::kTargetUnwritable;
  }
  Fault fault = db::sqlite::FaultFrom(code, "the control database", error);
  if (code == FaultCode::kStoreDamaged) fault.Help(std::string(kControlHelp));
  return fault;
}

std::string Sha256Hex(std::string_view text) {
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return HexOf({reinterpret_cast<const char*>(digest.data()), size});
}

/// Bucket names are one space for the whole daemon, for they stand in host names.
int64_t NameOwner(ResourceKind kind, int64_t account) {
  return kind == ResourceKind::kBucket ? 0 : account;
}

std::vector<Scope> ScopesOf(std::string_view text) {
  std::vector<Scope> scopes;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (std::optional<Scope> scope = ParseScope(text.substr(0, comma))) {
      scopes.push_back(*std::move(scope));
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return scopes;
}

void BindOptional(Statement& statement, int parameter, const std::optional<WallMicros>& value) {
  if (value) {
    statement.Bind(parameter, *value);
  } else {
    statement.BindNull(parameter);
  }
}

std::optional<WallMicros> OptionalAt(const Statement& statement, int column) {
  if (statement.IsNull(column)) return std::nullopt;
  return statement.Int64(column);
}

}  // namespace

std::string S3SecretContext(std::string_view token_id) {
  return "token:" + std::string(token_id) + ":s3";
}

std::string_view NameOf(ResourceKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

struct Control::Stored {
  Token token;
  std::string lookup;
  std::string s3_secret;  ///< sealed
};

struct Control::Inserted {
  IssuedToken issued;
  std::shared_ptr<const Stored> stored;
};

Control::Control(MasterKey master, const Clock& clock, Random& random, os::DiskReserve* reserve)
    : master_(std::move(master)), clock_(clock), random_(random), reserve_(reserve) {
  context_.clock = &clock_;
}
Control::~Control() = default;

Result<std::unique_ptr<Control>> Control::Open(const std::string& path, MasterKey master,
                                               const Clock& clock, Random& random,
                                               os::DiskReserve* reserve) {
  std::unique_ptr<Control> control(new Control(std::move(master), clock, random, reserve));
  Context& ctx = control->context_;
  db::sqlite::OpenOptions options;
  options.mode = db::sqlite::OpenMode::kCreate;
  options.journal = db::sqlite::Journal::kDurableWal;
  ARROW_ASSIGN_OR_RAISE(
      control->database_,
      Database::Open(ctx, path, options, [reserve](const db::sqlite::Error& error) {
        Fault fault = FaultOfControl(error);
        if (reserve != nullptr) reserve->ReleaseIfFull(fault);
        return fault;
      }));
  Database& database = *control->database_;
  ARROW_RETURN_NOT_OK(database.CheckIntegrity(ctx, false));
  ARROW_ASSIGN_OR_RAISE(Statement version, database.Prepare(ctx, "pragma user_version"));
  ARROW_RETURN_NOT_OK(version.Step(ctx).status());
  const int64_t found = version.Int64(0);
  version.Reset();
  if (found == 0) {
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          Transaction::Begin(ctx, database, Transaction::Kind::kWrite));
    ARROW_RETURN_NOT_OK(database.Execute(ctx, kLayout));
    ARROW_RETURN_NOT_OK(transaction->Commit(ctx));
  } else if (found != kLayoutVersion) {
    return Fault(FaultCode::kNewerLayout, "the control database \"" + path + "\" has layout " +
                                              std::to_string(found) + ", this levada knows " +
                                              std::to_string(kLayoutVersion))
        .Help("use the levada that wrote it, or a newer one");
  }
  ARROW_RETURN_NOT_OK(control->Load());
  ARROW_RETURN_NOT_OK(control->CheckMasterKey());
  return control;
}

Status Control::CheckRoom() const {
  if (reserve_ == nullptr || !reserve_->is_full()) return Status::OK();
  return DiskIsFull(Fault(FaultCode::kDiskFull, "the control database: the disk is full"));
}

Status Control::CheckMasterKey() const {
  Status refusal;
  for (const auto& [id, stored] : by_token_id_) {
    const Status opened = master_.Open(stored->s3_secret, S3SecretContext(id)).status();
    if (opened.ok()) return opened;
    if (refusal.ok()) refusal = opened;
  }
  return refusal;
}

Status Control::Load() {
  ARROW_ASSIGN_OR_RAISE(
      Statement accounts,
      database_->Prepare(context_, "select row, id, name, created from accounts"));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, accounts.Step(context_));
    if (!row) break;
    Account account{accounts.Int64(0), accounts.Text(1), accounts.Text(2), accounts.Int64(3)};
    accounts_[account.row] = std::move(account);
  }
  ARROW_ASSIGN_OR_RAISE(
      Statement tokens,
      database_->Prepare(context_,
                         "select id, account, name, lookup, s3_secret, scopes, created, "
                         "expires, revoked from tokens"));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, tokens.Step(context_));
    if (!row) break;
    auto stored = std::make_shared<Stored>();
    stored->token = {tokens.Text(0),           tokens.Int64(1), tokens.Text(2),
                     ScopesOf(tokens.Text(5)), tokens.Int64(6), OptionalAt(tokens, 7),
                     OptionalAt(tokens, 8)};
    stored->lookup = tokens.Text(3);
    stored->s3_secret = tokens.Text(4);
    by_lookup_[stored->lookup] = stored;
    by_token_id_[stored->token.id] = stored;
  }
  ARROW_ASSIGN_OR_RAISE(
      Statement resources,
      database_->Prepare(
          context_, "select number, account, kind, id, name, created, settings from resources"));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, resources.Step(context_));
    if (!row) break;
    Resource resource{static_cast<uint64_t>(resources.Int64(0)),
                      resources.Int64(1),
                      static_cast<ResourceKind>(resources.Int64(2)),
                      resources.Text(3),
                      resources.Text(4),
                      resources.Int64(5),
                      resources.Text(6)};
    by_resource_id_[{resource.kind, resource.id}] = resource.number;
    by_resource_name_[{resource.kind, NameOwner(resource.kind, resource.account), resource.name}] =
        resource.number;
    resources_[resource.number] = std::move(resource);
  }
  return Status::OK();
}

Status Control::Note(const Actor& actor, std::string_view account, std::string_view action,
                     std::string_view subject) {
  ARROW_ASSIGN_OR_RAISE(Statement insert,
                        database_->Prepare(context_,
                                           "insert into audit(at, who, address, account, "
                                           "action, subject) values (?,?,?,?,?,?)"));
  insert.Bind(1, clock_.Now()).Bind(2, actor.who).Bind(3, actor.address);
  insert.Bind(4, account).Bind(5, action).Bind(6, subject);
  return insert.Run(context_);
}

Control::Counts Control::counts() const {
  const std::shared_lock memory(memory_mutex_);
  Counts counts;
  counts.accounts = accounts_.size();
  for (const auto& [id, stored] : by_token_id_) {
    counts.tokens += StateOf(stored->token) == TokenState::kValid;
  }
  for (size_t kind = 0; kind < kKindNames.size(); ++kind) {
    counts.resources[static_cast<ResourceKind>(kind)] = 0;
  }
  for (const auto& [number, resource] : resources_) ++counts.resources[resource.kind];
  return counts;
}

// ---- accounts

Result<Account> Control::CreateAccount(const std::string& name, const Actor& actor) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  const std::lock_guard change(change_mutex_);
  for (const Account& account : Accounts()) {
    if (account.name != name) continue;
    return Fault(FaultCode::kBadValue, "there is an account \"" + name + "\": " + account.id)
        .Help("take another name; `levada account list` shows those that are there");
  }
  Account account{0, HexOf(RandomBytes(random_, 16)), name, clock_.Now()};
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(
      Statement insert,
      database_->Prepare(context_,
                         "insert into accounts(id, name, created) values (?,?,?) returning row"));
  insert.Bind(1, account.id).Bind(2, account.name).Bind(3, account.created);
  ARROW_RETURN_NOT_OK(insert.Step(context_).status());
  account.row = insert.Int64(0);
  insert.Reset();
  ARROW_RETURN_NOT_OK(Note(actor, account.id, "account.create", name));
  ARROW_RETURN_NOT_OK(transaction->Commit(context_));
  const std::unique_lock memory(memory_mutex_);
  accounts_[account.row] = account;
  return account;
}

std::vector<Account> Control::Accounts() const {
  const std::shared_lock memory(memory_mutex_);
  std::vector<Account> accounts;
  for (const auto& [row, account] : accounts_) accounts.push_back(account);
  return accounts;
}

std::optional<Account> Control::FindAccount(std::string_view id) const {
  const std::shared_lock memory(memory_mutex_);
  for (const auto& [row, account] : accounts_) {
    if (account.id == id) return account;
  }
  return std::nullopt;
}

// ---- tokens

Result<Control::Inserted> Control::InsertToken(const Account& account, const std::string& name,
                                               std::vector<Scope> scopes,
                                               std::optional<WallMicros> expires) {
  const std::string id = HexOf(RandomBytes(random_, 16));
  const Secret text("levada_" + Base64UrlOf(RandomBytes(random_, 32)));
  const Secret s3_secret(Sha256Hex(text.Reveal()));
  ARROW_ASSIGN_OR_RAISE(const std::string sealed,
                        master_.Seal(s3_secret, S3SecretContext(id), random_));
  auto stored = std::make_shared<Stored>();
  stored->token = {id, account.row, name, std::move(scopes), clock_.Now(), expires, std::nullopt};
  stored->lookup = master_.LookupOf(text);
  stored->s3_secret = sealed;
  ARROW_ASSIGN_OR_RAISE(Statement insert,
                        database_->Prepare(context_,
                                           "insert into tokens(id, account, name, lookup, scram, "
                                           "s3_secret, scopes, created, expires) "
                                           "values (?,?,?,?,?,?,?,?,?)"));
  insert.Bind(1, id).Bind(2, account.row).Bind(3, name).Bind(4, stored->lookup);
  insert.Bind(5, ScramVerifier(text, RandomBytes(random_, 16))).Bind(6, sealed);
  insert.Bind(7, TextOf(stored->token.scopes)).Bind(8, stored->token.created);
  BindOptional(insert, 9, expires);
  ARROW_RETURN_NOT_OK(insert.Run(context_));
  return Inserted{{stored->token, text, s3_secret}, stored};
}

void Control::Remember(std::shared_ptr<const Stored> stored) {
  const std::unique_lock memory(memory_mutex_);
  by_lookup_[stored->lookup] = stored;
  by_token_id_[stored->token.id] = stored;
}

Result<IssuedToken> Control::CreateToken(const Account& account, const std::string& name,
                                         std::vector<Scope> scopes,
                                         std::optional<WallMicros> expires, const Actor& actor) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  const std::lock_guard change(change_mutex_);
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(Inserted inserted, InsertToken(account, name, std::move(scopes), expires));
  const Token& token = inserted.issued.token;
  ARROW_RETURN_NOT_OK(
      Note(actor, account.id, "token.create", token.id + " " + TextOf(token.scopes)));
  ARROW_RETURN_NOT_OK(transaction->Commit(context_));
  Remember(inserted.stored);
  return std::move(inserted.issued);
}

Result<std::optional<Token>> Control::RevokeToken(const Account& account, std::string_view id,
                                                  const Actor& actor) {
  const std::lock_guard change(change_mutex_);
  std::shared_ptr<const Stored> found;
  {
    const std::shared_lock memory(memory_mutex_);
    const auto at = by_token_id_.find(id);
    if (at == by_token_id_.end() || at->second->token.account != account.row) {
      return std::optional<Token>();
    }
    found = at->second;
  }
  if (found->token.revoked) return std::optional<Token>(found->token);
  auto stored = std::make_shared<Stored>(*found);
  stored->token.revoked = clock_.Now();
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(Statement update,
                        database_->Prepare(context_, "update tokens set revoked = ? where id = ?"));
  update.Bind(1, *stored->token.revoked).Bind(2, id);
  ARROW_RETURN_NOT_OK(update.Run(context_));
  ARROW_RETURN_NOT_OK(Note(actor, account.id, "token.revoke", id));
  ARROW_RETURN_NOT_OK(transaction->Commit(context_));
  Remember(stored);
  return std::optional<Token>(stored->token);
}

Result<std::optional<IssuedToken>> Control::RotateToken(const Account& account, std::string_view id,
                                                        std::chrono::microseconds overlap,
                                                        std::optional<WallMicros> expires,
                                                        const Actor& actor) {
  const std::lock_guard change(change_mutex_);
  std::shared_ptr<const Stored> found;
  {
    const std::shared_lock memory(memory_mutex_);
    const auto at = by_token_id_.find(id);
    if (at != by_token_id_.end()) found = at->second;
  }
  if (!found || found->token.account != account.row ||
      StateOf(found->token) != TokenState::kValid) {
    return std::optional<IssuedToken>();
  }
  auto old = std::make_shared<Stored>(*found);
  const WallMicros end = clock_.Now() + overlap.count();
  old->token.expires = std::min(old->token.expires.value_or(end), end);
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(Inserted inserted,
                        InsertToken(account, old->token.name, old->token.scopes, expires));
  ARROW_ASSIGN_OR_RAISE(Statement update,
                        database_->Prepare(context_, "update tokens set expires = ? where id = ?"));
  update.Bind(1, *old->token.expires).Bind(2, id);
  ARROW_RETURN_NOT_OK(update.Run(context_));
  ARROW_RETURN_NOT_OK(
      Note(actor, account.id, "token.rotate", std::string(id) + " -> " + inserted.issued.token.id));
  ARROW_RETURN_NOT_OK(transaction->Commit(context_));
  Remember(old);
  Remember(inserted.stored);
  return std::optional<IssuedToken>(std::move(inserted.issued));
}

std::vector<Token> Control::Tokens(const Account& account) const {
  const std::shared_lock memory(memory_mutex_);
  std::vector<Token> tokens;
  for (const auto& [id, stored] : by_token_id_) {
    if (stored->token.account == account.row) tokens.push_back(stored->token);
  }
  return tokens;
}

TokenState Control::StateOf(const Token& token) const {
  if (token.revoked) return TokenState::kRevoked;
  if (token.expires && *token.expires <= clock_.Now()) return TokenState::kExpired;
  return TokenState::kValid;
}

Authentication Control::AuthenticationOf(const Token& token) const {
  Authentication authentication{StateOf(token), {}};
  if (authentication.state != TokenState::kValid) return authentication;
  authentication.principal = {token.account, accounts_.at(token.account).id, token.id,
                              token.scopes};
  return authentication;
}

Authentication Control::Authenticate(const Secret& text) const {
  const std::vector<std::string> lookups = master_.LookupsOf(text);
  const std::shared_lock memory(memory_mutex_);
  for (const std::string& lookup : lookups) {
    const auto at = by_lookup_.find(lookup);
    if (at != by_lookup_.end()) return AuthenticationOf(at->second->token);
  }
  return {};
}

Authentication Control::FindS3Token(std::string_view access_key_id) const {
  const std::shared_lock memory(memory_mutex_);
  const auto at = by_token_id_.find(access_key_id);
  return at == by_token_id_.end() ? Authentication() : AuthenticationOf(at->second->token);
}

Result<Control::S3Credential> Control::FindS3Credential(std::string_view access_key_id) const {
  std::shared_ptr<const Stored> found;
  S3Credential credential;
  {
    const std::shared_lock memory(memory_mutex_);
    const auto at = by_token_id_.find(access_key_id);
    if (at == by_token_id_.end()) return credential;
    found = at->second;
    credential.authentication = AuthenticationOf(found->token);
  }
  ARROW_ASSIGN_OR_RAISE(credential.secret,
                        master_.Open(found->s3_secret, S3SecretContext(found->token.id)));
  return credential;
}

// ---- resources

namespace {

/// 32 hex digits; of a database a UUID of version 4 (RFC 9562), for so its clients write it.
std::string NewResourceId(ResourceKind kind, Random& random) {
  std::string bytes = RandomBytes(random, 16);
  if (kind != ResourceKind::kDatabase) return HexOf(bytes);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3f) | 0x80);
  std::string id = HexOf(bytes);
  for (const size_t dash : {8, 13, 18, 23}) id.insert(dash, 1, '-');
  return id;
}

}  // namespace

Result<std::optional<Resource>> Control::CreateResource(const Account& account, ResourceKind kind,
                                                        const std::string& name,
                                                        const std::string& settings,
                                                        const Actor& actor) {
  ARROW_RETURN_NOT_OK(CheckRoom());
  const std::lock_guard change(change_mutex_);
  const int64_t owner = NameOwner(kind, account.row);
  if (FindResourceByName(owner, kind, name)) return std::optional<Resource>();
  Resource resource{0,    account.row,  kind,    NewResourceId(kind, random_),
                    name, clock_.Now(), settings};
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(
      Statement insert,
      database_->Prepare(context_,
                         "insert into resources(account, kind, id, name, created, "
                         "settings) values (?,?,?,?,?,?) returning number"));
  insert.Bind(1, account.row).Bind(2, static_cast<int64_t>(kind)).Bind(3, resource.id);
  insert.Bind(4, name).Bind(5, resource.created).Bind(6, settings);
  ARROW_RETURN_NOT_OK(insert.Step(context_).status());
  resource.number = static_cast<uint64_t>(insert.Int64(0));
  insert.Reset();
  ARROW_RETURN_NOT_OK(
      Note(actor, account.id, std::string(NameOf(kind)) + ".create", resource.id + " " + name));
  ARROW_RETURN_NOT_OK(transaction->Commit(context_));
  const std::unique_lock memory(memory_mutex_);
  by_resource_id_[{kind, resource.id}] = resource.number;
  by_resource_name_[{kind, owner, name}] = resource.number;
  resources_[resource.number] = resource;
  return std::optional<Resource>(std::move(resource));
}

Status Control::ChangeRow(const char* sql, const Resource& resource,
                          const std::optional<std::string>& value, std::string_view action,
                          const std::string& subject, const Actor& actor) {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(context_, *database_, Transaction::Kind::kWrite));
  ARROW_ASSIGN_OR_RAISE(Statement change, database_->Prepare(context_, sql));
  change.Bind(1, static_cast<int64_t>(resource.number));
  if (value) change.Bind(2, *value);
  ARROW_RETURN_NOT_OK(change.Run(context_));
  ARROW_RETURN_NOT_OK(Note(actor, accounts_.at(resource.account).id,
                           std::string(NameOf(resource.kind)) + "." + std::string(action),
                           resource.id + " " + subject));
  return transaction->Commit(context_);
}

Result<bool> Control::RenameResource(const Resource& resource, const std::string& name,
                                     const Actor& actor) {
  const std::lock_guard change(change_mutex_);
  if (const auto taken = FindResourceByName(resource.account, resource.kind, name)) {
    return taken->number == resource.number;
  }
  ARROW_RETURN_NOT_OK(ChangeRow("update resources set name = ?2 where number = ?1", resource, name,
                                "rename", name, actor));
  const std::unique_lock memory(memory_mutex_);
  const auto at = resources_.find(resource.number);
  if (at == resources_.end()) return true;
  const int64_t owner = NameOwner(resource.kind, resource.account);
  by_resource_name_.erase({resource.kind, owner, at->second.name});
  by_resource_name_[{resource.kind, owner, name}] = resource.number;
  at->second.name = name;
  return true;
}

Status Control::ChangeSettings(const Resource& resource, const std::string& settings,
                               std::string_view what, const Actor& actor) {
  const std::lock_guard change(change_mutex_);
  ARROW_RETURN_NOT_OK(ChangeRow("update resources set settings = ?2 where number = ?1", resource,
                                settings, what, resource.name, actor));
  const std::unique_lock memory(memory_mutex_);
  const auto at = resources_.find(resource.number);
  if (at != resources_.end()) at->second.settings = settings;
  return Status::OK();
}

Status Control::DeleteResource(const Resource& resource, const Actor& actor) {
  const std::lock_guard change(change_mutex_);
  ARROW_RETURN_NOT_OK(ChangeRow("delete from resources where number = ?1", resource, std::nullopt,
                                "delete", resource.name, actor));
  const std::unique_lock memory(memory_mutex_);
  by_resource_id_.erase({resource.kind, resource.id});
  by_resource_name_.erase(
      {resource.kind, NameOwner(resource.kind, resource.account), resource.name});
  resources_.erase(resource.number);
  return Status::OK();
}

std::optional<Resource> Control::FindResource(int64_t account, ResourceKind kind,
                                              std::string_view id) const {
  const std::shared_lock memory(memory_mutex_);
  const auto at = by_resource_id_.find({kind, std::string(id)});
  if (at == by_resource_id_.end()) return std::nullopt;
  const Resource& resource = resources_.at(at->second);
  if (resource.account != account) return std::nullopt;
  return resource;
}

std::optional<Resource> Control::FindResourceByName(int64_t account, ResourceKind kind,
                                                    std::string_view name) const {
  const std::shared_lock memory(memory_mutex_);
  const auto at = by_resource_name_.find({kind, NameOwner(kind, account), std::string(name)});
  if (at == by_resource_name_.end()) return std::nullopt;
  const Resource& resource = resources_.at(at->second);
  if (account != 0 && resource.account != account) return std::nullopt;
  return resource;
}

std::optional<Resource> Control::FindResourceByNumber(uint64_t number) const {
  const std::shared_lock memory(memory_mutex_);
  const auto at = resources_.find(number);
  if (at == resources_.end()) return std::nullopt;
  return at->second;
}

std::vector<Resource> Control::Resources(int64_t account, ResourceKind kind) const {
  const std::shared_lock memory(memory_mutex_);
  std::vector<Resource> found;
  for (const auto& [number, resource] : resources_) {
    if (resource.kind == kind && (account == 0 || resource.account == account)) {
      found.push_back(resource);
    }
  }
  return found;
}

// ---- audit

Result<std::vector<Resource>> Control::CopyTo(const std::string& path) const {
  const std::lock_guard change(change_mutex_);
  ARROW_ASSIGN_OR_RAISE(Statement copy, database_->Prepare(context_, "vacuum into ?"));
  ARROW_RETURN_NOT_OK(copy.Bind(1, path).Run(context_));
  const std::shared_lock memory(memory_mutex_);
  std::vector<Resource> resources;
  for (const auto& [number, resource] : resources_) resources.push_back(resource);
  return resources;
}

Result<std::vector<AuditEntry>> Control::Audit(const AuditQuery& query) const {
  const std::lock_guard change(change_mutex_);
  const std::string sql =
      std::string(
          "select row, at, who, address, account, action, subject from audit "
          "where (?1 = 0 or row = ?1) and (?2 = 0 or row < ?2) and (?3 = '' or account = ?3) "
          "and substr(who, 1, length(?4)) = ?4 and (?5 = '' or address = ?5) "
          "and (?6 = '' or action = ?6) and (?7 is null or at >= ?7) and (?8 is null or at < ?8) "
          "order by row ") +
      (query.oldest_first ? "asc" : "desc") + " limit ?9 offset ?10";
  ARROW_ASSIGN_OR_RAISE(Statement select, database_->Prepare(context_, sql));
  select.Bind(1, query.row).Bind(2, query.before).Bind(3, query.account).Bind(4, query.who);
  select.Bind(5, query.address).Bind(6, query.action);
  BindOptional(select, 7, query.since);
  BindOptional(select, 8, query.until);
  select.Bind(9, query.count).Bind(10, query.skip);
  std::vector<AuditEntry> entries;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, select.Step(context_));
    if (!row) return entries;
    entries.push_back({select.Int64(0), select.Int64(1), select.Text(2), select.Text(3),
                       select.Text(4), select.Text(5), select.Text(6)});
  }
}

}  // namespace levada::services
