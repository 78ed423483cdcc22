#include "places/s3/s3_place.h"

#include <arrow/buffer.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "places/s3/bucket_fixture.h"
#include "places/s3/s3_lock.h"

namespace levada::places {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class S3PlaceTest : public ::testing::Test {
 protected:
  S3PlaceTest() { limits_.part_bytes = 10; }

  std::unique_ptr<Place> Make() {
    return MakeS3Place(ClientOf(bucket_, *random_), *random_, limits_);
  }

  StagedFile Stage(Place& place, const std::string& path, std::string_view content) {
    const auto file = ValueOf(place.Stage(ctx_, path, "run-0123456789abcdef"));
    EXPECT_THAT(file->Write(content.data(), static_cast<int64_t>(content.size())), IsOk());
    return ValueOf(file->Seal());
  }

  // The first request of this kind is done, and its answer lost.
  void LoseOne(const std::string& method, const std::string& part) {
    bucket_.OnRequest([method, part, lost = false](const FakeBucket::Seen& seen) mutable {
      const bool is_meant =
          seen.method == method && (seen.path + "?" + seen.query).find(part) != std::string::npos;
      Disturbance disturbance;
      disturbance.loses_answer = is_meant && !std::exchange(lost, lost || is_meant);
      return disturbance;
    });
  }

  FakeBucket bucket_;
  TestContext test_;
  Context ctx_ = test_.context();
  const std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  S3PlaceLimits limits_;
};

TEST_F(S3PlaceTest, ShowsAFileWhenItIsPublished) {
  const auto place = Make();
  const StagedFile staged = Stage(*place, "day=1/a.parquet", "twenty-five bytes of data");
  EXPECT_EQ(staged.bytes, 25);
  EXPECT_EQ(staged.sha256.size(), 64u);
  EXPECT_EQ(staged.staged, "day=1/a.parquet?upload=up%2F1");
  EXPECT_THAT(bucket_.objects(), IsEmpty());
  EXPECT_EQ(ValueOf(place->Size(ctx_, staged.staged)), 25);
  EXPECT_THAT(place->Open(ctx_, staged.staged), FailsWith(FaultCode::kTargetUnsupported));

  EXPECT_THAT(Make()->Publish(ctx_, staged.staged, "day=1/a.parquet"), IsOk()) << "another process";
  EXPECT_THAT(bucket_.objects(),
              ElementsAre(Pair("lake/day=1/a.parquet", "twenty-five bytes of data")));
  EXPECT_EQ(bucket_.upload_count(), 0u);
  EXPECT_EQ(ValueOf(place->Size(ctx_, staged.staged)), std::nullopt);
  EXPECT_EQ(ValueOf(place->Size(ctx_, "day=1/a.parquet")), 25);
  EXPECT_THAT(place->Publish(ctx_, staged.staged, "day=1/a.parquet"),
              FailsWith(FaultCode::kTargetFileMissing));
}

TEST_F(S3PlaceTest, WithdrawsWhatItCannotStageAgain) {
  const auto place = Make();
  const StagedFile staged = Stage(*place, "a", "bytes");
  EXPECT_THAT(place->Publish(ctx_, staged.staged, "a"), IsOk());
  EXPECT_THAT(place->Withdraw(ctx_, "a", staged.staged), IsOk());
  EXPECT_THAT(bucket_.objects(), IsEmpty());
}

TEST_F(S3PlaceTest, SendsPartsOfOneSize) {
  const auto place = Make();
  const auto file = ValueOf(place->Stage(ctx_, "a", "t"));
  for (int i = 0; i < 7; ++i) EXPECT_THAT(file->Write("abcd", 4), IsOk());
  ASSERT_THAT(file->Seal(), IsOk());
  std::vector<std::string> parts;
  for (const auto& seen : bucket_.seen()) {
    if (seen.method == "PUT") parts.push_back(seen.query.substr(0, seen.query.find('&')));
  }
  EXPECT_THAT(parts, ElementsAre("partNumber=1", "partNumber=2", "partNumber=3"));
}

TEST_F(S3PlaceTest, AbortsWhatIsNotSealed) {
  const auto place = Make();
  {
    const auto file = ValueOf(place->Stage(ctx_, "a", "t"));
    EXPECT_THAT(file->Write("more than one part", 18), IsOk());
    EXPECT_EQ(bucket_.upload_count(), 1u);
  }
  EXPECT_EQ(bucket_.upload_count(), 0u);
}

TEST_F(S3PlaceTest, EndsWhenItsUploadWasAborted) {
  const auto place = Make();
  const auto file = ValueOf(place->Stage(ctx_, "a", "t"));
  EXPECT_THAT(Make()->Remove(ctx_, file->staged()), IsOk()) << "by who took the run over";
  EXPECT_THAT(file->Write("0123456789", 10), IsOk());
  EXPECT_THAT(file->Seal(), FailsWith(FaultCode::kFenced));
}

TEST_F(S3PlaceTest, StagesAnEmptyFile) {
  const auto place = Make();
  const StagedFile staged = Stage(*place, "empty", "");
  EXPECT_THAT(place->Publish(ctx_, staged.staged, "empty"), IsOk());
  EXPECT_THAT(bucket_.objects(), ElementsAre(Pair("lake/empty", "")));
}

TEST_F(S3PlaceTest, PublishesOnceWhenAnAnswerIsLost) {
  const auto place = Make();
  for (const auto& [method, part] :
       {std::pair("PUT", "partNumber=2"), std::pair("POST", "uploadId="),
        std::pair("GET", "uploadId=")}) {
    LoseOne(method, part);
    const StagedFile staged = Stage(*place, "a", "three parts of ten bytes");
    EXPECT_THAT(place->Publish(ctx_, staged.staged, "a"), IsOk()) << method;
    EXPECT_THAT(bucket_.objects(), ElementsAre(Pair("lake/a", "three parts of ten bytes")));
  }
}

TEST_F(S3PlaceTest, ListsWhatIsThereAndWhatIsStaged) {
  const auto place = Make();
  for (const char* key : {"lake/d/b", "lake/d/a", "lake/d/e/f", "lake/d/c", "lake/dx", "other"}) {
    bucket_.Put(key, "12");
  }
  const StagedFile staged = Stage(*place, "d/part.parquet", "x");
  (void)Stage(*place, "d/below/part.parquet", "x");
  const auto entries = ValueOf(place->List(ctx_, "d"));
  std::vector<std::string> names;
  for (const PlaceEntry& entry : entries) {
    names.push_back(entry.name + (entry.is_directory ? "/" : ""));
    EXPECT_EQ(entry.staged.empty(), !entry.name.starts_with(".levada-"));
    if (!entry.staged.empty()) {
      EXPECT_EQ(entry.staged, staged.staged);
    }
  }
  EXPECT_THAT(names, ElementsAre(".levada-upload-part.parquet.staged", "a", "b", "c", "e/"));
  EXPECT_THAT(place->Remove(ctx_, staged.staged), IsOk());
  EXPECT_EQ(bucket_.upload_count(), 1u);
}

TEST_F(S3PlaceTest, ReadsRangesOfOneObject) {
  const auto place = Make();
  bucket_.Put("lake/a", "0123456789");
  const auto file = ValueOf(place->Open(ctx_, "a"));
  EXPECT_EQ(ValueOf(file->GetSize()), 10);
  EXPECT_EQ(ValueOf(file->ReadAt(3, 4))->ToString(), "3456");
  EXPECT_EQ(ValueOf(file->ReadAt(8, 40))->ToString(), "89");
  EXPECT_EQ(ValueOf(file->Read(2))->ToString(), "01");
  EXPECT_EQ(ValueOf(file->Read(2))->ToString(), "23");
  EXPECT_THAT(place->Open(ctx_, "b"), FailsWith(FaultCode::kTargetFileMissing));
}

TEST_F(S3PlaceTest, WritesRecordsOnCondition) {
  const auto place = Make();
  EXPECT_THAT(place->WriteRecord(ctx_, "r", "one", Expectation::Absent()), IsOk());
  EXPECT_THAT(place->WriteRecord(ctx_, "r", "two", Expectation::Absent()),
              FailsWith(FaultCode::kFenced));
  const auto record = ValueOf(place->ReadRecord(ctx_, "r", 100));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->content, "one");
  EXPECT_THAT(place->WriteRecord(ctx_, "r", "two", Expectation::Tag(record->tag)), IsOk());
  EXPECT_THAT(place->WriteRecord(ctx_, "r", "three", Expectation::Tag(record->tag)),
              FailsWith(FaultCode::kFenced));
  EXPECT_EQ(ValueOf(place->ReadRecord(ctx_, "absent", 100)), std::nullopt);
}

