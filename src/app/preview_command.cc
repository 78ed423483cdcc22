#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "app/cells.h"
#include "app/commands.h"
#include "app/describe.h"
#include "app/json_output.h"
#include "app/pipeline_set.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "elt/row_json.h"
#include "elt/trace.h"
#include "elt/type_name.h"

namespace levada::app {
namespace {

// The run whose rows are shown: the window that was asked for, or the last one that is closed.
Result<elt::RunInstance> RunToShow(Session& session, const elt::Plan& plan) {
  ARROW_ASSIGN_OR_RAISE(const auto runs,
                        elt::ListRuns(plan, RunOptionsOf(session.line()), session.clock().Now()));
  if (!runs.empty()) return session.line().windows.empty() ? runs.back() : runs.front();
  return AnyRunOf(plan);
}

// Up to `count` rows of one partition; the stream is then left.
Status ReadFrom(Context& ctx, elt::PartitionReader& reader, int slice, int64_t count,
                arrow::RecordBatchVector& batches) {
  ARROW_ASSIGN_OR_RAISE(const auto stream, reader.Read(ctx, slice));
  while (count > 0) {
    elt::BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) break;
    batches.push_back(batch->Slice(0, count));
    count -= batches.back()->num_rows();
  }
  return stream->Close();
}

Result<elt::BatchPtr> FirstRows(Context& ctx, const Pipeline& pipeline, const elt::RunInstance& run,
                                int64_t count) {
  const elt::Consumer& consumer = *pipeline.stages.consumer;
  ARROW_ASSIGN_OR_RAISE(const elt::Source source, consumer.Describe(ctx));
  // One connection is enough for some rows.
  ARROW_ASSIGN_OR_RAISE(
      const auto partitions,
      consumer.Split(ctx, run, source, {pipeline.plan.partition_bytes, /*processors=*/1}));
  elt::BatchLimits limits;
  limits.rows = std::min(limits.rows, count);
  arrow::RecordBatchVector batches;
  int64_t rows = 0;
  for (const elt::Partition& partition : partitions) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, consumer.Open(ctx, run, partition, source, limits));
    for (size_t slice = 0; slice < partition.slices.size() && rows < count; ++slice) {
      ARROW_RETURN_NOT_OK(ReadFrom(ctx, *reader, static_cast<int>(slice), count - rows, batches));
      rows = 0;
      for (const auto& batch : batches) rows += batch->num_rows();
    }
    if (rows >= count) break;
  }
  if (batches.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto none, arrow::RecordBatch::MakeEmpty(source.schema, ctx.pool));
    return none;
  }
  return arrow::ConcatenateRecordBatches(batches, ctx.pool);
}

// ", without a, b": the columns that a stage took away.
std::string GoneText(const arrow::RecordBatch& rows, const arrow::RecordBatch& before) {
  std::vector<std::string> gone;
  for (const std::string& name : before.schema()->field_names()) {
    if (rows.schema()->GetFieldIndex(name) < 0) gone.push_back(name);
  }
  return gone.empty() ? "" : fmt::format(", without {}", fmt::join(gone, ", "));
}

// Whether column `index` is the same as in `before`, which may be null.
bool IsAsBefore(const arrow::RecordBatch& rows, int index, const arrow::RecordBatch* before) {
  if (before == nullptr) return false;
  const auto column = before->GetColumnByName(rows.schema()->field(index)->name());
  return column != nullptr && column->Equals(*rows.column(index));
}

// Columns below each other, so that a wide table is read as easily as a narrow one. Of a stage that
// kept all rows only what is not as it was `before`.
Result<std::string> RowsText(const arrow::RecordBatch& rows, const arrow::RecordBatch* before,
                             const TableStyle& style, arrow::MemoryPool* pool) {
  std::vector<Column> titles = {{.title = "column"}, {.title = "type"}};
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    titles.push_back({.title = fmt::format("row {}", row + 1), .may_shrink = true});
  }
  Table table(std::move(titles));
  for (int c = 0; c < rows.num_columns(); ++c) {
    if (IsAsBefore(rows, c, before)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto cells, CellsOf(rows.column(c), pool));
    const auto& field = *rows.schema()->field(c);
    std::vector<std::string> line = {field.name(), elt::TypeName(*field.type())};
    for (const Cell& cell : cells) {
      line.push_back(Shown(cell));
    }
    table.AddRow(std::move(line));
  }
  return table.Render(style);
}

