#include "app/pipeline_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "app/files_below.h"
#include "app/pipeline_runs.h"
#include "base/glob.h"
#include "elt/pipeline_name.h"
#include "elt/retry.h"
#include "elt/stage_problems.h"

namespace levada::app {
namespace {

constexpr std::string_view kDefaultsFile = "defaults.yaml";
constexpr std::string_view kTestSuffix = ".test.yaml";

bool IsDirectory(os::Disk& disk, const std::string& path) {
  const auto found = disk.Stat(path);
  return found.ok() && *found && (*found)->is_directory;
}

bool IsPipelineFile(std::string_view name) {
  const bool is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
  return is_yaml && !name.ends_with(kTestSuffix) && name != kDefaultsFile;
}

bool AnyLike(const std::vector<std::string>& patterns, const std::string& name) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return MatchesGlob(pattern, name);
         });
}

// Whether the command asks the source anyway, so that it can also be asked for its tables.
bool Connects(const CommandLine& line) {
  switch (line.verb) {
    case Verb::kCheck:
      return line.online;
    case Verb::kStatus:
      return line.rebuild;
    default:
      return true;
  }
}

/// The names of a table become part of paths and of the pipeline's name.
Status CheckName(const Pipeline& pipeline, const elt::FoundTable& table) {
  if (elt::IsPipelineName(table.name) &&
      (table.schema.empty() || elt::IsPipelineName(table.schema))) {
    return Status::OK();
  }
  const Fault fault =
      Fault(FaultCode::kImpossiblePlan,
            fmt::format("table \"{}\" has a name that no path is made of", table.written))
          .Help("leave it out with exclude:, and give it a pipeline of its own");
  return elt::Placed(fault, pipeline.plan.consumer.options, "tables");
}

bool IsRunning(const CommandLine& line) {
  return line.verb == Verb::kRun || line.verb == Verb::kRetry || line.verb == Verb::kBackfill;
}

void Take(Session& session, const NamedFile& file, Neighbours& neighbours, PipelineSet& set,
          std::vector<Status>& failures) {
  const auto fail = [&](const Status& status) {
    failures.push_back(status);
    if (!file.is_found) set.is_whole = false;
  };
  auto opened = OpenPipelineFile(session, file.path);
  if (!opened.ok()) return fail(opened.status());
  const auto selected = IsSelected(session, *opened);
  if (!selected.ok()) return fail(selected.status());
  if (!*selected) return;
  std::vector<Pipeline> each;
  if (opened->plan.has_tables && Connects(session.line())) {
    set.is_summed = true;
    auto tables = EachTable(session, *opened, failures);
    if (IsRunning(session.line())) NoteBeginning(session, *opened, tables.status());
    if (!tables.ok()) return fail(tables.status());
    each = *std::move(tables);
  } else {
    each.push_back(*std::move(opened));
  }
  for (Pipeline& pipeline : each) {
    const Status alone = neighbours.Add(session, pipeline);
    if (alone.ok()) {
      set.pipelines.push_back(std::move(pipeline));
    } else {
      fail(alone);
    }
  }
}

}  // namespace

Result<NamedFiles> FindPipelineFiles(os::Disk& disk, const std::vector<std::string>& named) {
  NamedFiles found;
  std::vector<NamedFile>& files = found.files;
  std::set<std::string> seen;
  for (const std::string& path : named) {
    if (!IsDirectory(disk, path)) {
      if (seen.insert(path).second) files.push_back({path, false});
      continue;
    }
    found.any_directory = true;
    std::vector<std::string> below;
    ARROW_RETURN_NOT_OK(FindFilesBelow(disk, path, IsPipelineFile, below));
    if (below.empty()) {
      return Fault(FaultCode::kFileUnreadable,
                   fmt::format("there is no pipeline below \"{}\"", path))
          .Help("pipelines are in files called NAME.yaml");
    }
    for (std::string& file : below) {
      if (seen.insert(file).second) files.push_back({std::move(file), true});
    }
  }
  return found;
}

