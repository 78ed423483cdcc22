#pragma once
// A D1 database as its doors use it, on a disk of memory, whose calls a test waits for. For
// *_test.cc only.

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "services/d1/database.h"
#include "services/d1/database_fixture.h"

namespace levada::services::d1 {

/// A database whose calls are waited for.
class LiveDatabaseTest : public testing::Test {
 protected:
  static constexpr size_t kThreads = 4;
  LiveDatabaseTest() {
    EXPECT_THAT(DatabaseFiles::Create(disk, kDirectory, kDatabaseId, test.clock), IsOk());
    Start();
  }
  ~LiveDatabaseTest() override { End(); }

  void Start() {
    workers = std::make_unique<net::Workers>(kThreads, 100);
    database = std::make_shared<Database>(
        DatabaseSurroundings{disk, test.clock, *test.log, *workers, nullptr}, kDirectory,
        kDatabaseId, "shop", limits);
  }
  void End() {
    database->Stop();
    workers.reset();
    (void)database->CloseIfIdle(SteadyTime::max());
  }
  void StartAgain() {
    End();
    Start();
  }

  template <typename T>
  struct Waiting {
    std::shared_ptr<std::promise<Result<T>>> promise = std::make_shared<std::promise<Result<T>>>();
    Done<T> done() const {
      return [promise = promise](Result<T> result) { promise->set_value(std::move(result)); };
    }
    Result<T> Get() const { return promise->get_future().get(); }
  };

  Result<Ran> Run(std::vector<db::sqlite::SqlText> request) {
    const Waiting<Ran> waiting;
    database->Run(std::move(request), true, waiting.done());
    return waiting.Get();
  }
  /// The cells of the last statement, or what is wrong.
  std::string Ask(const std::string& sql) {
    const Result<Ran> ran = Run({{sql, {}}});
    if (!ran.ok()) return ran.status().ToString();
    if (ran->answer.error) return ran->answer.error->message;
    std::string told;
    for (const auto& row : ran->answer.results.back().rows) {
      for (const auto& value : row) {
        if (const auto* integer = std::get_if<int64_t>(&value)) told += std::to_string(*integer);
        if (const auto* text = std::get_if<std::string>(&value)) told += *text;
        told += ' ';
      }
    }
    return told;
  }
  std::string Now() {
    const Waiting<std::string> waiting;
    database->FindBookmark(std::nullopt, waiting.done());
    return ValueOf(waiting.Get());
  }
  Result<Restored> Restore(RestoreTarget target) {
    const Waiting<Restored> waiting;
    database->Restore(std::move(target), waiting.done());
    return waiting.Get();
  }

  /// What is asked while it lives waits for the threads of the pool, and comes to them together.
  class Pause {
   public:
    explicit Pause(LiveDatabaseTest& test) {
      const std::shared_future<void> end = end_.get_future().share();
      for (size_t i = 0; i < kThreads; ++i) {
        EXPECT_TRUE(test.workers->Submit([end] { end.wait(); }));
      }
    }
    ~Pause() { end_.set_value(); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    std::promise<void> end_;
  };

  TestContext test;
  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  DatabaseLimits limits;
  std::unique_ptr<net::Workers> workers;
  std::shared_ptr<Database> database;
};

}  // namespace levada::services::d1
