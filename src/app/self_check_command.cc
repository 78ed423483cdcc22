#include <fmt/format.h>

#include <functional>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_file.h"
#include "app/table.h"
#include "app/version.h"
#include "base/json.h"
#include "base/quantity.h"
#include "elt/runner.h"
#include "elt/target_check.h"
#include "elt/time_zone.h"
#include "os/process.h"
#include "spill/scratch_file.h"

namespace levada::app {
namespace {

constexpr int64_t kRows = 50'000;

// Rows without a source, through a transformer, into files that are read back before they are
// published.
constexpr std::string_view kPipeline = R"(name: self_check
run: once
consumer: {{ generate: {{ table: lineitem, rows: {} }} }}
transformers:
  - filter: "l_quantity > 10"
loaders:
  - parquet: {{ path: {} }}
verify: readback
)";

std::string Directory(const Session& session) {
  return spill::ScratchSpaceOf(session.stage_input()).directory;
}

// A directory of its own, gone with the object.
class WorkPlace final {
 public:
  WorkPlace(os::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~WorkPlace() { (void)os::RemoveTree(disk_, path_); }
  WorkPlace(const WorkPlace&) = delete;
  WorkPlace& operator=(const WorkPlace&) = delete;
  const std::string& path() const { return path_; }

 private:
  os::Disk& disk_;
  const std::string path_;
};

Result<std::string> CheckMachine(Session&, const WorkPlace&) {
  return fmt::format("{} processors, {} of memory, {} of it taken by levada", os::ProcessorCount(),
                     FormatBytes(os::MemoryLimitBytes()),
                     FormatBytes(os::ReadResidentMemory().now_bytes));
}

Result<std::string> CheckTimeZones(Session&, const WorkPlace&) {
  for (const char* name : {"UTC", "Europe/Lisbon", "Asia/Tokyo"}) {
    ARROW_RETURN_NOT_OK(elt::TimeZone::Find(name).status());
  }
  return std::string("Europe/Lisbon and others are known");
}

Result<std::string> CheckDisk(Session& session, const WorkPlace& place) {
  const std::string path = os::JoinPath(place.path(), "probe");
  const auto began = session.clock().Steady();
  ARROW_RETURN_NOT_OK(os::WriteFileDurably(session.disk(), path, std::string(1 << 20, 'x')));
  const auto took = session.clock().Steady() - began;
  ARROW_ASSIGN_OR_RAISE(const auto read, os::ReadFile(session.disk(), path, 2 << 20));
  if (!read || read->size() != 1 << 20) {
    return Fault(FaultCode::kTargetIo, fmt::format("\"{}\" was written and reads otherwise", path));
  }
  ARROW_RETURN_NOT_OK(session.disk().Remove(path));
  return fmt::format("{} takes and gives back 1 MiB, synced in {}", Directory(session),
                     FormatDuration(took));
}

Result<elt::RunReport> RunOnce(Session& session, const Pipeline& pipeline) {
  const elt::Engine engine = EngineOf(session, pipeline);
  Context context = session.context();
  BudgetPool pool(0);
  context.pool = &pool;
  ARROW_ASSIGN_OR_RAISE(const elt::Prepared prepared,
                        elt::Prepare(context, engine, elt::RunOptions{}, false));
  elt::RunReport report = elt::RunPlan(context, engine, prepared, nullptr, session.progress());
  ARROW_RETURN_NOT_OK(report.status);
  return report;
}

Result<std::string> CheckPipeline(Session& session, const WorkPlace& place) {
  const std::string lake = os::JoinPath(place.path(), "lake");
  const auto text = std::make_shared<SourceText>(
      SourceText{"<self-check>", fmt::format(kPipeline, kRows, QuoteJson(lake))});
  ARROW_ASSIGN_OR_RAISE(const Pipeline pipeline, OpenPipelineText(session, text));
  ARROW_ASSIGN_OR_RAISE(const elt::RunReport report, RunOnce(session, pipeline));
  const auto& parquet = *session.catalog().FindLoader("parquet");
  ARROW_ASSIGN_OR_RAISE(const elt::TargetCheck check,
                        parquet.check_target(session.context(), lake, session.stage_input(),
                                             [](const elt::CheckProgress&) {}));
  if (!check.problems.empty()) {
    return Fault(FaultCode::kInternal,
                 fmt::format("what was just published does not verify: {}: {}",
                             check.problems.front().path, check.problems.front().what));
  }
  ARROW_ASSIGN_OR_RAISE(const elt::RunReport again, RunOnce(session, pipeline));
  if (!again.runs.empty()) {
    return Fault(FaultCode::kInternal, "what was published once was run a second time");
  }
  return fmt::format("{} of {} rows written, read back, verified and not written twice, in {}",
                     FormatCount(report.rows), FormatCount(kRows),
                     FormatDuration(std::chrono::nanoseconds(report.elapsed_ns)));
}

struct Step {
  const char* name;
  std::function<Result<std::string>(Session&, const WorkPlace&)> run;
};

const Step kSteps[] = {
    {"machine", CheckMachine},
    {"time zones", CheckTimeZones},
    {"disk", CheckDisk},
    {"pipeline", CheckPipeline},
};

}  // namespace

Outcome SelfCheck(Session& session) {
  Outcome outcome;
  const WorkPlace place(
      session.disk(),
      os::JoinPath(Directory(session), ".levada-self-check-" + NewId(session.random())));
  outcome.Note(session.disk().CreateDirectories(place.path()));
  if (!outcome.failures.empty()) return outcome;
  const Paint paint(session.terminal().output_color);
  Table table({{"check"}, {"result"}, {.title = "what was seen", .may_wrap = true}});
  Json list = Json::array();
  for (const Step& check : kSteps) {
    const Result<std::string> seen = check.run(session, place);
    const Status status = session.NameSignal(seen.status());
    outcome.Note(status);
    const std::string detail = seen.ok() ? *seen : FaultOf(status).message();
    table.AddRow({check.name, seen.ok() ? "ok" : "FAILED", detail}, seen.ok() ? "" : paint.red);
    list.push_back({{"check", check.name}, {"ok", seen.ok()}, {"seen", detail}});
    if (session.stopped()) return outcome;
  }
  if (session.line().json) {
    outcome.Note(PrintJson(session, Dump(Json{{"levada_self_check", kJsonVersion},
                                              {"levada", Version()},
                                              {"ok", outcome.failures.empty()},
                                              {"checks", std::move(list)}},
                                         2)));
  } else if (!session.line().quiet) {
    outcome.Note(WriteOutput(table.Render(OutputStyle(session.terminal()))));
  }
  return outcome;
}

}  // namespace levada::app