Result<std::string> TraceText(const elt::Trace& trace, const Session& session,
                              arrow::MemoryPool* pool) {
  const Terminal& terminal = session.terminal();
  const Paint paint(terminal.output_color);
  const TableStyle style = OutputStyle(terminal, 2);
  std::string text;
  for (size_t i = 0; i < trace.stages.size(); ++i) {
    const elt::TracedStage& stage = trace.stages[i];
    text +=
        fmt::format("{}{}{}: {} rows", paint.bold, stage.name, paint.reset, stage.rows->num_rows());
    if (stage.filtered > 0) text += fmt::format(", {} left out", stage.filtered);
    if (stage.rejected > 0) text += fmt::format(", {} kept aside", stage.rejected);
    if (stage.values_discarded > 0) {
      text += ", " + FormatCount(stage.values_discarded, "value") + " became NULL";
    }
    const bool has_all_rows = i > 0 && stage.filtered == 0 && stage.rejected == 0;
    const arrow::RecordBatch* before = has_all_rows ? trace.stages[i - 1].rows.get() : nullptr;
    ARROW_ASSIGN_OR_RAISE(const std::string rows, RowsText(*stage.rows, before, style, pool));
    const std::string gone = before == nullptr ? "" : GoneText(*stage.rows, *before);
    text += rows.empty() && gone.empty() ? ", as before\n" : gone + "\n" + rows;
  }
  for (const elt::Reject& reject : trace.rejects) {
    text += fmt::format("kept aside by {}: {}: {}\n  {}\n", reject.stage, reject.column,
                        reject.reason, reject.row_json);
  }
  return text;
}

Result<std::string> TraceJson(const Pipeline& pipeline, const elt::RunInstance& run,
                              const elt::Trace& trace) {
  Json stages = Json::array();
  for (const elt::TracedStage& stage : trace.stages) {
    Json columns = Json::array();
    for (const auto& field : stage.rows->schema()->fields()) {
      columns.push_back({{"name", field->name()},
                         {"type", elt::TypeName(*field->type())},
                         {"nullable", field->nullable()}});
    }
    Json rows = Json::array();
    for (int64_t row = 0; row < stage.rows->num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(const std::string json, elt::RowJson(*stage.rows, row));
      rows.push_back(ParseJson(json));
    }
    stages.push_back({{"stage", stage.name},
                      {"columns", std::move(columns)},
                      {"rows", std::move(rows)},
                      {"filtered", stage.filtered},
                      {"rejected", stage.rejected},
                      {"values_discarded", stage.values_discarded}});
  }
  const Json json{{"levada_preview", kJsonVersion},
                  {"pipeline", pipeline.plan.name},
                  {"window", run.increment ? Json() : Json(run.Label())},
                  {"stages", std::move(stages)}};
  return Dump(json, 2);
}

Status PreviewPipeline(Session& session, const Pipeline& pipeline) {
  Context& ctx = session.context();
  ARROW_ASSIGN_OR_RAISE(const elt::RunInstance run, RunToShow(session, pipeline.plan));
  ARROW_ASSIGN_OR_RAISE(elt::BatchPtr rows, FirstRows(ctx, pipeline, run, session.line().rows));
  const elt::Trace trace =
      elt::TraceRows(ctx, pipeline.plan, pipeline.stages, std::move(rows), run);
  if (session.line().json) {
    ARROW_ASSIGN_OR_RAISE(const std::string json, TraceJson(pipeline, run, trace));
    ARROW_RETURN_NOT_OK(PrintJson(session, json));
  } else {
    const Paint paint(session.terminal().output_color);
    const std::string window = run.window ? fmt::format(", window {}", run.Label()) : "";
    ARROW_ASSIGN_OR_RAISE(const std::string text, TraceText(trace, session, ctx.pool));
    ARROW_RETURN_NOT_OK(WriteOutput(
        fmt::format("{}{}{}{}\n{}", paint.bold, pipeline.plan.name, paint.reset, window, text)));
  }
  return trace.status;
}

}  // namespace

Outcome Preview(Session& session) {
  Outcome outcome;
  const PipelineSet set = OpenPipelines(session, outcome.failures);
  for (const Pipeline& pipeline : set.pipelines) {
    outcome.Note(session.NameSignal(PreviewPipeline(session, pipeline)));
    if (session.stopped()) break;
  }
  return outcome;
}

}  // namespace levada::app
