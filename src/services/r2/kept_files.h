#pragma once
// Files of objects that an index knows nothing of since it is not the one they were written with:
// it was lost, or a part of it. They may be all there is of an object, so they stay; `levada fsck`
// names them.

#include "db/rocksdb/store.h"
#include "services/r2/blob_directory.h"

namespace levada::services::r2 {

/// Registers every file in `index`, so that no start removes it as one of an unfinished upload.
/// Blocks. Not while a daemon has it.
Status KeepFiles(const BlobDirectory& blobs, db::rocks::Store& index);

}  // namespace levada::services::r2
