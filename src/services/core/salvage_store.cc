#include "services/core/salvage_store.h"

#include <memory>
#include <utility>

#include "db/rocksdb/salvage.h"
#include "os/exchange.h"

namespace levada::services {
namespace {

using db::rocks::LostKeys;
using db::rocks::Salvaged;
using db::rocks::Store;
using db::rocks::StoreOptions;

/// The first name "PATH.damaged-1", "PATH.damaged-2" that nothing has.
Result<std::string> FreeName(os::Disk& disk, const std::string& path) {
  for (int number = 1;; ++number) {
    std::string name = path + ".damaged-" + std::to_string(number);
    ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(name));
    if (!there) return name;
  }
}

std::string StretchOf(const DamagedStore& damaged, const LostKeys& lost) {
  const std::string& family = damaged.families[lost.family].name;
  if (lost.after == lost.before && !lost.after.empty()) {
    return damaged.where(lost.family, lost.after);
  }
  const std::string from =
      lost.after.empty() ? "the beginning" : damaged.where(lost.family, lost.after);
  const std::string to = lost.before.empty() ? "the end" : damaged.where(lost.family, lost.before);
  return family + ": behind " + from + ", before " + to;
}

void Tell(const DamagedStore& damaged, const Salvaged& salvaged, Findings& findings) {
  for (const LostKeys& lost : salvaged.keys) {
    findings.AddDamage("keys_lost", StretchOf(damaged, lost), lost.why);
  }
  for (const std::string& what : salvaged.left_out) {
    findings.AddDamage("records_lost", "keys that nobody knows", what);
  }
  if (salvaged.is_rebuilt) {
    findings.AddDamage("list_of_tables_lost", damaged.path,
                       "made anew from the tables: what was deleted or written over may be back");
  }
}

}  // namespace

Result<std::string> SalvageStore(const Context& ctx, os::Disk& disk, const DamagedStore& damaged,
                                 Findings& findings) {
  StoreOptions options;
  options.path = damaged.path + ".salvaged";
  options.families = damaged.families;
  ARROW_ASSIGN_OR_RAISE(const Salvaged salvaged,
                        db::rocks::Salvage(ctx, damaged.path, options, damaged.path + ".salvage"));
  if (damaged.complete) {
    ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<Store> fresh, Store::Open(options));
    ARROW_RETURN_NOT_OK(damaged.complete(*fresh));
  }
  // It gets the name that the damaged one will have before they trade: killed between the two,
  // nothing is taken for what it is not.
  ARROW_ASSIGN_OR_RAISE(std::string kept, FreeName(disk, damaged.path));
  ARROW_RETURN_NOT_OK(disk.Rename(options.path, kept));
  ARROW_RETURN_NOT_OK(os::Exchange(damaged.path, kept));
  Tell(damaged, salvaged, findings);
  return kept;
}

}  // namespace levada::services
