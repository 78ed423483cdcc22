#pragma once
// Pipelines as the command line names them: files, or a URL and a directory. From there to a plan
// with its stages made.

#include <string>
#include <vector>

#include "app/session.h"
#include "elt/plan.h"
#include "elt/runner.h"

namespace levada::app {

struct Pipeline {
  std::string file;             ///< as the user wrote it; "<command line>" for an ad hoc one
  std::string state_directory;  ///< --state, or .levada beside the file
  bool is_ad_hoc = false;       ///< of a URL and a directory on the command line
  std::shared_ptr<const SourceText> text;
  elt::Plan plan;
  elt::Stages stages;
};

/// kFileUnreadable, kPlanTooLarge, or whatever is wrong in the file.
Result<Pipeline> OpenPipelineFile(Session& session, const std::string& file);
/// The same of a text that is no file of its own.
Result<Pipeline> OpenPipelineText(Session& session, const std::shared_ptr<const SourceText>& text);

/// A YAML file's text: kFileUnreadable, with a file of a similar name if there is one;
/// kPlanTooLarge.
Result<std::string> ReadYamlFile(os::Disk& disk, const std::string& path);

/// A pipeline that has no file; it is written to one where the command line says so.
Result<Pipeline> OpenAdHocPipeline(Session& session, const AdHocPipeline& ad_hoc);
/// Of a pipeline with `tables:` that of one of them.
Result<Pipeline> OpenPipelineOfTable(Session& session, const Pipeline& pipeline,
                                     const elt::FoundTable& table);

/// What runs it; of `pipeline`, which has to outlive it.
elt::Engine EngineOf(Session& session, const Pipeline& pipeline);

/// On standard error, unless --quiet.
void ShowWarnings(const Session& session, const std::vector<Diagnostic>& warnings);

/// Where the ledger and reports of `file` are.
std::string StateDirectoryOf(const CommandLine& line, const std::string& file);

}  // namespace levada::app
