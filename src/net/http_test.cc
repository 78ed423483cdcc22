#include "net/http.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/testing.h"
#include "net/server_fixture.h"

namespace levada::net {
namespace {

using testing::HasSubstr;

TEST(Headers, AreFoundWithoutRegardToCase) {
  Headers headers;
  headers.Add("X-One", "1");
  headers.Add("x-one", "2");
  headers.Add("Other", "3");
  EXPECT_EQ(headers.Find("x-ONE"), "1");
  EXPECT_EQ(headers.Count("X-ONE"), 2U);
  EXPECT_EQ(headers.Find("X-On"), std::nullopt);
  headers.Set("X-oNE", "4");
  EXPECT_EQ(headers.Count("X-One"), 1U);
  EXPECT_EQ(headers.Find("X-One"), "4");
  EXPECT_EQ(headers.fields().front().name, "Other");
  headers.Clear();
  EXPECT_TRUE(headers.fields().empty());
}

TEST(ReasonPhrase, IsThatOfTheStatus) {
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(599), "");
}

/// Gives pieces, and counts how many were asked for.
class PieceBody final : public RequestBody {
 public:
  PieceBody(std::vector<std::string> pieces, std::optional<uint64_t> size, Status end)
      : stream_(std::move(pieces), std::move(end)), size_(size) {}
  Task<Result<std::string_view>> Read() override {
    ++reads;
    return stream_.Next();
  }
  std::optional<uint64_t> declared_size() const override { return size_; }

  int reads = 0;

 private:
  PieceStream stream_;
  const std::optional<uint64_t> size_;
};

Task<void> ReadInto(RequestBody& body, uint64_t size_max, std::optional<Result<std::string>>& all) {
  all = co_await ReadAll(body, size_max);
}

Result<std::string> ReadAllOf(RequestBody& body, uint64_t size_max) {
  std::optional<Result<std::string>> all;
  Task<void> reading = ReadInto(body, size_max, all);
  EXPECT_TRUE(reading.Start());
  return *all;
}

TEST(ReadAll, JoinsThePieces) {
  PieceBody body({"ab", "c"}, std::nullopt, Status::OK());
  EXPECT_EQ(ValueOf(ReadAllOf(body, 3)), "abc");
}

TEST(ReadAll, StopsAtTheLimit) {
  PieceBody body({"ab", "cd", "ef"}, std::nullopt, Status::OK());
  const auto all = ReadAllOf(body, 3);
  EXPECT_TRUE(all.status().IsInvalid());
  EXPECT_THAT(all.status().message(), HasSubstr("body longer than 3"));
  EXPECT_EQ(body.reads, 2);
}

TEST(ReadAll, DoesNotReadWhatIsDeclaredTooLong) {
  PieceBody body({"abcd"}, 4, Status::OK());
  EXPECT_TRUE(ReadAllOf(body, 3).status().IsInvalid());
  EXPECT_EQ(body.reads, 0);
}

TEST(ReadAll, HandsErrorsOn) {
  PieceBody body({"ab"}, std::nullopt, Status::IOError("gone"));
  EXPECT_TRUE(ReadAllOf(body, 100).status().IsIOError());
}

}  // namespace
}  // namespace levada::net
