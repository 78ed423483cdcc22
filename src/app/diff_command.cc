#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/dataset_diff.h"
#include "app/json_output.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

// Today every dataset that can be read is a path.
Result<OpenSide> SideOf(Session& session, const std::string& target) {
  for (const auto& [kind, entry] : session.catalog().loaders()) {
    if (!entry.open_target) continue;
    return OpenSide([&session, open = entry.open_target, target](Context& ctx) {
      return open(ctx, target, session.stage_input());
    });
  }
  return Fault(FaultCode::kInternal, "no loader can read its target");
}

std::string ExamplesText(const std::string& name, const DatasetSide& side, const Paint& paint) {
  if (side.rows_alone == 0) return {};
  std::string text = fmt::format(
      "{}{} only in {}{}{}\n", paint.bold, FormatCount(side.rows_alone, "row"), name, paint.reset,
      static_cast<int64_t>(side.examples.size()) < side.rows_alone ? ", the first:" : ":");
  for (const std::string& example : side.examples) text += "  " + example + "\n";
  return text;
}

std::string TextOf(const std::string& a, const std::string& b, const DatasetDiff& diff,
                   const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  Table table({{"dataset"},
               {"columns", Align::kRight},
               {"rows", Align::kRight},
               {"hash of the columns of both"}});
  for (const auto& [name, side] : {std::pair(a, &diff.a), std::pair(b, &diff.b)}) {
    table.AddRow(
        {name, std::to_string(side->schema->num_fields()), FormatCount(side->rows), side->hash});
  }
  std::string text = table.Render(OutputStyle(terminal));
  if (diff.same()) return text + fmt::format("{}the same{}\n", paint.green, paint.reset);
  if (!diff.schema_difference.empty()) {
    text += fmt::format("columns, from {} to {}: {}\n", a, b, diff.schema_difference);
  }
  if (diff.a.rows_alone == 0 && diff.b.rows_alone == 0) text += "the rows are the same\n";
  return text + ExamplesText(a, diff.a, paint) + ExamplesText(b, diff.b, paint);
}

Json JsonOf(const std::string& name, const DatasetSide& side) {
  Json examples = Json::array();
  for (const std::string& example : side.examples) examples.push_back(ParseJson(example));
  return {{"dataset", name},
          {"columns", side.schema->field_names()},
          {"rows", side.rows},
          {"hash", side.hash},
          {"rows_only_here", side.rows_alone},
          {"examples", std::move(examples)}};
}

Status DiffTargets(Session& session, bool& differ) {
  const std::string& a = session.line().files[0];
  const std::string& b = session.line().files[1];
  ARROW_ASSIGN_OR_RAISE(const OpenSide open_a, SideOf(session, a));
  ARROW_ASSIGN_OR_RAISE(const OpenSide open_b, SideOf(session, b));
  ARROW_ASSIGN_OR_RAISE(
      const DatasetDiff diff,
      DiffDatasets(session.context(), open_a, open_b, spill::ScratchSpaceOf(session.stage_input()),
                   session.line().rows));
  differ = !diff.same();
  if (session.line().json) {
    const Json json{{"levada_diff", kJsonVersion},
                    {"same", diff.same()},
                    {"schema_difference", diff.schema_difference},
                    {"compared_columns", diff.columns},
                    {"a", JsonOf(a, diff.a)},
                    {"b", JsonOf(b, diff.b)}};
    return WriteOutput(Dump(json, 2) + "\n");
  }
  if (session.line().quiet) return Status::OK();
  return WriteOutput(TextOf(a, b, diff, session.terminal()));
}

}  // namespace

Outcome Diff(Session& session) {
  Outcome outcome;
  bool differ = false;
  outcome.Note(session.NameSignal(DiffTargets(session, differ)));
  if (differ) outcome.exit_status = kDataCheckFailed;
  return outcome;
}

}  // namespace levada::app
