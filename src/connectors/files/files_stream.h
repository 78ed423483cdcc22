#pragma once
// The reader of one attempt: the files of a partition one after the other, each the one that it was
// at Split.

#include <arrow/filesystem/type_fwd.h>

#include <memory>

#include "connectors/files/bounds.h"
#include "connectors/files/table.h"
#include "connectors/files/window_filter.h"
#include "elt/stages.h"

namespace levada::files {

struct OpenPartition {
  std::shared_ptr<const ConsumerOptions> options;
  std::shared_ptr<arrow::fs::FileSystem> system;
  PartitionBounds bounds;
  Table table;
  WindowFilter window;
  elt::BatchLimits limits;
};

/// Its streams outlive it.
std::unique_ptr<elt::PartitionReader> MakeReader(OpenPartition open);

}  // namespace levada::files
