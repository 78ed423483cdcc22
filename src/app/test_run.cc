#include "app/test_run.h"

#include <arrow/array/builder_binary.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "elt/runner.h"
#include "elt/trace.h"
#include "elt/type_name.h"

namespace levada::app {
namespace {

Fault AtTest(const TestFile& file, FaultCode code, Span span, std::string message,
             std::string help) {
  Diagnostic problem;
  problem.code = code;
  problem.message = message;
  problem.source = file.source;
  problem.span = span;
  problem.help = std::move(help);
  return Fault(code, std::move(message)).At({std::move(problem)});
}

std::string SuggestionOf(const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(name, known);
  return nearest.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                         : fmt::format("did you mean \"{}\"?", nearest);
}

// The rows that stand for the consumer's.
Result<elt::BatchPtr> GivenRows(Context& ctx, const TestFile& file, const PipelineTest& test) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  std::vector<std::string> names;
  for (const GivenColumn& column : test.types) names.push_back(column.name);
  for (const WrittenRow& row : test.given) {
    for (const std::string& column : row.columns) {
      if (std::ranges::find(names, column) != names.end()) continue;
      return AtTest(file, FaultCode::kUnknownColumn, row.span,
                    fmt::format("\"types\" has no column \"{}\"", column),
                    SuggestionOf(column, names));
    }
    if (row.columns.empty() && row.cells.size() != names.size()) {
      return AtTest(file, FaultCode::kBadValue, row.span,
                    fmt::format("a row of {} values, and \"types\" has {} columns",
                                row.cells.size(), names.size()),
                    "write { id: 1 } to give some of them; the others are NULL");
    }
  }
  for (size_t c = 0; c < names.size(); ++c) {
    const auto type = elt::ParseTypeName(test.types[c].type);
    if (!type.ok()) {
      const Fault fault = FaultOf(type.status());
      return AtTest(file, fault.code(), test.types[c].span,
                    fmt::format("column \"{}\": {}", names[c], fault.message()), fault.help());
    }
    std::vector<Cell> cells;
    for (const WrittenRow& row : test.given) {
      const auto at = std::ranges::find(row.columns, names[c]) - row.columns.begin();
      const size_t index = row.columns.empty() ? c : static_cast<size_t>(at);
      cells.push_back(index < row.cells.size() ? row.cells[index] : std::nullopt);
    }
    ARROW_ASSIGN_OR_RAISE(ParsedCells parsed, ParseCells(cells, *type, ctx.pool));
    for (size_t row = 0; row < cells.size(); ++row) {
      if (!parsed.problems[row]) continue;
      return AtTest(file, FaultCode::kBadValue, test.given[row].span,
                    fmt::format("column \"{}\": expected {}, got \"{}\": {}", names[c],
                                test.types[c].type, cells[row].value_or(""), *parsed.problems[row]),
                    "");
    }
    fields.push_back(arrow::field(names[c], *type));
    arrays.push_back(std::move(parsed.values));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<int64_t>(test.given.size()),
                                  std::move(arrays));
}

Result<elt::RunInstance> RunOfTest(const Pipeline& pipeline, const TestFile& file,
                                   const PipelineTest& test) {
  const auto& spec = pipeline.plan.window;
  if (!spec) {
    if (test.window.empty()) return elt::RunOf(pipeline.plan, std::nullopt);
    return AtTest(file, FaultCode::kBadWindow, test.span,
                  fmt::format("pipeline \"{}\" has no windows", pipeline.plan.name),
                  "leave window: out");
  }
  ARROW_ASSIGN_OR_RAISE(elt::Window window, test.window.empty()
                                                ? elt::FirstWindow(*spec)
                                                : elt::WindowByLabel(*spec, test.window));
  return elt::RunOf(pipeline.plan, std::move(window));
}

// Of one column: the rows that name it, and what they expect.
struct ExpectedColumn {
  std::vector<int64_t> rows;
  std::vector<Cell> cells;
};

class RowComparison {
 public:
  RowComparison(Context& ctx, const elt::BatchPtr& got, Difference& difference)
      : ctx_(ctx), got_(got), difference_(difference) {}

  Status Compare(const std::vector<WrittenRow>& expected) {
    const auto count = static_cast<int64_t>(expected.size());
    if (count != got_->num_rows()) {
      Say(fmt::format("expected {} rows, got {}", count, got_->num_rows()));
    }
    std::map<int, ExpectedColumn> columns;
    const auto compared = static_cast<size_t>(std::min(count, got_->num_rows()));
    for (size_t row = 0; row < compared; ++row) Gather(expected[row], row, columns);
    for (const auto& [column, cells] : columns) ARROW_RETURN_NOT_OK(CompareColumn(column, cells));
    std::ranges::stable_sort(difference_.cells, {}, &CellDifference::row);
    return Status::OK();
  }

 private:
  void Say(const std::string& problem) {
    if (difference_.problem.find(problem) != std::string::npos) return;
    difference_.problem += (difference_.problem.empty() ? "" : "; ") + problem;
  }

  void Gather(const WrittenRow& written, size_t row, std::map<int, ExpectedColumn>& columns) {
    if (written.columns.empty() && static_cast<int>(written.cells.size()) != got_->num_columns()) {
      return Say(fmt::format("row {}: expected {} values, and there are {} columns", row + 1,
                             written.cells.size(), got_->num_columns()));
    }
    for (size_t i = 0; i < written.cells.size(); ++i) {
      int column = static_cast<int>(i);
      if (!written.columns.empty()) {
        const std::string& name = written.columns[i];
        column = got_->schema()->GetFieldIndex(name);
        if (column < 0) {
          Say(fmt::format("no column \"{}\": {}", name,
                          SuggestionOf(name, got_->schema()->field_names())));
          continue;
        }
      }
      columns[column].rows.push_back(static_cast<int64_t>(row));
      columns[column].cells.push_back(written.cells[i]);
    }
  }

