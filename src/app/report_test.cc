#include <gtest/gtest.h>

#include "app/report_text.h"
#include "app/run_reports.h"
#include "os/memory_disk.h"

namespace levada::app {
namespace {

elt::RunInstanceReport Window(const std::string& label, Status status = Status::OK()) {
  elt::RunInstanceReport run;
  run.label = label;
  run.status = std::move(status);
  run.outcome = run.status.ok() ? elt::RunOutcome::kPublished : elt::RunOutcome::kFailed;
  run.rows = run.status.ok() ? 48'211 : 0;
  run.files = run.status.ok() ? 1 : 0;
  run.bytes = run.status.ok() ? 1'572'864 : 0;
  run.elapsed_ns = 400'000'000;
  return run;
}

elt::RunReport Report(int windows) {
  elt::RunReport report;
  report.run_id = "00112233445566ff";
  report.pipeline = "orders";
  report.started_at = 1'767'225'600'000'000;
  report.targets = {"Parquet files in ./lake/orders"};
  report.elapsed_ns = 2'000'000'000;
  report.peak_memory_bytes = 64 << 20;
  for (int i = 1; i <= windows; ++i) report.runs.push_back(Window("w" + std::to_string(i)));
  report.rows = 48'211 * windows;
  report.files = windows;
  report.bytes = 1'572'864 * windows;
  return report;
}

TEST(Summary, OfAWholeTableSaysHowMuchHowFastAndWhere) {
  elt::RunReport report = Report(1);
  report.runs[0].label = "all";
  EXPECT_EQ(SummaryText(report, "", "st/r.json", {}),
            "orders: published\n"
            "  rows    48,211 in 1 file, 1.5 MiB\n"
            "  time    2s, 24.1k rows/s, peak memory 64 MiB\n"
            "  target  Parquet files in ./lake/orders\n"
            "  report  st/r.json\n");
}

TEST(Summary, ListsWindowsAndWhatWasPublishedBefore) {
  elt::RunReport report = Report(2);
  report.runs_published_before = 28;
  const std::string text = SummaryText(report, "window", "", {});
  EXPECT_NE(text.find("w1      published  48,211      1  1.5 MiB"), std::string::npos) << text;
  EXPECT_NE(text.find("orders: 2 windows published\n  rows    96,422 in 2 files"),
            std::string::npos);
  EXPECT_EQ(text.find("error"), std::string::npos) << "a column that has nothing to say";
  EXPECT_NE(text.find("28 windows were published before"), std::string::npos);
}

TEST(Summary, OfManyWindowsShowsTheNewestAndAllThatFailed) {
  elt::RunReport report = Report(40);
  report.runs[3] = Window("w4", Fault(FaultCode::kCastFailed, "column \"amount\": \"x\""));
  report.status = report.runs[3].status;
  const std::string text = SummaryText(report, "window", "", {});
  EXPECT_NE(text.find("w4 "), std::string::npos);
  EXPECT_NE(text.find("LV3105 column \"amount\": \"x\""), std::string::npos);
  EXPECT_EQ(text.find("w5 "), std::string::npos);
  EXPECT_NE(text.find("w40 "), std::string::npos);
  EXPECT_NE(text.find("and 27 windows before, all published"), std::string::npos) << text;
}

TEST(Summary, SaysWhenOneRunWasReadAtSeveralMoments) {
  elt::RunReport report = Report(1);
  report.runs[0].snapshots = {"a", "b"};
  report.relaxed = {"one snapshot"};
  const std::string text = SummaryText(report, "window", "", {});
  EXPECT_NE(text.find("w1 was read at 2 moments"), std::string::npos);
  EXPECT_NE(text.find("given up: one snapshot"), std::string::npos);
}

TEST(NothingToDo, SaysWhy) {
  elt::Plan plan;
  plan.name = "orders";
  elt::Prepared prepared;
  EXPECT_NE(NothingToDoText(plan, prepared, false).find("nothing left to do"), std::string::npos);
  EXPECT_NE(NothingToDoText(plan, prepared, true).find("begun"), std::string::npos);
  plan.window = elt::WindowSpec();
  EXPECT_NE(NothingToDoText(plan, prepared, false).find("no window is closed"), std::string::npos);
  prepared.runs.emplace_back();
  EXPECT_NE(NothingToDoText(plan, prepared, false).find("1 window is published"),
            std::string::npos);
}

TEST(SaveReport, NamesTheFileByTimeAndKeepsTheNewest) {
  os::MemoryDisk disk;
  elt::RunReport report = Report(1);
  const Result<std::string> path = SaveReport(disk, "state", report);
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_EQ(*path, "state/runs/orders/20260101T000000Z-00112233445566ff.json");
  for (size_t i = 0; i < kReportsKept + 5; ++i) {
    report.started_at += 1'000'000;
    ASSERT_TRUE(SaveReport(disk, "state", report).ok());
  }
  EXPECT_EQ(disk.List("state/runs/orders")->size(), kReportsKept);
  EXPECT_FALSE((*disk.Stat(*path)).has_value());
}

}  // namespace
}  // namespace levada::app
