#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/files_below.h"
#include "app/json_output.h"
#include "app/table.h"
#include "app/test_run.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

constexpr std::string_view kSuffix = ".test.yaml";
constexpr size_t kCellsShownMax = 20;

// The test files that the command line names: files as they are, of directories those below.
Status FindTestFiles(os::Disk& disk, const std::string& path, std::vector<std::string>& files) {
  ARROW_ASSIGN_OR_RAISE(const auto found, disk.Stat(path));
  if (found && found->is_directory) {
    return FindFilesBelow(
        disk, path, [](std::string_view name) { return name.ends_with(kSuffix); }, files);
  }
  const bool is_yaml = path.ends_with(".yaml") && !path.ends_with(kSuffix);
  if (found && is_yaml) {
    // The tests of a pipeline are what whoever names it means.
    const std::string tests = path.substr(0, path.rfind('.')) + std::string(kSuffix);
    ARROW_ASSIGN_OR_RAISE(const auto beside, disk.Stat(tests));
    if (beside && !beside->is_directory) {
      files.push_back(tests);
      return Status::OK();
    }
  }
  files.push_back(path);
  return Status::OK();
}

Result<TestFile> OpenTestFile(Session& session, const std::string& path) {
  auto source = std::make_shared<SourceText>();
  source->name = path;
  ARROW_ASSIGN_OR_RAISE(source->text, ReadYamlFile(session.disk(), path));
  return ReadTestFile(session.disk(), source);
}

Result<Pipeline> OpenPipelineOf(Session& session, const TestFile& file) {
  if (file.text != nullptr) return OpenPipelineText(session, file.text);
  return OpenPipelineFile(session, os::JoinPath(os::ParentPath(file.source->name), file.pipeline));
}

Json JsonOf(const Cell& cell) { return cell ? Json(*cell) : Json(nullptr); }

Json JsonOf(const std::vector<Difference>& differences) {
  Json list = Json::array();
  for (const Difference& difference : differences) {
    Json cells = Json::array();
    for (const CellDifference& cell : difference.cells) {
      cells.push_back({{"row", cell.row},
                       {"column", cell.column},
                       {"expected", JsonOf(cell.expected)},
                       {"got", JsonOf(cell.got)}});
    }
    list.push_back({{"where", difference.where},
                    {"problem", difference.problem},
                    {"cells", std::move(cells)}});
  }
  return list;
}

std::string TextOf(const Difference& difference, const TableStyle& style) {
  std::string text = fmt::format("{:10}{}{}{}\n", "", difference.where,
                                 difference.problem.empty() ? "" : ": ", difference.problem);
  Table table({{"row", Align::kRight},
               {.title = "column"},
               {.title = "expected", .may_shrink = true},
               {.title = "got", .may_shrink = true}});
  for (size_t i = 0; i < std::min(difference.cells.size(), kCellsShownMax); ++i) {
    const CellDifference& cell = difference.cells[i];
    table.AddRow({std::to_string(cell.row), cell.column, Shown(cell.expected), Shown(cell.got)});
  }
  text += table.Render(style);
  if (difference.cells.size() > kCellsShownMax) {
    text += fmt::format("{:10}and {} more cells\n", "", difference.cells.size() - kCellsShownMax);
  }
  return text;
}

// Counts over all files of one invocation.
struct Tally {
  size_t files = 0;
  int tests = 0;
  int failed = 0;
  int broken = 0;  ///< could not be run
};

/// A test that cannot be run hides no other: `broken` gets why.
Status RunTestFile(Session& session, const std::string& path, Tally& tally,
                   std::vector<Status>& broken) {
  ARROW_ASSIGN_OR_RAISE(const TestFile file, OpenTestFile(session, path));
  ARROW_ASSIGN_OR_RAISE(const Pipeline pipeline, OpenPipelineOf(session, file));
  const Terminal& terminal = session.terminal();
  const Paint paint(terminal.output_color);
  const TableStyle style = OutputStyle(terminal, 10);
  std::string text = path + "\n";
  Json tests = Json::array();
  bool any_failed = false;
  for (const PipelineTest& test : file.tests) {
    ARROW_RETURN_NOT_OK(session.context().Check());
    ++tally.tests;
    const auto compared = RunPipelineTest(session.context(), pipeline, file, test);
    if (!compared.ok()) {
      ARROW_RETURN_NOT_OK(session.context().Check());
      ++tally.broken;
      any_failed = true;
      broken.push_back(compared.status());
      tests.push_back({{"name", test.name},
                       {"ok", false},
                       {"error", ParseJson(RenderJson(FaultOf(compared.status())))},
                       {"differences", Json::array()}});
      text += fmt::format("  {}ERROR{}   {}\n", paint.red, paint.reset, test.name);
      continue;
    }
    const std::vector<Difference>& differences = *compared;
    const bool ok = differences.empty();
    tally.failed += ok ? 0 : 1;
    any_failed |= !ok;
    tests.push_back({{"name", test.name}, {"ok", ok}, {"differences", JsonOf(differences)}});
    text += ok ? fmt::format("  {}ok{}      {}\n", paint.green, paint.reset, test.name)
               : fmt::format("  {}FAILED{}  {}\n", paint.red, paint.reset, test.name);
    for (const Difference& difference : differences) text += TextOf(difference, style);
  }
  if (session.line().json) {
    const Json json{{"levada_test", kJsonVersion},
                    {"file", path},
                    {"pipeline", pipeline.plan.name},
                    {"ok", !any_failed},
                    {"tests", std::move(tests)}};
    return WriteOutput(tally.files > 1 ? Dump(json) + "\n" : Dump(json, 2) + "\n");
  }
  return session.line().quiet && !any_failed ? Status::OK() : WriteOutput(text);
}

}  // namespace

Outcome Test(Session& session) {
  Outcome outcome;
  std::vector<std::string> files;
  for (const std::string& path : session.line().files) {
    outcome.Note(FindTestFiles(session.disk(), path, files));
  }
  if (files.empty() && outcome.failures.empty()) {
    outcome.Note(Fault(FaultCode::kFileUnreadable,
                       fmt::format("there is no test below \"{}\"", session.line().files.front()))
                     .Help("tests are in files called NAME.test.yaml"));
  }
  Tally tally{files.size()};
  for (const std::string& file : files) {
    std::vector<Status> broken;
    outcome.Note(session.NameSignal(RunTestFile(session, file, tally, broken)));
    for (const Status& status : broken) outcome.Note(status);
    if (session.stopped()) return outcome;
  }
  if (!session.line().json && !session.line().quiet && tally.tests > 0) {
    std::string sum = fmt::format("{}: {} ok, {} failed", FormatCount(tally.tests, "test"),
                                  tally.tests - tally.failed - tally.broken, tally.failed);
    if (tally.broken > 0) sum += fmt::format(", {} could not be run", tally.broken);
    outcome.Note(WriteOutput(sum + "\n"));
  }
  if (tally.failed > 0) outcome.exit_status = kDataCheckFailed;
  return outcome;
}

}  // namespace levada::app
