#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/dataset_schemas.h"
#include "app/json_output.h"
#include "app/table.h"
#include "base/json.h"
#include "readers/compare.h"

namespace levada::app {
namespace {

/// What is new: of a pipeline or of Parquet files.
struct Candidate {
  std::string name;
  readers::Reader reader = readers::Reader::kSpark3;
  std::vector<parquet_format::SchemaTree> trees;
};

/// What came of one candidate.
struct Judged {
  readers::Verdict verdict;
  std::string there;  ///< the file that it is about
};

bool IsPipeline(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

Result<std::optional<readers::Reader>> ReaderOf(const CommandLine& line) {
  if (line.reader.empty()) return std::nullopt;
  const auto reader = readers::FindReader(line.reader);
  if (reader) return reader;
  return Fault(FaultCode::kBadCommandLine,
               fmt::format("--reader: there is none \"{}\"", line.reader))
      .Help("write one of spark-3, spark-4, hive, duckdb, iceberg-ready");
}

Result<Candidate> CandidateOf(Session& session, const std::string& name) {
  Candidate candidate;
  candidate.name = name;
  ARROW_ASSIGN_OR_RAISE(const auto reader, ReaderOf(session.line()));
  if (!IsPipeline(name)) {
    ARROW_ASSIGN_OR_RAISE(std::vector<FoundSchema> found, FindSchemas(session, name));
    for (FoundSchema& schema : found) candidate.trees.push_back(std::move(schema.tree));
    candidate.reader = reader.value_or(readers::Reader::kSpark3);
    return candidate;
  }
  ARROW_ASSIGN_OR_RAISE(const Pipeline pipeline, OpenPipelineFile(session, name));
  if (pipeline.plan.has_tables) {
    return Fault(FaultCode::kImpossiblePlan,
                 "--against compares with one dataset, and `tables:` are many")
        .Help("compare with a pipeline of one `table:`");
  }
  ARROW_ASSIGN_OR_RAISE(PlannedSchema planned, PlanSchema(session, pipeline));
  candidate.trees.push_back(std::move(planned.tree));
  // Files of profile arrow are for readers like DuckDB.
  const auto of_loader = readers::FindReader(planned.profile);
  candidate.reader = reader.value_or(of_loader.value_or(readers::Reader::kDuckDb));
  return candidate;
}

/// The first pair that does not merge, else the first of all.
Judged Judge(const Candidate& candidate, const std::vector<FoundSchema>& there) {
  std::optional<Judged> first;
  for (const FoundSchema& old : there) {
    for (const parquet_format::SchemaTree& tree : candidate.trees) {
      Judged judged{readers::CompareSchemas(old.tree, tree, candidate.reader), old.path};
      if (!judged.verdict.mergeable()) return judged;
      if (!first) first = std::move(judged);
    }
  }
  return std::move(*first);
}

Status StatusOf(const Candidate& candidate, const Judged& judged) {
  const readers::Verdict& verdict = judged.verdict;
  if (verdict.mergeable()) return Status::OK();
  std::vector<std::string> reasons = verdict.problems, fixes;
  for (const readers::ColumnVerdict& column : verdict.columns) {
    if (column.mergeable) continue;
    reasons.push_back(fmt::format("column \"{}\": {}", column.name, column.why));
    if (!column.fix.empty()) fixes.push_back("- " + column.fix);
  }
  const size_t count = reasons.size();
  Fault fault(FaultCode::kNotMergeable,
              fmt::format("\"{}\" does not merge with \"{}\" for {}: {}{}", candidate.name,
                          judged.there, NameOf(candidate.reader), reasons.front(),
                          count > 1 ? fmt::format(", and {} more", count - 1) : ""));
  if (fixes.empty()) {
    fault.Help("write to a dataset of its own, or give the columns the types that are there");
  } else {
    fault.Help(fmt::format("as transformers write {}", fmt::join(fixes, ", ")));
  }
  return fault;
}

std::string TableOf(const Candidate& candidate, const Judged& judged, const Terminal& terminal) {
  Table table({{"column"},
               {.title = "there", .may_shrink = true},
               {.title = "new", .may_shrink = true},
               {"merges"},
               {.title = "why", .may_vanish = true, .may_wrap = true},
               {.title = "write", .may_vanish = true, .may_wrap = true}});
  const Paint paint(terminal.output_color);
  for (const readers::ColumnVerdict& column : judged.verdict.columns) {
    table.AddRow({column.name, column.there.empty() ? "-" : column.there,
                  column.candidate.empty() ? "-" : column.candidate,
                  column.mergeable ? "yes" : "NO", column.why, column.fix},
                 column.mergeable ? "" : paint.red);
  }
  std::string text = table.Render(OutputStyle(terminal));
  for (const std::string& note : judged.verdict.notes) text += "note: " + note + "\n";
  if (!judged.verdict.mergeable()) return text;
  return text + fmt::format("{} {}merges{} with {} for {}\n", candidate.name, paint.green,
                            paint.reset, judged.there, NameOf(candidate.reader));
}

Json JsonOf(const Candidate& candidate, const Judged& judged, const Status& status) {
  Json columns = Json::array();
  for (const readers::ColumnVerdict& column : judged.verdict.columns) {
    columns.push_back({{"column", column.name},
                       {"there", column.there},
                       {"new", column.candidate},
                       {"mergeable", column.mergeable},
                       {"readable", column.readable},
                       {"why", column.why},
                       {"fix", column.fix}});
  }
  return {{"levada_check", kJsonVersion},
          {"file", candidate.name},
          {"against", judged.there},
          {"reader", NameOf(candidate.reader)},
          {"mergeable", judged.verdict.mergeable()},
          {"readable", judged.verdict.readable()},
          {"problems", judged.verdict.problems},
          {"columns", std::move(columns)},
          {"notes", judged.verdict.notes},
          {"error", status.ok() ? Json(nullptr) : ParseJson(RenderJson(FaultOf(status)))}};
}

/// As JSON a verdict is an answer, on standard output; `exit_status` tells it then.
Status CompareOne(Session& session, const std::string& name, const std::vector<FoundSchema>& there,
                  int& exit_status) {
  ARROW_ASSIGN_OR_RAISE(const Candidate candidate, CandidateOf(session, name));
  const Judged judged = Judge(candidate, there);
  const Status status = StatusOf(candidate, judged);
  if (session.line().json) {
    if (!status.ok()) exit_status = ExitStatusOf(status);
    return PrintJson(session, Dump(JsonOf(candidate, judged, status), 2));
  }
  if (!session.line().quiet) {
    ARROW_RETURN_NOT_OK(WriteOutput(TableOf(candidate, judged, session.terminal())));
  }
  return status;
}

}  // namespace

Outcome CheckAgainst(Session& session) {
  Outcome outcome;
  const auto there = FindSchemas(session, session.line().against);
  if (!there.ok()) {
    outcome.Note(session.NameSignal(there.status()));
    return outcome;
  }
  for (const std::string& name : session.line().files) {
    outcome.Note(session.NameSignal(CompareOne(session, name, *there, outcome.exit_status)));
    if (session.stopped()) break;
  }
  return outcome;
}

}  // namespace levada::app
