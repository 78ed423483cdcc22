#include "app/progress_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/quantity.h"

namespace levada::app {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kRateWindow{3};  // long enough to be steady, short enough to follow
constexpr nanoseconds kRateMin{200'000'000};
constexpr nanoseconds kLeftAfter{1'500'000'000};  // an earlier guess would jump about
constexpr double kAlmost = 0.99;                  // estimates are estimates: only the end is 100 %

double SecondsOf(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::string_view NameOf(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kUnknown:
      return "";
    case Bottleneck::kSource:
      return "source";
    case Bottleneck::kDecode:
      return "decoding";
    case Bottleneck::kTransform:
      return "transform";
    case Bottleneck::kEncode:
      return "encoding";
    case Bottleneck::kTarget:
      return "target";
  }
  return "";
}

void ProgressModel::Totals::Add(const Counters& counters) {
  rows += counters.rows_read.load(std::memory_order_relaxed);
  bytes += counters.bytes_read.load(std::memory_order_relaxed);
  source_wait_ns += counters.source_wait_ns.load(std::memory_order_relaxed);
  decode_ns += counters.decode_ns.load(std::memory_order_relaxed);
  transform_ns += counters.transform_ns.load(std::memory_order_relaxed);
  encode_ns += counters.encode_ns.load(std::memory_order_relaxed);
  target_wait_ns += counters.target_wait_ns.load(std::memory_order_relaxed);
}

void ProgressModel::InvocationBegins(const std::string& pipeline, int runs_to_do, SteadyTime now) {
  *this = ProgressModel();
  active_ = true;
  pipeline_ = pipeline;
  runs_total_ = runs_to_do;
  began_ = now;
}

void ProgressModel::RunBegins(const elt::RunView& run, SteadyTime now) {
  Run begun;
  begun.view = run;
  begun.began = now;
  begun.partitions_done = run.partitions_done;
  runs_[run.label] = std::move(begun);
  order_.push_back(run.label);
}

void ProgressModel::AttemptBegins(const std::string& label, const Counters* counters) {
  const auto run = runs_.find(label);
  if (run != runs_.end()) run->second.attempts.insert(counters);
}

void ProgressModel::AttemptEnds(const std::string& label, const Counters* counters,
                                const Status& status, int64_t retry_in_ms, SteadyTime now) {
  ended_.Add(*counters);
  const auto found = runs_.find(label);
  if (found == runs_.end()) return;
  Run& run = found->second;
  run.attempts.erase(counters);
  if (status.ok()) {
    run.rows_ended += counters->rows_read.load(std::memory_order_relaxed);
    ++run.partitions_done;
  } else if (retry_in_ms >= 0) {
    const nanoseconds pause = std::chrono::milliseconds(retry_in_ms);
    run.trouble =
        fmt::format("trying again in {}: {}", FormatDuration(pause), FaultOf(status).message());
    run.trouble_until = now + pause + seconds(1);
  }
}

RunProgress ProgressModel::RunEnds(const std::string& label, SteadyTime now) {
  RunProgress ended;
  ended.label = label;
  const auto found = runs_.find(label);
  if (found != runs_.end()) ended = LookAt(found->second, now);
  ++runs_done_;
  runs_.erase(label);
  std::erase(order_, label);
  return ended;
}

void ProgressModel::InvocationEnds() { active_ = false; }

ProgressModel::Totals ProgressModel::TotalsNow() const {
  Totals totals = ended_;
  for (const auto& [label, run] : runs_) {
    for (const Counters* counters : run.attempts) totals.Add(*counters);
  }
  return totals;
}

RunProgress ProgressModel::LookAt(const Run& run, SteadyTime now) const {
  RunProgress progress;
  progress.label = run.view.label;
  progress.rows = run.rows_ended;
  for (const Counters* counters : run.attempts) {
    progress.rows += counters->rows_read.load(std::memory_order_relaxed);
  }
  progress.partitions_done = run.partitions_done;
  progress.partitions_total = run.view.partitions_total;
  progress.age = now - run.began;
  if (run.view.estimated_rows > 0) {
    const double estimated = static_cast<double>(run.view.estimated_rows);
    progress.fraction = std::min(kAlmost, static_cast<double>(progress.rows) / estimated);
  }
  if (now < run.trouble_until) progress.trouble = run.trouble;
  return progress;
}

void ProgressModel::ComputeRates(SteadyTime now, ProgressView& view) {
  samples_.push_back({now, TotalsNow()});
  while (samples_.size() > 2 && now - samples_[1].time >= kRateWindow) samples_.pop_front();
  const Sample& from = samples_.front();
  const Sample& to = samples_.back();
  view.rows = to.totals.rows;
  if (to.time - from.time < kRateMin) return;
  const double elapsed = SecondsOf(to.time - from.time);
  view.rows_per_second = static_cast<double>(to.totals.rows - from.totals.rows) / elapsed;
  view.bytes_per_second = static_cast<double>(to.totals.bytes - from.totals.bytes) / elapsed;
  const std::array<std::pair<int64_t, Bottleneck>, 5> shares = {{
      {to.totals.source_wait_ns - from.totals.source_wait_ns, Bottleneck::kSource},
      {to.totals.decode_ns - from.totals.decode_ns, Bottleneck::kDecode},
      {to.totals.transform_ns - from.totals.transform_ns, Bottleneck::kTransform},
      {to.totals.encode_ns - from.totals.encode_ns, Bottleneck::kEncode},
      {to.totals.target_wait_ns - from.totals.target_wait_ns, Bottleneck::kTarget},
  }};
  const auto largest = std::ranges::max_element(shares, {}, &std::pair<int64_t, Bottleneck>::first);
  if (largest->first > 0) view.bottleneck = largest->second;
}

std::optional<ProgressView> ProgressModel::Look(SteadyTime now) {
  if (!active_) return std::nullopt;
  ProgressView view;
  view.pipeline = pipeline_;
  view.runs_done = runs_done_;
  view.runs_total = runs_total_;
  ComputeRates(now, view);
  double done = runs_done_;
  bool known = runs_total_ > 0;
  for (const std::string& label : order_) {
    view.runs.push_back(LookAt(runs_.at(label), now));
    // Of many runs one without an estimate counts as not begun; of a single one it hides the bar.
    if (view.runs.back().fraction) done += *view.runs.back().fraction;
    known = known && (view.runs.back().fraction || runs_total_ > 1);
  }
  if (known) view.fraction = done / runs_total_;
  const nanoseconds elapsed = now - began_;
  if (known && *view.fraction > 0.01 && elapsed > kLeftAfter) {
    const double left = SecondsOf(elapsed) * (1 - *view.fraction) / *view.fraction;
    view.time_left = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(left));
  }
  return view;
}

}  // namespace levada::app
