#pragma once
// The schemas of Parquet files: of one file, of a dataset, and of what a pipeline would write.

#include <string>
#include <vector>

#include "app/pipeline_file.h"
#include "formats/parquet/schema_tree.h"

namespace levada::app {

/// One schema of a dataset.
struct FoundSchema {
  std::string path;  ///< of the first file that has it, as a person would write it
  parquet_format::SchemaTree tree;
  int64_t files = 0;  ///< that have it
};

/// Of a file, or of all files of a dataset that a reader sees: each schema once, in the order of
/// the files. kTargetFileMissing where there is no file; kImpossiblePlan for more than 100,000
/// files.
Result<std::vector<FoundSchema>> FindSchemas(Session& session, const std::string& path);

/// What one loader of a pipeline would write.
struct PlannedSchema {
  std::string profile;  ///< "spark-3"
  parquet_format::SchemaTree tree;
};
/// Connects. kImpossiblePlan where no loader writes Parquet files.
Result<PlannedSchema> PlanSchema(Session& session, const Pipeline& pipeline);

}  // namespace levada::app
