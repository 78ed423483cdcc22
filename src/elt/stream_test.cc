#include <gtest/gtest.h>

#include <thread>

#include "elt/fake_stages.h"
#include "elt/prefetch.h"
#include "elt/tee.h"
#include "elt/transform_stream.h"

namespace levada::elt {
namespace {

using fake::KeepEven;
using fake::NumberStream;
using fake::Script;
using fake::Surroundings;

// Everything a stream gives, or its first error.
Result<std::pair<std::vector<int64_t>, StreamEnd>> Drain(BatchStream& stream) {
  std::vector<int64_t> values;
  while (true) {
    BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    for (int64_t value : fake::ValuesOf(*batch)) values.push_back(value);
  }
  ARROW_ASSIGN_OR_RAISE(StreamEnd end, stream.Finish());
  return std::pair(values, end);
}

std::vector<int64_t> Iota(int64_t count) {
  std::vector<int64_t> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = i;
  return values;
}

TEST(Prefetch, KeepsOrderAndEnds) {
  Surroundings here;
  std::atomic<int> closed{0};
  auto stream =
      Prefetch(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 1000}, &closed), 2);
  auto drained = Drain(*stream);
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(drained->first, Iota(1000));
  EXPECT_EQ(drained->second.rows_sent, 1000);
  EXPECT_EQ(closed, 1);
}

TEST(Prefetch, GivesTheErrorOfTheSourceAfterTheBatchesBeforeIt) {
  Surroundings here;
  Script script{.rows = 100, .fails_after = 2};
  script.failure = Fault(FaultCode::kSourceConnectionLost, "gone");
  auto stream = Prefetch(here.ctx, std::make_unique<NumberStream>(0, script), 8);
  BatchPtr batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kSourceConnectionLost);
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kSourceConnectionLost)
      << "and stays failed";
  EXPECT_EQ(CodeOf(stream->Finish().status()), FaultCode::kSourceConnectionLost);
}

TEST(Prefetch, ReadsOnlyAsFarAheadAsItMay) {
  Surroundings here;
  std::atomic<int> asked{0};
  Script script{.rows = 300};
  script.each = [&] { ++asked; };
  auto stream = Prefetch(here.ctx, std::make_unique<NumberStream>(0, script), 2);
  BatchPtr batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  (void)stream->Close();
  EXPECT_LE(asked, 5) << "one taken, two queued, one being pushed, one more after the close";
}

TEST(Prefetch, ClosingEarlyClosesTheSource) {
  Surroundings here;
  std::atomic<int> closed{0};
  auto stream =
      Prefetch(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 1000}, &closed), 1);
  (void)stream->Close();
  (void)stream->Close();
  EXPECT_EQ(closed, 1);
  BatchPtr batch;
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kStopped);
}

TEST(Prefetch, AStopOfTheRunEndsTheWait) {
  Surroundings here;
  std::atomic<bool> inside{false};
  Script script{.rows = 10};
  script.each = [&] {
    inside = true;
    while (!here.stop.stop_requested()) std::this_thread::yield();
  };
  auto stream = Prefetch(here.ctx, std::make_unique<NumberStream>(0, script), 1);
  while (!inside) std::this_thread::yield();
  here.stop.request_stop();
  BatchPtr batch;
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kStopped);
}

TEST(Prefetch, FinishBeforeTheEndIsAnError) {
  Surroundings here;
  auto stream = Prefetch(here.ctx, std::make_unique<NumberStream>(0, Script{}), 1);
  EXPECT_EQ(CodeOf(stream->Finish().status()), FaultCode::kInternal);
}

class Transformed : public testing::TestWithParam<int> {};

TEST_P(Transformed, KeepsOrderAndAccountsForEveryRow) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<KeepEven>());
  auto rejects = std::make_shared<RejectBuffer>();
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 1000}),
                          transformers, rejects, GetParam());
  auto drained = Drain(*stream);
  ASSERT_TRUE(drained.ok()) << drained.status();
  const auto& [values, end] = *drained;
  EXPECT_TRUE(std::ranges::is_sorted(values));
  EXPECT_EQ(values.size(), 400u);
  EXPECT_EQ(end.rows_read, 1000);
  EXPECT_EQ(end.rows_filtered, 500);
  EXPECT_EQ(end.rows_rejected, 100);
  EXPECT_EQ(end.rows_out, 400);
  EXPECT_EQ(rejects->size(), 100u);
  int64_t next = 0;
  for (const Reject& reject : rejects->Take()) {
    EXPECT_EQ(reject.row_json, std::to_string(next)) << "in the order of the rows";
    next += 10;
  }
  EXPECT_EQ(here.counters.rows_rejected, 100);
}

