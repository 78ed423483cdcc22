// Any bytes as a pipeline file: a plan or a refusal with places inside the text, never anything
// else. What the text says as a label, a time or a layout is tried as well.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "elt/fake_catalog.h"
#include "elt/plan.h"

namespace levada::elt {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Every place is in the text, at most one column behind the end of its line.
void RequirePlace(const Diagnostic& diagnostic) {
  Require(diagnostic.source != nullptr && diagnostic.span.known() && diagnostic.span.length > 0);
  const std::string& text = diagnostic.source->text;
  size_t start = 0;
  for (uint32_t line = 1; line < diagnostic.span.line; ++line) {
    start = text.find('\n', start);
    Require(start != std::string::npos);
    ++start;
  }
  const size_t end = std::min(text.find('\n', start), text.size());
  Require(diagnostic.span.column >= 1 && diagnostic.span.column <= end - start + 1);
}

void RequireRefusal(const Status& status) {
  const Fault fault = FaultOf(status);
  Require(fault.kind().exit_status == 10 && !fault.diagnostics().empty());
  for (const Diagnostic& diagnostic : fault.diagnostics()) RequirePlace(diagnostic);
  Require(!Render(fault, {}).empty() && !RenderJson(fault).empty());
}

void TryWindows(const WindowSpec& spec) {
  constexpr WallMicros kNow = 1'800'000'000'000'000;
  const Result<std::vector<Window>> windows = ClosedWindows(spec, kNow, 50);
  if (!windows.ok()) return;
  for (const Window& window : *windows) {
    Require(window.start < window.end);
    Require(WindowByLabel(spec, window.label) == window);
  }
}

void TryPlan(const std::string& text) {
  static const Catalog catalog = fake::MakeCatalog();
  static const auto environment = fake::MakeEnvironment(
      {{"ORDERS_DSN", "postgres://h/db"}, {"WORD", "abc"}, {"BYTES", "\xff\xfe"}},
      {{"known.sql", "select 1"}});
  const auto source = fake::MakeSource(text);
  const Result<Plan> plan = ParsePlan(source, catalog, environment);
  if (!plan.ok()) return RequireRefusal(plan.status());
  Require(plan->hash.size() == 16 && !plan->loaders.empty());
  Require(ParsePlan(source, catalog, environment)->hash == plan->hash);
  for (const Diagnostic& warning : plan->warnings) RequirePlace(warning);
  if (plan->window) TryWindows(*plan->window);
  const Result<Stages> stages = MakeStages(*plan, catalog, StageInput{});
  if (!stages.ok()) RequireRefusal(stages.status());
}

void TryTexts(const std::string& text) {
  RunInstance run;
  run.window = Window{1'767'225'600'000'000, 1'767'312'000'000'000, "2026-01-01", "UTC"};
  (void)ExpandTemplate(text, run);
  WindowSpec spec;
  spec.start = run.window->start;
  for (const Every every : {Every::kMonth, Every::kDay, Every::kHour}) {
    spec.every = every;
    spec.timezone = every == Every::kHour ? "Europe/Berlin" : "UTC";
    const Result<Window> window = WindowByLabel(spec, text);
    Require(!window.ok() || window->label == text);
  }
}

}  // namespace
}  // namespace levada::elt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  levada::elt::TryPlan(text);
  levada::elt::TryTexts(text);
  return 0;
}