Status Neighbours::Add(const Session& session, const Pipeline& pipeline) {
  const auto refuse = [&](const std::string& what, const std::string& other) {
    return Fault(FaultCode::kImpossiblePlan,
                 fmt::format("\"{}\" and \"{}\": {}", other, pipeline.file, what))
        .Help("targets, ledger and reports tell pipelines apart by their names and paths");
  };
  const auto [name, is_new_name] = names_.emplace(pipeline.plan.name, pipeline.file);
  if (!is_new_name) {
    return refuse(fmt::format("two pipelines have the name \"{}\"", pipeline.plan.name),
                  name->second);
  }
  for (const std::string& target : elt::TargetPaths(pipeline.plan, session.catalog())) {
    const auto [path, is_new_path] = paths_.emplace(target, pipeline.file);
    if (!is_new_path) {
      return refuse(fmt::format("two pipelines write to {}", target), path->second);
    }
  }
  return Status::OK();
}

Result<bool> IsSelected(Session& session, const Pipeline& pipeline) {
  const CommandLine& line = session.line();
  const elt::Plan& plan = pipeline.plan;
  if (!AnyLike(line.names, plan.name)) return false;
  const auto has_tag = [&](const std::string& tag) {
    return std::ranges::find(plan.tags, tag) != plan.tags.end();
  };
  if (!line.tags.empty() && std::ranges::none_of(line.tags, has_tag)) return false;
  if (line.having.empty()) return true;
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenLedgerOf(session, pipeline.state_directory, false));
  ARROW_ASSIGN_OR_RAISE(const auto runs, KnownRuns(session, plan, ledger.get()));
  // Which increments or tables there are only the source knows.
  if (runs.empty()) return std::ranges::find(line.having, "pending") != line.having.end();
  return std::ranges::any_of(runs, [&](const elt::LedgerRun& run) {
    // What nobody here knows was not run by this machine.
    const std::string& state = run.state == "unknown" ? "pending" : run.state;
    return std::ranges::find(line.having, state) != line.having.end();
  });
}

Status NothingSelected(const CommandLine& line) {
  const bool is_selecting = !line.names.empty() || !line.tags.empty();
  if (!is_selecting || !line.having.empty()) return Status::OK();
  return Fault(FaultCode::kBadCommandLine, "no pipeline is what --name and --tag select")
      .Help("levada status DIR lists the pipelines of a directory");
}

Result<std::vector<Pipeline>> EachTable(Session& session, const Pipeline& pipeline,
                                        std::vector<Status>& failures) {
  // Who runs waits for a source that is away; who looks is told at once.
  const elt::RetrySpec retry =
      IsRunning(session.line()) ? pipeline.plan.retry : elt::RetrySpec{.attempts = 1};
  ARROW_ASSIGN_OR_RAISE(const auto tables,
                        elt::Retried(session.context(), retry, session.random(), "tables", [&] {
                          return elt::FindTables(session.context(), pipeline.plan,
                                                 session.catalog(), session.stage_input());
                        }));
  std::vector<Pipeline> each;
  for (const elt::FoundTable& table : tables) {
    const Status named = CheckName(pipeline, table);
    auto one = named.ok() ? OpenPipelineOfTable(session, pipeline, table) : named;
    if (one.ok()) {
      each.push_back(*std::move(one));
    } else {
      failures.push_back(WithDetail(one.status(), "table", table.written));
    }
  }
  return each;
}

PipelineSet OpenPipelines(Session& session, std::vector<Status>& failures) {
  PipelineSet set;
  const CommandLine& line = session.line();
  if (line.ad_hoc) {
    auto opened = OpenAdHocPipeline(session, *line.ad_hoc);
    if (opened.ok()) {
      set.pipelines.push_back(*std::move(opened));
    } else {
      failures.push_back(opened.status());
      set.is_whole = false;
    }
    return set;
  }
  const auto found = FindPipelineFiles(session.disk(), line.files);
  if (!found.ok()) {
    failures.push_back(found.status());
    set.is_whole = false;
    return set;
  }
  set.is_summed = found->any_directory;
  Neighbours neighbours;
  for (const NamedFile& file : found->files) {
    Take(session, file, neighbours, set, failures);
    if (session.stopped()) break;
  }
  if (set.is_summed) session.ExpectManyDocuments();
  if (set.pipelines.empty() && failures.empty()) {
    const Status none = NothingSelected(line);
    if (!none.ok()) failures.push_back(none);
  }
  return set;
}

}  // namespace levada::app