TEST_P(Transformed, PassesTheSourcesErrorOn) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<KeepEven>());
  Script script{.rows = 100, .fails_after = 5};
  script.failure = Fault(FaultCode::kSourceTimeout, "slow");
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, script), transformers,
                          std::make_shared<RejectBuffer>(), GetParam());
  EXPECT_EQ(CodeOf(Drain(*stream).status()), FaultCode::kSourceTimeout);
}

TEST_P(Transformed, CanBeLeftInTheMiddle) {
  Surroundings here;
  std::atomic<int> closed{0};
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<KeepEven>());
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 100}, &closed),
                          transformers, std::make_shared<RejectBuffer>(), GetParam());
  BatchPtr batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  stream.reset();
  EXPECT_EQ(closed, 1);
}

INSTANTIATE_TEST_SUITE_P(Workers, Transformed, testing::Values(1, 2, 5));

class LosesARow final : public BoundTransformer {
 public:
  const SchemaPtr& schema() const override { return schema_; }
  Result<Mapped> Map(Context&, const BatchPtr& batch, RejectBuffer&) const override {
    return Mapped{batch->Slice(1), 0, 0};
  }

 private:
  SchemaPtr schema_ = fake::Numbers();
};

TEST(Transform, ATransformerThatLosesARowIsCaught) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<LosesARow>());
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{}), transformers,
                          std::make_shared<RejectBuffer>(), 1);
  EXPECT_EQ(CodeOf(Drain(*stream).status()), FaultCode::kInternal);
}

// Keeps odd numbers until the end and leaves out those that 10 divides; `loses` one of them, too.
class OddLast final : public BoundTransformer {
 public:
  explicit OddLast(bool loses = false) : loses_(loses) {}
  const SchemaPtr& schema() const override { return schema_; }
  int64_t pass_bytes() const override { return 1; }
  std::unique_ptr<Pass> MakePass() const override { return std::make_unique<OddPass>(loses_); }

 private:
  class OddPass final : public Pass {
   public:
    explicit OddPass(bool loses) : loses_(loses) {}
    Result<Mapped> Take(Context&, const BatchPtr& batch, RejectBuffer&) override {
      Mapped mapped;
      std::vector<int64_t> even;
      for (const int64_t value : fake::ValuesOf(*batch)) {
        if (value % 2 != 0) {
          odd_.push_back(value);
        } else if (value % 10 == 0) {
          ++mapped.filtered;
        } else {
          even.push_back(value);
        }
      }
      mapped.batch = BatchOf(even);
      return mapped;
    }
    Result<Mapped> Drain(Context&, RejectBuffer&) override {
      if (odd_.empty()) return Mapped{};
      const size_t count = std::min<size_t>(odd_.size(), 7);
      const std::vector<int64_t> some(odd_.begin(), odd_.begin() + static_cast<ptrdiff_t>(count));
      odd_.erase(odd_.begin(), odd_.begin() + static_cast<ptrdiff_t>(count));
      if (loses_ && odd_.empty()) return Mapped{BatchOf({}), 0, 0};
      return Mapped{BatchOf(some), 0, 0};
    }

   private:
    static BatchPtr BatchOf(const std::vector<int64_t>& values) {
      arrow::Int64Builder builder;
      (void)builder.AppendValues(values);
      return arrow::RecordBatch::Make(fake::Numbers(), static_cast<int64_t>(values.size()),
                                      {builder.Finish().ValueOrDie()});
    }
    const bool loses_;
    std::vector<int64_t> odd_;
  };

  const bool loses_;
  SchemaPtr schema_ = fake::Numbers();
};

TEST_P(Transformed, ATransformerMayKeepRowsUntilTheEnd) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<OddLast>());
  transformers.push_back(std::make_unique<KeepEven>());
  transformers.push_back(std::make_unique<OddLast>());
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 100}),
                          transformers, std::make_shared<RejectBuffer>(), GetParam());
  auto drained = Drain(*stream);
  ASSERT_TRUE(drained.ok()) << drained.status();
  const auto& [values, end] = *drained;
  EXPECT_EQ(values.size(), 40u);
  EXPECT_EQ(end.rows_filtered, 60);
  EXPECT_EQ(end.rows_out, 40);
  std::vector<std::unique_ptr<BoundTransformer>> alone;
  alone.push_back(std::make_unique<OddLast>());
  stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 8}), alone,
                     std::make_shared<RejectBuffer>(), GetParam());
  EXPECT_EQ(Drain(*stream)->first, (std::vector<int64_t>{2, 4, 6, 1, 3, 5, 7}));
}

