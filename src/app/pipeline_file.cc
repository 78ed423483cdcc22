#include "app/pipeline_file.h"

#include <fmt/format.h>

#include "app/ad_hoc.h"
#include "app/version.h"
#include "base/secret.h"
#include "elt/defaults.h"
#include "elt/value.h"

namespace levada::app {
namespace {

/// A file of the same directory whose name is close, as a question; or empty.
std::string SimilarFile(os::Disk& disk, const std::string& path) {
  const Result<std::vector<os::DirectoryEntry>> entries = disk.List(os::ParentPath(path));
  if (!entries.ok()) return {};
  std::vector<std::string> names;
  for (const os::DirectoryEntry& entry : *entries) {
    if (!entry.is_directory) names.push_back(entry.name);
  }
  const std::string nearest = NearestName(std::string(os::BaseName(path)), names);
  if (nearest.empty()) return {};
  const bool bare = path.find('/') == std::string::npos;
  return fmt::format("is it \"{}\"?", bare ? nearest : os::JoinPath(os::ParentPath(path), nearest));
}

}  // namespace

Result<std::string> ReadYamlFile(os::Disk& disk, const std::string& path) {
  Result<std::optional<os::DirectoryEntry>> found = disk.Stat(path);
  if (!found.ok()) {
    return Fault(FaultCode::kFileUnreadable, fmt::format("cannot read \"{}\"", path))
        .Because(found.status());
  }
  if (!found->has_value()) {
    Fault fault(FaultCode::kFileUnreadable, fmt::format("there is no file \"{}\"", path));
    const std::string similar = SimilarFile(disk, path);
    if (!similar.empty()) fault.Help(similar);
    return fault;
  }
  if ((*found)->is_directory) {
    return Fault(FaultCode::kFileUnreadable, fmt::format("\"{}\" is a directory", path))
        .Help(fmt::format("name the files: {}", os::JoinPath(path, "*.yaml")));
  }
  if ((*found)->size_bytes > static_cast<int64_t>(elt::kPlanBytesMax)) {
    return Fault(FaultCode::kPlanTooLarge,
                 fmt::format("\"{}\" has {} bytes, at most {} are read", path, (*found)->size_bytes,
                             elt::kPlanBytesMax))
        .Help("is this a pipeline file?");
  }
  Result<std::optional<std::string>> text = os::ReadFile(disk, path, elt::kPlanBytesMax);
  if (!text.ok() || !text->has_value()) {
    Fault fault(FaultCode::kFileUnreadable, fmt::format("cannot read \"{}\"", path));
    if (!text.ok()) fault.Because(text.status());
    return fault;
  }
  return std::move(**text);
}

namespace {

/// What `defaults:` of `file` names: beside it. Each file is read once.
Result<std::shared_ptr<const elt::Defaults>> OpenDefaults(Session& session, const std::string& file,
                                                          const std::string& written) {
  const std::string path =
      written.starts_with('/') ? written : os::JoinPath(os::ParentPath(file), written);
  auto& opened = session.defaults();
  const auto known = opened.find(path);
  if (known != opened.end()) return known->second;
  auto source = std::make_shared<SourceText>();
  source->name = path;
  ARROW_ASSIGN_OR_RAISE(source->text, ReadYamlFile(session.disk(), path));
  ARROW_ASSIGN_OR_RAISE(auto defaults, elt::ParseDefaults(source, session.catalog()));
  opened.emplace(path, defaults);
  return defaults;
}

Result<Pipeline> MakePipeline(Session& session, std::shared_ptr<const SourceText> source,
                              std::string file, const elt::FoundTable* table = nullptr) {
  Pipeline pipeline;
  pipeline.file = std::move(file);
  pipeline.text = source;
  elt::PlanParts parts;
  parts.table = table;
  parts.open_defaults = [&](const std::string& path) {
    return OpenDefaults(session, pipeline.file, path);
  };
  ARROW_ASSIGN_OR_RAISE(pipeline.plan,
                        elt::ParsePlan(source, session.catalog(), session.environment(), parts));
  ARROW_ASSIGN_OR_RAISE(pipeline.stages,
                        elt::MakeStages(pipeline.plan, session.catalog(), session.stage_input()));
  return pipeline;
}

}  // namespace

Result<Pipeline> OpenAdHocPipeline(Session& session, const AdHocPipeline& ad_hoc) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, WriteAdHoc(session.catalog(), ad_hoc));
  auto source = std::make_shared<SourceText>();
  source->name = ad_hoc.save.empty() ? "<command line>" : ad_hoc.save;
  source->text = text;
  ARROW_ASSIGN_OR_RAISE(Pipeline pipeline, MakePipeline(session, source, source->name));
  pipeline.is_ad_hoc = true;
  // They would point into a file that nobody wrote.
  pipeline.plan.warnings.clear();
  if (HoldsPassword(ad_hoc) && ad_hoc.save.empty()) {
    Diagnostic warning;
    warning.severity = Severity::kWarning;
    warning.message = "the URL holds a password: other users of this machine can see it";
    warning.help = "leave it out and use PGPASSWORD or ~/.pgpass";
    pipeline.plan.warnings.push_back(std::move(warning));
  }
  ShowWarnings(session, pipeline.plan.warnings);
  pipeline.state_directory = StateDirectoryOf(session.line(), ad_hoc.save);
  if (!ad_hoc.save.empty()) {
    ARROW_RETURN_NOT_OK(SaveAdHoc(session.disk(), ad_hoc, text));
    if (!session.line().quiet) WriteError(fmt::format("saved as {}\n", ad_hoc.save));
  }
  return pipeline;
}

elt::Engine EngineOf(Session& session, const Pipeline& pipeline) {
  return {pipeline.plan,    pipeline.stages, session.controller(),
          session.random(), session.disk(),  std::string(Version())};
}

void ShowWarnings(const Session& session, const std::vector<Diagnostic>& warnings) {
  if (session.line().quiet) return;
  if (session.line().error_format == ErrorFormat::kJson) {
    for (const Diagnostic& warning : warnings) WriteError(RenderJson(warning) + "\n");
    return;
  }
  for (const Diagnostic& warning : warnings) {
    WriteError(Render(warning, RenderStyle{session.terminal().error_color}) + "\n");
  }
}

std::string StateDirectoryOf(const CommandLine& line, const std::string& file) {
  if (!line.state_directory.empty()) return line.state_directory;
  const std::string parent = os::ParentPath(file);
  return parent == "." ? ".levada" : os::JoinPath(parent, ".levada");
}

Result<Pipeline> OpenPipelineFile(Session& session, const std::string& file) {
  auto source = std::make_shared<SourceText>();
  source->name = file;
  ARROW_ASSIGN_OR_RAISE(source->text, ReadYamlFile(session.disk(), file));
  ARROW_ASSIGN_OR_RAISE(Pipeline pipeline, MakePipeline(session, std::move(source), file));
  ShowWarnings(session, pipeline.plan.warnings);
  pipeline.state_directory = StateDirectoryOf(session.line(), file);
  return pipeline;
}

Result<Pipeline> OpenPipelineText(Session& session, const std::shared_ptr<const SourceText>& text) {
  return MakePipeline(session, text, text->name);
}

Result<Pipeline> OpenPipelineOfTable(Session& session, const Pipeline& pipeline,
                                     const elt::FoundTable& table) {
  ARROW_ASSIGN_OR_RAISE(Pipeline one, MakePipeline(session, pipeline.text, pipeline.file, &table));
  one.state_directory = pipeline.state_directory;
  return one;
}

}  // namespace levada::app
