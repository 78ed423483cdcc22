#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/error_pages.h"
#include "app/json_output.h"
#include "app/table.h"
#include "base/json.h"

namespace levada::app {
namespace {

std::string_view NameOf(Blame blame) {
  switch (blame) {
    case Blame::kData:
      return "data";
    case Blame::kSchema:
      return "schema";
    case Blame::kConfig:
      return "configuration";
    case Blame::kAuth:
      return "authentication";
    case Blame::kCapacity:
      return "capacity";
    case Blame::kTarget:
      return "target";
    case Blame::kSource:
      return "source";
    case Blame::kLease:
      return "another run";
    case Blame::kSignal:
      return "signal";
    case Blame::kOurs:
      return "levada";
  }
  return "levada";
}

Json JsonOf(const FaultKind& kind) {
  Json json;
  json["code"] = CodeName(kind.code);
  json["title"] = kind.title;
  json["blame"] = WordOf(kind.blame);
  json["retryable"] = kind.retryable;
  json["exit_status"] = kind.exit_status;
  return json;
}

std::string_view PageOf(const FaultKind& kind) {
  const auto pages = ErrorPages();
  const auto page = std::ranges::find(pages, CodeName(kind.code), &ErrorPage::code);
  return page == pages.end() ? std::string_view() : page->text;
}

/// Markdown as a terminal can show it: headings bold, code in another colour, nothing else touched.
std::string Shown(std::string_view markdown, const Paint& paint) {
  std::string out;
  bool in_code = false;
  while (!markdown.empty()) {
    const size_t end = std::min(markdown.find('\n'), markdown.size());
    const std::string_view line = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    if (line.starts_with("```")) {
      in_code = !in_code;
    } else if (in_code) {
      out += fmt::format("    {}{}{}\n", paint.cyan, line, paint.reset);
    } else if (line.starts_with("#")) {
      const std::string_view title =
          line.substr(std::min(line.find_first_not_of("# "), line.size()));
      out += fmt::format("{}{}{}\n", paint.bold, title, paint.reset);
    } else {
      out += fmt::format("{}\n", line);
    }
  }
  return out;
}

Status ExplainAll(bool json, const Terminal& terminal) {
  if (json) {
    Json all;
    all["levada_explain"] = kJsonVersion;
    all["errors"] = Json::array();
    for (const FaultKind& kind : FaultKinds()) all["errors"].push_back(JsonOf(kind));
    return WriteOutput(Dump(all, 2) + "\n");
  }
  Table table({{"code"}, {"exit", Align::kRight}, {"whose fault"}, {"tried again"}, {"what"}});
  for (const FaultKind& kind : FaultKinds()) {
    table.AddRow({CodeName(kind.code), std::to_string(kind.exit_status),
                  std::string(NameOf(kind.blame)), kind.retryable ? "yes" : "no",
                  std::string(kind.title)});
  }
  return WriteOutput(table.Render({.color = terminal.output_color, .utf8 = terminal.utf8}));
}

Status ExplainOne(const CommandLine& line, const Terminal& terminal) {
  const FaultKind* kind = FindFaultKind(line.error_code);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const FaultKind& known : FaultKinds()) names.push_back(CodeName(known.code));
    const std::string nearest = NearestName(line.error_code, names);
    return Fault(FaultCode::kBadCommandLine,
                 fmt::format("no error has the code \"{}\"", line.error_code))
        .Help(nearest.empty() ? "`levada explain` lists all codes"
                              : fmt::format("did you mean \"{}\"?", nearest));
  }
  if (line.json) {
    Json json;
    json["levada_explain"] = kJsonVersion;
    json.update(JsonOf(*kind));
    json["page"] = PageOf(*kind);
    return WriteOutput(Dump(json, 2) + "\n");
  }
  return WriteOutput(Shown(PageOf(*kind), Paint(terminal.output_color)));
}

}  // namespace

Outcome Explain(const CommandLine& line, const Terminal& terminal) {
  Outcome outcome;
  outcome.Note(line.error_code.empty() ? ExplainAll(line.json, terminal)
                                       : ExplainOne(line, terminal));
  return outcome;
}

}  // namespace levada::app
