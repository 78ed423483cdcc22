#include "app/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/column_steps.h"
#include "app/help.h"
#include "app/report_text.h"
#include "app/terminal.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

/// "about 6,001,215 rows, 1.2 GiB", or what is known of it.
std::string Estimate(int64_t rows, int64_t bytes) {
  std::string text;
  if (rows >= 0) text = "about " + FormatCount(rows, "row");
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

/// `text` in lines of the terminal's width, those after the first indented; whole where nobody
/// looks, so that a script finds it.
std::string WrappedLine(const std::string& text, int indent, const TableStyle& style) {
  return style.width == 0 ? text : Wrapped(text, style.width - indent, indent);
}

std::string EndsText(const elt::Prepared& prepared, const TableStyle& style) {
  std::string text =
      fmt::format("  from  {}\n", WrappedLine(prepared.source.description, 8, style));
  const std::string size =
      Estimate(prepared.source.estimated_rows, prepared.source.estimated_bytes);
  if (!size.empty()) text += fmt::format("        {}\n", size);
  for (const elt::BoundTarget& target : prepared.targets) {
    text += fmt::format("  to    {}\n", WrappedLine(target.description, 8, style));
    if (!target.names.empty()) {
      text += fmt::format("        {}\n", WrappedLine("files such as " + target.names, 8, style));
    }
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

std::string RunsText(const elt::Plan& plan, const elt::Prepared& prepared,
                     const TableStyle& style) {
  const Paint paint(style.color);
  const auto published =
      std::ranges::count(prepared.runs, elt::Decision::kSkip, &elt::RunDecision::decision);
  const std::vector<RunGroup> groups = GroupRuns(prepared);
  const std::string_view word = plan.run_word();
  Table table({{.title = word.empty() ? "run" : std::string(word), .may_wrap = true},
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
  if (!text.empty()) return text;
  if (!plan.increment) return "  nothing: no window is closed yet\n";
  return "  nothing: the source has no rows yet" + BeyondLagText(plan, prepared) + "\n";
}

/// What disappears when the replacing runs are published.
std::string ReplacedText(const elt::Prepared& prepared) {
  std::string files;
  size_t shown = 0;
  int64_t count = 0;
  int64_t bytes = 0;
  for (const ReplacedRun& run : ReplacedRuns(prepared)) {
    count += run.files;
    bytes += run.bytes;
    for (const std::string& path : run.paths) {
      if (shown++ < kReplacedShownMax) files += fmt::format("    {}\n", path);
    }
  }
  if (count == 0) return {};
  if (shown > kReplacedShownMax) {
    files += fmt::format("    and {} more\n", FormatCount(static_cast<int64_t>(shown) -
                                                          static_cast<int64_t>(kReplacedShownMax)));
  }
  return fmt::format("  {}, {}, will be replaced\n{}", FormatCount(count, "file"),
                     FormatBytes(bytes), files);
}

/// "12,345, sequential scan", or what is known of it.
std::string CostText(const elt::QueryCost& cost) {
  constexpr double kMost = 9e18;
  std::string text;
  if (cost.cost >= 0) text = FormatCount(static_cast<int64_t>(std::min(cost.cost, kMost)));
  if (!cost.scan.empty()) text += (text.empty() ? "" : ", ") + cost.scan;
  return text;
}

std::string PartitionsText(const elt::Prepared& prepared, const TableStyle& style) {
  Table table({{"partition"},
               {"rows", Align::kRight},
               {"size", Align::kRight, false, true},
               {"connections", Align::kRight},
               {"cost", Align::kLeft, true, true},
               {"meaning", Align::kLeft, true}});
  for (size_t i = 0; i < std::min(prepared.partitions.size(), kPlanRowsMax); ++i) {
    const elt::Partition& partition = prepared.partitions[i];
    const bool rows_known = partition.estimated_rows >= 0;
    const bool bytes_known = partition.estimated_bytes >= 0;
    table.AddRow({partition.id, rows_known ? "~" + FormatCount(partition.estimated_rows) : "?",
                  bytes_known ? "~" + FormatBytes(partition.estimated_bytes) : "",
                  std::to_string(partition.slices.size()), CostText(partition.cost),
                  partition.meaning});
  }
  std::string text = table.Render(Indented(style));
  if (prepared.partitions.size() > kPlanRowsMax) {
    text += fmt::format("  and {} more\n", prepared.partitions.size() - kPlanRowsMax);
  }
  return text;
}

std::string MemoryText(const elt::Prepared& prepared, const TableStyle& style) {
  const elt::MemoryPlan& memory = prepared.memory;
  size_t slices = 1;
  for (const elt::Partition& partition : prepared.partitions) {
    slices = std::max(slices, partition.slices.size());
  }
  const int64_t slices_in_flight = std::min<int64_t>(memory.slices, static_cast<int64_t>(slices));
  const int64_t in_flight = int64_t{memory.windows} * memory.slots * slices_in_flight;
  const std::string sum =
      fmt::format("{} for the process + {} for each connection = about {}",
                  FormatBytes(memory.fixed_bytes), FormatBytes(memory.slice_bytes),
                  FormatBytes(memory.fixed_bytes + in_flight * memory.slice_bytes));
  std::string text = fmt::format("{} at a time, {} each", FormatCount(memory.slots, "partition"),
                                 FormatCount(slices_in_flight, "connection"));
  if (memory.windows > 1) text += fmt::format(", in {}", FormatCount(memory.windows, "window"));
  text += memory.budget_bytes > 0
              ? fmt::format("; the budget is {}", FormatBytes(memory.budget_bytes))
              : std::string("; there is no budget");
  return fmt::format("  {}\n  {}\n  the least budget: --memory {}MiB\n", WrappedLine(sum, 2, style),
                     WrappedLine(text, 2, style), (memory.minimum_bytes >> 20) + 1);
}

/// The last line: is there something to do?
std::string Verdict(const elt::Plan& plan, const elt::Prepared& prepared, const Paint& paint) {
  const int64_t due = prepared.PendingCount();
  if (due == 0) {
    const bool refused = std::ranges::any_of(
        prepared.runs, [](const auto& run) { return run.decision == elt::Decision::kRefuse; });
    return refused ? std::string() : fmt::format("\n{}nothing to do{}\n", paint.green, paint.reset);
  }
  const std::string what =
      plan.run_word().empty() ? std::string("the whole table") : FormatCount(due, plan.run_word());
  return fmt::format("\n{}to do:{} {}\n", paint.bold, paint.reset, what);
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

std::vector<ReplacedRun> ReplacedRuns(const elt::Prepared& prepared) {
  std::vector<ReplacedRun> replaced;
  for (const elt::RunDecision& decision : prepared.runs) {
    if (decision.decision != elt::Decision::kReplace) continue;
    ReplacedRun run{decision.run.Label(), 0, 0, {}};
    for (const elt::PublishedRun& published : decision.published) {
      if (!published.finished) continue;
      run.files += published.files;
      run.bytes += published.bytes;
      if (published.pending) continue;  // its partitions are those of the new run
      for (const elt::PartitionRecord& partition : published.partitions) {
        for (const elt::Receipt& receipt : partition.receipts) {
          for (const elt::WrittenFile& file : receipt.files) run.paths.push_back(file.path);
        }
      }
    }
    replaced.push_back(std::move(run));
  }
  return replaced;
}

std::string ColumnsText(const elt::Plan& plan, const elt::Prepared& prepared,
                        const TableStyle& style) {
  std::vector<Column> columns;
  for (const char* title : {"column", "source", "stream"}) {
    columns.push_back({.title = title, .may_wrap = true});
  }
  for (size_t i = 0; i < prepared.targets.size(); ++i) {
    columns.push_back({i == 0 ? "target" : fmt::format("target {}", i + 1), Align::kLeft, true});
  }
  Table table(std::move(columns));
  for (const ColumnPath& column : FollowColumns(plan, prepared)) {
    std::vector<std::string> cells = {NamesText(column), column.source_type, TypesText(column)};
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
  text += EndsText(prepared, style);
  text += Heading("columns", style) + ColumnsText(plan, prepared, style);
  const std::string_view word = plan.run_word();
  text += Heading(fmt::format("{}s", word.empty() ? "run" : word), style);
  text += RunsText(plan, prepared, style) + ReplacedText(prepared);
  if (!prepared.partitions.empty()) {
    const auto first = std::ranges::find_if(prepared.runs, [](const elt::RunDecision& decision) {
      return decision.decision != elt::Decision::kSkip &&
             decision.decision != elt::Decision::kRefuse;
    });
    const std::string label = first == prepared.runs.end() ? "" : first->run.Label();
    text += Heading(fmt::format("partitions of {}", label), style);
    text += PartitionsText(prepared, style);
    const elt::Partition& partition = prepared.partitions.front();
    if (!partition.query.empty()) {
      text += Heading(fmt::format("query of {}", partition.id), style);
      text += fmt::format("  {}\n", WrappedLine(partition.query, 2, style));
    }
    text += Heading("memory", style) + MemoryText(prepared, style);
  }
  if (!prepared.notes.empty()) text += Heading("notes", style);
  for (const std::string& note : prepared.notes) {
    text += fmt::format("  - {}\n", WrappedLine(note, 4, style));
  }
  return text + Verdict(plan, prepared, paint);
}

}  // namespace levada::app