TEST(Transform, APassThatLosesARowIsCaught) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<OddLast>(/*loses=*/true));
  auto stream = Transform(here.ctx, std::make_unique<NumberStream>(0, Script{}), transformers,
                          std::make_shared<RejectBuffer>(), 1);
  EXPECT_EQ(CodeOf(Drain(*stream).status()), FaultCode::kInternal);
}

// A stream of its own: leaves out the first row of each batch.
class Beheaded final : public BatchStream {
 public:
  explicit Beheaded(std::unique_ptr<BatchStream> upstream) : upstream_(std::move(upstream)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return upstream_->schema(); }
  Status ReadNext(BatchPtr* out) override {
    ARROW_RETURN_NOT_OK(upstream_->ReadNext(out));
    if (*out == nullptr) return Status::OK();
    *out = (*out)->Slice(1);
    ++left_out_;
    rows_out_ += (*out)->num_rows();
    return Status::OK();
  }
  Result<StreamEnd> Finish() override {
    ARROW_ASSIGN_OR_RAISE(StreamEnd end, upstream_->Finish());
    end.rows_filtered += left_out_;
    end.rows_out = rows_out_;
    return end;
  }
  Status Close() override { return upstream_->Close(); }

 private:
  const std::unique_ptr<BatchStream> upstream_;
  int64_t left_out_ = 0;
  int64_t rows_out_ = 0;
};

class Beheads final : public BoundTransformer {
 public:
  const SchemaPtr& schema() const override { return schema_; }
  int64_t pass_bytes() const override { return 1; }
  std::unique_ptr<BatchStream> Through(const Context&,
                                       std::unique_ptr<BatchStream> upstream) const override {
    return std::make_unique<Beheaded>(std::move(upstream));
  }

 private:
  const SchemaPtr schema_ = fake::Numbers();
};

TEST_P(Transformed, ATransformerMayBeAStreamOfItsOwn) {
  Surroundings here;
  std::vector<std::unique_ptr<BoundTransformer>> transformers;
  transformers.push_back(std::make_unique<Beheads>());
  transformers.push_back(std::make_unique<KeepEven>());
  transformers.push_back(std::make_unique<Beheads>());
  auto stream =
      Transform(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 9, .batch_rows = 9}),
                transformers, std::make_shared<RejectBuffer>(), GetParam());
  auto drained = Drain(*stream);
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(drained->first, (std::vector<int64_t>{4, 6, 8}));
  EXPECT_EQ(drained->second.rows_read, 9);
  EXPECT_EQ(drained->second.rows_filtered, 6);
  EXPECT_EQ(drained->second.rows_out, 3);
}

TEST(LoaderInput, CountsWhatReallyArrivesAndHashesIndependentlyOfBatches) {
  const auto hash_with = [](int64_t batch_rows) {
    LoaderInput input(
        std::make_unique<NumberStream>(0, Script{.rows = 100, .batch_rows = batch_rows}), true);
    auto drained = Drain(input);
    EXPECT_EQ(drained->second.rows_out, 100);
    return input.rows_hash();
  };
  EXPECT_EQ(hash_with(1), hash_with(64));
  NumberStream other(1, Script{.rows = 100});
  auto hashed = HashStream(other);
  ASSERT_TRUE(hashed.ok());
  EXPECT_EQ(hashed->rows, 100);
  EXPECT_NE(hashed->hash, hash_with(3));
}

TEST(Tee, GivesEveryReaderEverything) {
  Surroundings here;
  auto branches = Tee(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 500}), 3, 2);
  std::vector<std::vector<int64_t>> got(3);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] { got[i] = Drain(*branches[i])->first; });
    }
  }
  for (const auto& values : got) EXPECT_EQ(values, Iota(500));
}

TEST(Tee, AReaderThatLeavesDoesNotHoldBackTheOthers) {
  Surroundings here;
  auto branches = Tee(here.ctx, std::make_unique<NumberStream>(0, Script{.rows = 500}), 2, 1);
  (void)branches[0]->Close();
  auto drained = Drain(*branches[1]);
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(drained->first.size(), 500u);
}

TEST(Tee, GivesEveryReaderTheError) {
  Surroundings here;
  Script script{.rows = 100, .fails_after = 0};
  script.failure = Fault(FaultCode::kQueryFailed, "no");
  auto branches = Tee(here.ctx, std::make_unique<NumberStream>(0, script), 2, 4);
  EXPECT_EQ(CodeOf(Drain(*branches[0]).status()), FaultCode::kQueryFailed);
  EXPECT_EQ(CodeOf(Drain(*branches[1]).status()), FaultCode::kQueryFailed);
}

}  // namespace
}  // namespace levada::elt
