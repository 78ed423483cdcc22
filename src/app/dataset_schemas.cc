#include "app/dataset_schemas.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/describe.h"
#include "connectors/parquet/dataset_rows.h"
#include "connectors/parquet/lake_layout.h"
#include "formats/parquet/schema_tree_reader.h"
#include "places/local_place.h"

namespace levada::app {
namespace {

constexpr size_t kFilesMax = 100'000;  // some milliseconds for each footer

Status Add(Session& session, places::Place& place, const std::string& path,
           std::vector<FoundSchema>& found) {
  Context& context = session.context();
  const std::string location = place.Location(path);
  auto file = place.Open(context, path);
  if (!file.ok()) return file.status();
  auto tree = parquet_format::ReadSchemaTree(std::move(*file), context.pool);
  if (!tree.ok()) return WithDetail(tree.status(), "path", location);
  const auto known = std::ranges::find(found, *tree, &FoundSchema::tree);
  if (known != found.end()) {
    ++known->files;
  } else {
    found.push_back({location, std::move(*tree), 1});
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<FoundSchema>> FindSchemas(Session& session, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string local, places::LocalPathOf(path));
  std::vector<FoundSchema> found;
  const size_t slash = local.rfind('/');
  const bool is_file = local.ends_with(".parquet");
  const std::string root = !is_file                     ? local
                           : slash == std::string::npos ? "."
                                                        : local.substr(0, slash + 1);
  const auto place = places::MakeLocalPlace(session.disk(), root);
  if (is_file) {
    const std::string name = slash == std::string::npos ? local : local.substr(slash + 1);
    ARROW_ASSIGN_OR_RAISE(const auto size, place->Size(session.context(), name));
    if (size) {
      ARROW_RETURN_NOT_OK(Add(session, *place, name, found));
      return found;
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> files,
                          parquet::FilesOfDataset(session.context(), *place));
    if (files.size() > kFilesMax) {
      return Fault(FaultCode::kImpossiblePlan,
                   fmt::format("\"{}\" has {} files, more than {}", path, files.size(), kFilesMax))
          .Help("name one of the files");
    }
    for (const std::string& file : files) {
      ARROW_RETURN_NOT_OK(session.context().Check());
      ARROW_RETURN_NOT_OK(Add(session, *place, file, found));
    }
  }
  if (!found.empty()) return found;
  return Fault(FaultCode::kTargetFileMissing,
               is_file ? fmt::format("there is no file \"{}\"", path)
                       : fmt::format("there is no Parquet file below \"{}\"", path))
      .With("path", path);
}

Result<PlannedSchema> PlanSchema(Session& session, const Pipeline& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const elt::Prepared prepared, DescribePipeline(session, pipeline));
  for (const elt::BoundTarget& target : prepared.targets) {
    const auto layout = parquet::LakeLayout::FromJson(target.frozen);
    if (!layout.ok()) continue;  // a loader of something else
    arrow::FieldVector fields;
    for (const auto& field : target.schema->fields()) {
      if (std::ranges::find(layout->partition_by, field->name()) == layout->partition_by.end()) {
        fields.push_back(field);
      }
    }
    PlannedSchema planned;
    planned.profile = parquet_format::NameOf(layout->encode.profile);
    ARROW_ASSIGN_OR_RAISE(
        planned.tree, parquet_format::SchemaTreeOf(arrow::Schema(fields), layout->encode.profile));
    return planned;
  }
  return Fault(FaultCode::kImpossiblePlan,
               fmt::format("pipeline \"{}\" writes no Parquet files", pipeline.plan.name));
}

}  // namespace levada::app
