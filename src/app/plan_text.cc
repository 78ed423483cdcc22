#include "app/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/terminal.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

/// "about 6,001,215 rows, 1.2 GiB", or what is known of it.
std::string Estimate(int64_t rows, int64_t bytes) {
  std::string text;
  if (rows >= 0) text = fmt::format("about {} {}", FormatCount(rows), rows == 1 ? "row" : "rows");
  if (bytes >= 0) text += fmt::format("{}{}", text.empty() ? "about " : ", ", FormatBytes(bytes));
  return text;
}

std::string Heading(std::string_view text, const TableStyle& style) {
  const Paint paint(style.color);
  return fmt::format("\n{}{}{}\n", paint.bold, text, paint.reset);
}

TableStyle Indented(TableStyle style) {
  style.indent = 2;
  return style;
}

std::string EndsText(const elt::Prepared& prepared) {
  std::string text = fmt::format("  from  {}\n", prepared.source.description);
  const std::string size =
      Estimate(prepared.source.estimated_rows, prepared.source.estimated_bytes);
  if (!size.empty()) text += fmt::format("        {}\n", size);
  for (const elt::BoundTarget& target : prepared.targets) {
    text += fmt::format("  to    {}\n", target.description);
    if (!target.names.empty()) text += fmt::format("        {}\n", target.names);
  }
  return text;
}

/// Neighbours with the same fate: "2026-01-01 to 2026-01-30".
struct RunGroup {
  const elt::RunDecision* first;
  const elt::RunDecision* last;
  int64_t count = 1;
};

std::vector<RunGroup> GroupRuns(const elt::Prepared& prepared) {
  std::vector<RunGroup> groups;
  const elt::RunDecision* previous = nullptr;
  for (const elt::RunDecision& decision : prepared.runs) {
    if (previous != nullptr && previous->decision == decision.decision &&
        previous->reason == decision.reason) {
      groups.back().last = &decision;
      ++groups.back().count;
    } else if (decision.decision != elt::Decision::kSkip) {
      groups.push_back({&decision, &decision});
    }
    previous = decision.decision == elt::Decision::kSkip ? nullptr : &decision;
  }
  return groups;
}

std::string_view MarkOf(elt::Decision decision, const Paint& paint) {
  if (decision == elt::Decision::kRefuse) return paint.red;
  return decision == elt::Decision::kReplace ? paint.yellow : std::string_view();
}

std::string RunsText(const elt::Prepared& prepared, bool has_windows, const TableStyle& style) {
  const Paint paint(style.color);
  const auto published = std::ranges::count(prepared.runs, elt::Decision::kSkip,
                                            &elt::RunDecision::decision);
  const std::vector<RunGroup> groups = GroupRuns(prepared);
  Table table({{has_windows ? "window" : "run"},
               {"count", Align::kRight},
               {"what"},
               {"why", Align::kLeft, true}});
  for (size_t i = 0; i < std::min(groups.size(), kPlanRowsMax); ++i) {
    const RunGroup& group = groups[i];
    std::string label = group.first->run.Label();
    if (group.count > 1) label += " to " + group.last->run.Label();
    table.AddRow({std::move(label), FormatCount(group.count),
                  std::string(NameOf(group.first->decision)), group.first->reason},
                 MarkOf(group.first->decision, paint));
  }
  std::string text = table.Render(Indented(style));
  if (groups.size() > kPlanRowsMax) {
    text += fmt::format("  and {} more\n", groups.size() - kPlanRowsMax);
  }
  if (published > 0) {
    text += fmt::format("  {} {} published and will be left alone\n", FormatCount(published),
                        published == 1 ? "is" : "are");
  }
  return text.empty() ? "  nothing: no window is closed yet\n" : text;
}

