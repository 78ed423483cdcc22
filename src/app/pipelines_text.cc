#include "app/pipelines_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/json_output.h"
#include "app/terminal.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

std::string_view MarkOf(const PipelineLine& line, const Paint& paint) {
  if (!line.status.ok()) return paint.red;
  return line.state == "nothing to do" ? paint.dim : std::string_view();
}

std::string ErrorOf(const Status& status) {
  if (status.ok()) return {};
  const Fault fault = FaultOf(status);
  return fmt::format("{} {}", CodeName(fault.code()), fault.message());
}

std::string Known(int64_t number) { return number < 0 ? std::string() : FormatCount(number); }

Json KnownJson(int64_t number) { return number < 0 ? Json() : Json(number); }

std::string Counts(const std::vector<PipelineLine>& lines) {
  std::vector<std::pair<std::string, int64_t>> counts;  // in the order of their first one
  for (const PipelineLine& line : lines) {
    auto found = std::ranges::find(counts, line.state, &std::pair<std::string, int64_t>::first);
    if (found == counts.end()) found = counts.insert(counts.end(), {line.state, 0});
    ++found->second;
  }
  std::string text = FormatCount(static_cast<int64_t>(lines.size()), "pipeline");
  for (size_t i = 0; i < counts.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? ": " : ", ", FormatCount(counts[i].second),
                        counts[i].first);
  }
  return text + "\n";
}

}  // namespace

std::string PipelinesText(const std::vector<PipelineLine>& lines, const TableStyle& style) {
  if (lines.empty()) return Counts(lines);
  const Paint paint(style.color);
  Table table({{"pipeline"},
               {"state"},
               {.title = "what", .may_vanish = true, .may_wrap = true},
               {"runs", Align::kRight, false, true},
               {"rows", Align::kRight, false, true},
               {"files", Align::kRight, false, true},
               {"size", Align::kRight, false, true},
               {"time", Align::kRight, false, true},
               {"error", Align::kLeft, true, true}});
  for (const PipelineLine& line : lines) {
    table.AddRow(
        {line.name, line.state, line.detail, Known(line.runs), Known(line.rows), Known(line.files),
         line.bytes < 0 ? "" : FormatBytes(line.bytes),
         line.elapsed_ns < 0 ? "" : FormatDuration(std::chrono::nanoseconds(line.elapsed_ns)),
         ErrorOf(line.status)},
        MarkOf(line, paint));
  }
  return table.Render(style) + "\n" + Counts(lines);
}

std::string PipelinesJson(const std::vector<PipelineLine>& lines) {
  Json json;
  json["levada_pipelines"] = kJsonVersion;
  json["pipelines"] = Json::array();
  for (const PipelineLine& line : lines) {
    json["pipelines"].push_back(
        {{"pipeline", line.name},
         {"file", line.file},
         {"state", line.state},
         {"runs", KnownJson(line.runs)},
         {"rows", KnownJson(line.rows)},
         {"files", KnownJson(line.files)},
         {"bytes", KnownJson(line.bytes)},
         {"elapsed_ns", KnownJson(line.elapsed_ns)},
         {"error", line.status.ok() ? Json() : ParseJson(RenderJson(FaultOf(line.status)))}});
  }
  return Dump(json);
}

}  // namespace levada::app
