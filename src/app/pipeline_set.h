#pragma once
// The pipelines that a command line means: of its files and directories those that --name, --tag
// and --having select, of `tables:` one for each table.

#include <map>
#include <string>
#include <vector>

#include "app/pipeline_file.h"

namespace levada::app {

/// A pipeline file, and how the command line came to it.
struct NamedFile {
  std::string path;
  bool is_found = false;  ///< below a directory that was named; else by its own name
};
struct NamedFiles {
  std::vector<NamedFile> files;
  bool any_directory = false;  ///< was named
};

/// Each once, those of a directory in the order of their paths: *.yaml and *.yml, but no
/// *.test.yaml and no defaults.yaml. kFileUnreadable for a directory without any.
Result<NamedFiles> FindPipelineFiles(os::Disk& disk, const std::vector<std::string>& named);

struct PipelineSet {
  std::vector<Pipeline> pipelines;
  bool is_summed = false;  ///< a directory or tables: a person is told of each in one line
  bool is_whole = true;    ///< no file that was named by itself is wrong
};

/// Opens, selects, and makes a pipeline of each table where the command connects. What is wrong
/// with one does not hide the others: `failures` gets all of it.
PipelineSet OpenPipelines(Session& session, std::vector<Status>& failures);

/// Of a pipeline with `tables:` one for each of them. `failures` gets what is wrong with one.
Result<std::vector<Pipeline>> EachTable(Session& session, const Pipeline& pipeline,
                                        std::vector<Status>& failures);

/// Whether --name, --tag and --having mean it.
Result<bool> IsSelected(Session& session, const Pipeline& pipeline);

/// kBadCommandLine for --name and --tag that mean no pipeline: a slip. That none is --having a
/// state is an answer.
Status NothingSelected(const CommandLine& line);

/// Two with one name, or with one place to write to: kImpossiblePlan for each, at its file.
class Neighbours final {
 public:
  Status Add(const Session& session, const Pipeline& pipeline);

 private:
  std::map<std::string, std::string> names_;  ///< to the file
  std::map<std::string, std::string> paths_;
};

}  // namespace levada::app