  Status CompareColumn(int column, const ExpectedColumn& expected) {
    const auto& values = got_->column(column);
    ARROW_ASSIGN_OR_RAISE(const std::vector<Cell> texts, CellsOf(values, ctx_.pool));
    // 12.5 is the same decimal as 12.50: compared are values, where text can become one.
    const auto parsed = ParseCells(expected.cells, values->type(), ctx_.pool);
    const auto equal = arrow::EqualOptions::Defaults().nans_equal(true);
    for (size_t i = 0; i < expected.rows.size(); ++i) {
      const int64_t row = expected.rows[i];
      const Cell& text = texts[static_cast<size_t>(row)];
      const auto at = static_cast<int64_t>(i);
      const bool same = parsed.ok() ? !parsed->problems[i] && parsed->values->RangeEquals(
                                                                  at, at + 1, row, values, equal)
                                    : expected.cells[i] == text;
      if (same) continue;
      difference_.cells.push_back(
          {row + 1, got_->schema()->field(column)->name(), expected.cells[i], text});
    }
    return Status::OK();
  }

  Context& ctx_;
  const elt::BatchPtr& got_;
  Difference& difference_;
};

Status CompareRows(Context& ctx, std::string where, const elt::BatchPtr& got,
                   const std::vector<WrittenRow>& expected, std::vector<Difference>& differences) {
  Difference difference;
  difference.where = std::move(where);
  ARROW_RETURN_NOT_OK(RowComparison(ctx, got, difference).Compare(expected));
  if (!difference.problem.empty() || !difference.cells.empty()) {
    differences.push_back(std::move(difference));
  }
  return Status::OK();
}

Result<elt::BatchPtr> RejectsAsRows(const std::vector<elt::Reject>& rejects,
                                    arrow::MemoryPool* pool) {
  arrow::StringBuilder stage(pool), column(pool), reason(pool), row(pool);
  for (const elt::Reject& reject : rejects) {
    ARROW_RETURN_NOT_OK(stage.Append(reject.stage));
    ARROW_RETURN_NOT_OK(column.Append(reject.column));
    ARROW_RETURN_NOT_OK(reason.Append(reject.reason));
    ARROW_RETURN_NOT_OK(row.Append(reject.row_json));
  }
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, builder] : {std::pair("stage", &stage), std::pair("column", &column),
                                      std::pair("reason", &reason), std::pair("row", &row)}) {
    fields.push_back(arrow::field(name, arrow::utf8()));
    ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<int64_t>(rejects.size()),
                                  std::move(arrays));
}

void CompareOutcome(const PipelineTest& test, const Status& status,
                    std::vector<Difference>& differences) {
  const auto differ = [&](std::string problem) {
    differences.push_back({"the outcome", std::move(problem), {}});
  };
  if (status.ok()) {
    if (!test.error.empty()) differ(fmt::format("expected error {}, got none", test.error));
    return;
  }
  const Fault fault = FaultOf(status);
  const std::string got = fmt::format("{} ({})", CodeName(fault.code()), fault.message());
  if (test.error.empty()) {
    differ("expected no error, got " + got);
  } else if (FindFaultKind(test.error)->code != fault.code()) {
    differ(fmt::format("expected error {}, got {}", test.error, got));
  } else if (fault.message().find(test.message) == std::string::npos) {
    differ(fmt::format("expected an error with \"{}\", got {}", test.message, got));
  }
}

}  // namespace

Result<std::vector<Difference>> RunPipelineTest(Context& ctx, const Pipeline& pipeline,
                                                const TestFile& file, const PipelineTest& test) {
  ARROW_ASSIGN_OR_RAISE(const elt::RunInstance run, RunOfTest(pipeline, file, test));
  ARROW_ASSIGN_OR_RAISE(elt::BatchPtr given, GivenRows(ctx, file, test));
  const elt::Trace trace =
      elt::TraceRows(ctx, pipeline.plan, pipeline.stages, std::move(given), run);
  std::vector<Difference> differences;
  CompareOutcome(test, trace.status, differences);
  const std::vector<std::string> stages = elt::StageNames(pipeline.plan);
  for (const auto& [stage, rows] : test.after) {
    const auto found = std::ranges::find(trace.stages, stage, &elt::TracedStage::name);
    if (found != trace.stages.end()) {
      ARROW_RETURN_NOT_OK(
          CompareRows(ctx, "behind \"" + stage + "\"", found->rows, rows, differences));
    } else if (std::ranges::find(stages, stage) == stages.end()) {
      return AtTest(file, FaultCode::kBadValue, test.span,
                    fmt::format("the pipeline has no stage \"{}\"", stage),
                    SuggestionOf(stage, stages));
    } else {
      differences.push_back({"behind \"" + stage + "\"", "the rows did not get there", {}});
    }
  }
  if (test.expect && trace.status.ok()) {
    ARROW_RETURN_NOT_OK(CompareRows(ctx, "behind the last stage", trace.stages.back().rows,
                                    *test.expect, differences));
  }
  if (test.rejects) {
    ARROW_ASSIGN_OR_RAISE(const auto rejects, RejectsAsRows(trace.rejects, ctx.pool));
    ARROW_RETURN_NOT_OK(
        CompareRows(ctx, "of the rejected rows", rejects, *test.rejects, differences));
  }
  return differences;
}

}  // namespace levada::app
