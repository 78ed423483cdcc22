#include "services/r2/r2_salvage.h"

#include "services/core/salvage_store.h"
#include "services/r2/blob_directory.h"
#include "services/r2/kept_files.h"
#include "services/r2/object_index.h"
#include "services/r2/r2_check.h"

namespace levada::services::r2 {
namespace {

using db::rocks::FamilyIndex;
using db::rocks::Store;

}  // namespace

Result<std::string> SalvageR2(const Context& ctx, os::Disk& disk, const std::string& directory,
                              const KnownResources& buckets, Findings& findings) {
  findings.Begin("r2");
  ARROW_ASSIGN_OR_RAISE(const auto blobs,
                        BlobDirectory::Open(disk, os::JoinPath(directory, "blobs")));
  const auto where = [&buckets](FamilyIndex family, std::string_view key) {
    return WhereOf(buckets, static_cast<Family>(family), key);
  };
  const auto keep_files = [&](Store& fresh) { return KeepFiles(*blobs, fresh); };
  return SalvageStore(
      ctx, disk, {os::JoinPath(directory, "index"), IndexFamilies(), where, keep_files}, findings);
}

}  // namespace levada::services::r2