TEST_F(S3PlaceTest, KnowsItsOwnWriteWhoseAnswerWasLost) {
  const auto place = Make();
  LoseOne("PUT", "lake/r");
  EXPECT_THAT(place->WriteRecord(ctx_, "r", "one", Expectation::Absent()), IsOk());
  EXPECT_EQ(ValueOf(place->ReadRecord(ctx_, "r", 100))->content, "one");
}

TEST_F(S3PlaceTest, RefusesAServerThatIgnoresConditions) {
  bucket_.OnRequest([](const FakeBucket::Seen& seen) {
    Disturbance disturbance;
    if (seen.method == "PUT") disturbance.instead = net::SessionAnswer{200, {}, ""};
    return disturbance;
  });
  EXPECT_THAT(Make()->TryLock(ctx_, "l"),
              FailsWith(FaultCode::kTargetUnsupported, HasSubstr("conditional writes")));
}

TEST_F(S3PlaceTest, LocksOnceAndLetsGo) {
  const auto place = Make();
  {
    const auto lock = ValueOf(place->TryLock(ctx_, "l"));
    ASSERT_NE(lock, nullptr);
    EXPECT_EQ(ValueOf(lock->Read(ctx_)), "");
    EXPECT_THAT(lock->Write(ctx_, "mine"), IsOk());
    EXPECT_THAT(lock->Write(ctx_, "mine, later"), IsOk());
    EXPECT_EQ(ValueOf(lock->Read(ctx_)), "mine, later");
  }
  EXPECT_THAT(bucket_.objects(), ElementsAre(Pair("lake/l", "mine, later")));
}

