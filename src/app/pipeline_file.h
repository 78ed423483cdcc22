#pragma once
// Pipelines as the command line names them: files, or a URL and a directory. From there to a plan
// with its stages made.

#include <string>
#include <vector>

#include "app/session.h"
#include "elt/plan.h"

namespace levada::app {

struct Pipeline {
  std::string file;             ///< as the user wrote it; "<command line>" for an ad hoc one
  std::string state_directory;  ///< --state, or .levada beside the file
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

/// What the command line names, in its order. A failure of one file does not hide those of the
/// others: `failures` gets all of them.
std::vector<Pipeline> OpenPipelines(Session& session, std::vector<Status>& failures);

/// On standard error, unless --quiet.
void ShowWarnings(const Session& session, const std::vector<Diagnostic>& warnings);

/// Where the ledger and reports of `file` are.
std::string StateDirectoryOf(const CommandLine& line, const std::string& file);

}  // namespace levada::app
