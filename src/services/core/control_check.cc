#include "services/core/control_check.h"

#include <utility>

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
                        database->Prepare(ctx, "select kind, number, id, name from resources"));
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

}  // namespace levada::services