// The clocks of tests stand still, and sleeping moves them.
TEST_F(S3PlaceTest, WaitsForALockThatBeats) {
  const auto place = Make();
  bucket_.Put("lake/l.lease", R"({"holder":"h","identity":"elsewhere","beat":1})");
  int asked = 0;
  bucket_.OnRequest([&](const FakeBucket::Seen& seen) {
    Disturbance disturbance;
    if (seen.method != "GET" || seen.path != "lake/l.lease" || ++asked < 3) return disturbance;
    disturbance.instead = net::SessionAnswer{200, {}, "{}"};
    disturbance.instead->headers.Add("ETag", "\"later\"");
    return disturbance;
  });
  EXPECT_EQ(ValueOf(place->TryLock(ctx_, "l")), nullptr);
  EXPECT_EQ(bucket_.objects().count("lake/l"), 0u);
}

TEST_F(S3PlaceTest, TakesOverALockThatIsSilent) {
  const auto place = Make();
  bucket_.Put("lake/l.lease", R"({"holder":"h","identity":"elsewhere","beat":1})");
  const SteadyTime begun = test_.clock.Steady();
  const auto lock = ValueOf(place->TryLock(ctx_, "l"));
  ASSERT_NE(lock, nullptr);
  EXPECT_GE(test_.clock.Steady() - begun, limits_.lease.patience);
}

// A first answer that takes longer than anybody is patient says nothing of a holder's beats.
TEST_F(S3PlaceTest, CountsSilenceFromTheFirstSight) {
  const auto place = Make();
  bucket_.Put("lake/l.lease", R"({"holder":"h","identity":"elsewhere","beat":1})");
  int asked = 0;
  bucket_.OnRequest([&](const FakeBucket::Seen& seen) {
    Disturbance disturbance;
    if (seen.method != "GET" || seen.path != "lake/l.lease") return disturbance;
    if (++asked == 1) test_.clock.Advance(60'000'000);
    if (asked < 3) return disturbance;
    disturbance.instead = net::SessionAnswer{200, {}, "{}"};
    disturbance.instead->headers.Add("ETag", "\"later\"");
    return disturbance;
  });
  EXPECT_EQ(ValueOf(place->TryLock(ctx_, "l")), nullptr);
}

TEST_F(S3PlaceTest, IsFencedWhereItsTextWasWrittenByAnother) {
  const auto place = Make();
  const auto lock = ValueOf(place->TryLock(ctx_, "l"));
  EXPECT_THAT(lock->Write(ctx_, "mine"), IsOk());
  bucket_.Put("lake/l", "theirs");
  EXPECT_THAT(lock->Write(ctx_, "mine again"), FailsWith(FaultCode::kFenced));
}

TEST_F(S3PlaceTest, HoldsOnWhenTheAnswerToABeatIsLost) {
  limits_.lease.beat = std::chrono::milliseconds(5);
  const auto place = Make();
  const auto lock = ValueOf(place->TryLock(ctx_, "l"));
  std::atomic<int> beats = 0;
  bucket_.OnRequest([&beats](const FakeBucket::Seen& seen) {
    Disturbance disturbance;
    // Of the first beat every try.
    const bool is_beat = seen.method == "PUT" && seen.path == "lake/l.lease";
    disturbance.loses_answer = is_beat && ++beats <= 4;
    return disturbance;
  });
  for (int i = 0; i < 2000 && beats < 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // tidy: allow beats are real
  }
  EXPECT_GE(beats, 8);
  EXPECT_THAT(lock->Read(ctx_), IsOk());
}

TEST_F(S3PlaceTest, IsFencedWhenItsLeaseWasTaken) {
  limits_.lease.beat = std::chrono::milliseconds(5);
  const auto place = Make();
  const auto lock = ValueOf(place->TryLock(ctx_, "l"));
  EXPECT_THAT(lock->Write(ctx_, "mine"), IsOk());
  bucket_.Put("lake/l.lease", R"({"holder":"another"})");
  bucket_.Put("lake/l", "theirs");
  Status held = Status::OK();
  for (int i = 0; i < 2000 && held.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // tidy: allow beats are real
    held = lock->Read(ctx_).status();
  }
  EXPECT_THAT(held, FailsWith(FaultCode::kFenced));
  EXPECT_THAT(lock->Write(ctx_, "mine"), FailsWith(FaultCode::kFenced));
}

TEST_F(S3PlaceTest, StopsWithinASecondWhileItWaits) {
  const auto place = Make();
  bucket_.Put("lake/l.lease", R"({"holder":"h","identity":"elsewhere"})");
  std::stop_source stop;
  ctx_.stop = stop.get_token();
  bucket_.OnRequest([&](const FakeBucket::Seen& seen) {
    if (seen.path == "lake/l.lease") stop.request_stop();
    return Disturbance{};
  });
  EXPECT_THAT(place->TryLock(ctx_, "l"), FailsWith(FaultCode::kStopped));
}

}  // namespace
}  // namespace levada::places
