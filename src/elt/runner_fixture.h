#pragma once
// For the tests of the runner: one pipeline from numbers to memory, and everything around it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "elt/controller.h"
#include "elt/fake_stages.h"
#include "elt/runner.h"
#include "os/disk.h"

namespace levada::elt {

// Runs partitions one after the other on the caller's thread: order and failures are the test's
// own.
class InlineController final : public JobController {
 public:
  Result<std::unique_ptr<JobHandle>> Start(Context& ctx, const PartitionJob& job,
                                           std::vector<int> indexes, int) override {
    return std::make_unique<Handle>(ctx, job, std::move(indexes));
  }

 private:
  class Handle final : public JobHandle {
   public:
    Handle(Context& ctx, const PartitionJob& job, std::vector<int> indexes)
        : ctx_(ctx), job_(job), indexes_(std::move(indexes)) {}
    std::optional<JobResult> Next() override {
      if (at_ == indexes_.size()) return std::nullopt;
      const int index = indexes_[at_++];
      return JobResult{index, job_.Run(ctx_, index)};
    }
    void Drain() override { at_ = indexes_.size(); }
    void Cancel() override { Drain(); }

   private:
    Context& ctx_;
    const PartitionJob& job_;
    std::vector<int> indexes_;
    size_t at_ = 0;
  };
};

// One pipeline from numbers to memory, and everything around it.
class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    plan.name = "numbers";
    plan.hash = "00000000000000aa";
    plan.retry.backoff = std::chrono::milliseconds(10);
    auto consumer = std::make_unique<fake::NumberConsumer>();
    source = consumer.get();
    stages.consumer = std::move(consumer);
    stages.loaders.push_back(std::make_unique<fake::MemoryLoader>(memory));
  }

  RunReport Run(RunOptions options = {}) {
    Engine engine{plan, stages, controller, *random, *disk, "test"};
    auto prepared = Prepare(here.ctx, engine, options, false);
    if (!prepared.ok()) {
      RunReport report;
      report.status = prepared.status();
      return report;
    }
    return RunPlan(here.ctx, engine, *prepared, nullptr, observer);
  }

  static std::multiset<int64_t> Expected(int partitions, int slices = 1) {
    std::multiset<int64_t> all;
    for (int i = 0; i < partitions; ++i) {
      for (int j = 0; j < slices; ++j) {
        for (int64_t n = 0; n < 10; ++n) all.insert(1000 * i + 100 * j + n);
      }
    }
    return all;
  }

  void SecondLoader() { stages.loaders.push_back(std::make_unique<fake::MemoryLoader>(other)); }

  fake::Surroundings here;
  fake::Memory memory, other;
  Plan plan;
  Stages stages;
  fake::NumberConsumer* source;
  InlineController controller;
  fake::NullObserver observer;
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
};

}  // namespace levada::elt