std::string PartitionsText(const elt::Prepared& prepared, const TableStyle& style) {
  Table table({{"partition"},
               {"rows", Align::kRight},
               {"size", Align::kRight},
               {"connections", Align::kRight},
               {"meaning", Align::kLeft, true}});
  for (size_t i = 0; i < std::min(prepared.partitions.size(), kPlanRowsMax); ++i) {
    const elt::Partition& partition = prepared.partitions[i];
    const bool rows_known = partition.estimated_rows >= 0;
    const bool bytes_known = partition.estimated_bytes >= 0;
    table.AddRow({partition.id, rows_known ? "~" + FormatCount(partition.estimated_rows) : "?",
                  bytes_known ? "~" + FormatBytes(partition.estimated_bytes) : "?",
                  std::to_string(partition.slices.size()), partition.meaning});
  }
  std::string text = table.Render(Indented(style));
  if (prepared.partitions.size() > kPlanRowsMax) {
    text += fmt::format("  and {} more\n", prepared.partitions.size() - kPlanRowsMax);
  }
  const std::string& query = prepared.partitions.front().query;
  if (!query.empty()) text += fmt::format("  the first one asks: {}\n", query);
  return text;
}

std::string MemoryText(const elt::MemoryPlan& memory) {
  std::string text = fmt::format("  at least {}\n", FormatBytes(memory.minimum_bytes));
  text += fmt::format("  {} for the process, {} for each partition in flight\n",
                      FormatBytes(memory.fixed_bytes), FormatBytes(memory.partition_bytes));
  const std::string budget = memory.budget_bytes > 0 ? "in " + FormatBytes(memory.budget_bytes)
                                                     : std::string("no limit given");
  return text + fmt::format("  {}: {} {} at a time\n", budget, memory.slots,
                            memory.slots == 1 ? "partition" : "partitions");
}

}  // namespace

std::string_view NameOf(elt::Decision decision) {
  switch (decision) {
    case elt::Decision::kRun:
      return "run";
    case elt::Decision::kResume:
      return "go on";
    case elt::Decision::kReplace:
      return "replace";
    case elt::Decision::kSkip:
      return "skip";
    case elt::Decision::kRefuse:
      return "refused";
  }
  return "";
}

std::string ColumnsText(const elt::Prepared& prepared, const TableStyle& style) {
  std::vector<Column> columns = {{"column"}, {"source"}, {"stream"}};
  for (size_t i = 0; i < prepared.targets.size(); ++i) {
    columns.push_back({i == 0 ? "target" : fmt::format("target {}", i + 1), Align::kLeft, true});
  }
  Table table(std::move(columns));
  for (const elt::ColumnTrace& column : TraceColumns(prepared)) {
    std::vector<std::string> cells = {column.name, column.source_type, column.type};
    cells.insert(cells.end(), column.target_types.begin(), column.target_types.end());
    table.AddRow(std::move(cells));
  }
  return table.Render(Indented(style));
}

std::string PlanText(const elt::Plan& plan, const elt::Prepared& prepared,
                     const TableStyle& style) {
  const Paint paint(style.color);
  std::string text =
      fmt::format("{}{}{}, plan {}\n", paint.bold, plan.name, paint.reset, plan.hash);
  text += EndsText(prepared);
  text += Heading("columns", style) + ColumnsText(prepared, style);
  text += Heading(plan.window ? "windows" : "runs", style);
  text += RunsText(prepared, plan.window.has_value(), style);
  if (!prepared.partitions.empty()) {
    const auto first = std::ranges::find_if(prepared.runs, [](const elt::RunDecision& decision) {
      return decision.decision != elt::Decision::kSkip &&
             decision.decision != elt::Decision::kRefuse;
    });
    const std::string label = first == prepared.runs.end() ? "" : first->run.Label();
    text += Heading(fmt::format("partitions of {}", label), style);
    text += PartitionsText(prepared, style);
    text += Heading("memory", style) + MemoryText(prepared.memory);
  }
  if (!prepared.notes.empty()) text += Heading("notes", style);
  for (const std::string& note : prepared.notes) text += fmt::format("  - {}\n", note);
  return text;
}

}  // namespace levada::app
