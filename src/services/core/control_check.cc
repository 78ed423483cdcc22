#include "services/core/control_check.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "db/sqlite/database.h"

namespace levada::services {
namespace {

using db::sqlite::Database;
using db::sqlite::Statement;

Fault FaultOfCheck(const db::sqlite::Error& error) {
  return db::sqlite::FaultFrom(FaultCode::kStoreDamaged, "the control database", error);
}

Result<uint64_t> CountOf(const Context& ctx, Database& database, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(Statement count, database.Prepare(ctx, "select count(*) from " + table));
  ARROW_RETURN_NOT_OK(count.Step(ctx).status());
  return static_cast<uint64_t>(count.Int64(0));
}

Status ReadAll(const Context& ctx, const std::string& path, ControlChecked& checked) {
  ARROW_ASSIGN_OR_RAISE(const auto database, Database::Open(ctx, path, {}, FaultOfCheck));
  ARROW_RETURN_NOT_OK(database->CheckIntegrity(ctx, true));
  ARROW_ASSIGN_OR_RAISE(checked.accounts, CountOf(ctx, *database, "accounts"));
  ARROW_ASSIGN_OR_RAISE(checked.tokens, CountOf(ctx, *database, "tokens"));
  ARROW_ASSIGN_OR_RAISE(checked.audit_entries, CountOf(ctx, *database, "audit"));
  ARROW_ASSIGN_OR_RAISE(Statement resources,
                        database->Prepare(ctx,
                                          "select kind, number, id, name from resources "
                                          "where settings <> ?1"));
  resources.Bind(1, kBegunSettings);
  std::map<ResourceKind, std::map<uint64_t, std::string>> known;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, resources.Step(ctx));
    if (!row) break;
    const auto kind = static_cast<ResourceKind>(resources.Int64(0));
    known[kind][static_cast<uint64_t>(resources.Int64(1))] =
        resources.Text(kind == ResourceKind::kNamespace ? 2 : 3);
  }
  checked.resources = std::move(known);
  return Status::OK();
}

/// Of a token each: its id, and a secret that the master key has sealed.
Result<std::vector<std::pair<std::string, std::string>>> SealedSecrets(const Context& ctx,
                                                                       const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto database, Database::Open(ctx, path, {}, FaultOfCheck));
  ARROW_ASSIGN_OR_RAISE(Statement tokens,
                        database->Prepare(ctx, "select id, s3_secret from tokens"));
  std::vector<std::pair<std::string, std::string>> secrets;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool row, tokens.Step(ctx));
    if (!row) return secrets;
    secrets.emplace_back(tokens.Text(0), tokens.Text(1));
  }
}

}  // namespace

KnownResources ControlChecked::Known(ResourceKind kind) const {
  if (!resources) return std::nullopt;
  const auto at = resources->find(kind);
  return at == resources->end() ? std::map<uint64_t, std::string>() : at->second;
}

Result<ControlChecked> CheckControl(const Context& ctx, const std::string& path,
                                    Findings& findings) {
  findings.Begin("control");
  ControlChecked checked;
  const Status read = ReadAll(ctx, path, checked);
  if (CodeOf(read) == FaultCode::kStopped) return read;
  if (!read.ok()) findings.AddDamage("store_damaged", path, FaultOf(read).message());
  return checked;
}

Status CheckMasterKey(const Context& ctx, os::Disk& disk, const std::string& path,
                      const std::string& key_path, Findings& findings) {
  const Result<std::optional<MasterKey>> master = MasterKey::Load(disk, key_path);
  if (!master.ok()) {
    findings.AddDamage("master_key_unusable", key_path, FaultOf(master.status()).message());
    return Status::OK();
  }
  if (!*master) {
    findings.AddDamage("master_key_missing", key_path,
                       "nothing starts without it: name it with --master-key, or put it back from "
                       "a backup");
    return Status::OK();
  }
  const auto secrets = SealedSecrets(ctx, path);
  if (CodeOf(secrets.status()) == FaultCode::kStopped) return secrets.status();
  // What else is wrong with the database is said already.
  if (!secrets.ok() || secrets->empty()) return Status::OK();
  const bool fits = std::ranges::any_of(*secrets, [&master](const auto& secret) {
    return (*master)->Open(secret.second, S3SecretContext(secret.first)).ok();
  });
  if (!fits) {
    findings.AddDamage("master_key_wrong", key_path,
                       "it opens none of the secrets of this directory: name the right one with "
                       "--master-key, or put it back from a backup");
  }
  return Status::OK();
}

}  // namespace levada::services
