// What a real server sent, decoded, against what the same server says the rows are.

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "formats/pgcopy/captured.h"

namespace levada::pgcopy {
namespace {

bool IsRefused(const Capture& capture) { return capture.name.starts_with("refused_"); }

DecoderOptions SmallBatches(int64_t rows) {
  DecoderOptions options;
  options.batch_rows_max = rows;
  return options;
}

void ExpectRows(const Capture& capture, const Decoded& decoded) {
  ASSERT_TRUE(decoded.status.ok()) << capture.name << ": " << decoded.status.ToString();
  ASSERT_EQ(decoded.rows, static_cast<int64_t>(capture.rows.size())) << capture.name;
  size_t row = 0;
  for (const auto& batch : decoded.batches) {
    ASSERT_TRUE(batch->ValidateFull().ok()) << capture.name;
    for (int64_t i = 0; i < batch->num_rows(); ++i, ++row) {
      for (size_t c = 0; c < capture.columns.size(); ++c) {
        const Column& column = capture.columns[c];
        EXPECT_EQ(
            Compare(*batch->column(static_cast<int>(c)), i, column.type, capture.rows[row][c]), "")
            << capture.name << ", column " << column.name << ", row " << row + 1;
      }
    }
  }
  EXPECT_EQ(row, capture.rows.size()) << capture.name;
}

TEST(CaptureTest, DecodesToWhatTheServerPrints) {
  for (const Capture& capture : ReadCaptures()) {
    if (IsRefused(capture) || capture.name == "array_lower_bound") continue;
    ExpectRows(capture, DecodeInChunks(capture.columns, {}, capture.stream));
  }
}

TEST(CaptureTest, DecodesToTheSameInBatchesOfOneAndOfSevenRows) {
  for (const Capture& capture : ReadCaptures()) {
    if (IsRefused(capture) || capture.name == "array_lower_bound") continue;
    for (const int64_t rows : {1, 7}) {
      const Decoded decoded = DecodeInChunks(capture.columns, SmallBatches(rows), capture.stream);
      ExpectRows(capture, decoded);
      for (const auto& batch : decoded.batches) EXPECT_LE(batch->num_rows(), rows);
    }
  }
}

TEST(CaptureTest, RefusesWhatThePolicyRefuses) {
  const std::map<std::string, std::pair<FaultCode, std::string>> expected = {
      {"refused_numeric_nan", {FaultCode::kValueRefused, "2"}},
      {"refused_numeric_fit", {FaultCode::kValueRefused, "2"}},
      {"refused_date_infinity", {FaultCode::kValueRefused, "2"}},
      {"refused_timestamp_infinity", {FaultCode::kValueRefused, "1"}},
      {"refused_timestamp_late", {FaultCode::kValueRefused, "1"}},
      {"refused_time_24", {FaultCode::kValueRefused, "1"}},
      {"refused_array_2d", {FaultCode::kValueRefused, "2"}},
      {"refused_invalid_utf8", {FaultCode::kInvalidUtf8, "2"}},
  };
  size_t count = 0;
  for (const Capture& capture : ReadCaptures()) {
    if (!IsRefused(capture)) continue;
    ++count;
    const Decoded decoded = DecodeInChunks(capture.columns, {}, capture.stream);
    ASSERT_FALSE(decoded.status.ok()) << capture.name;
    const Fault fault = FaultOf(decoded.status);
    EXPECT_EQ(fault.code(), expected.at(capture.name).first) << capture.name;
    EXPECT_EQ(fault.Detail("row"), expected.at(capture.name).second) << capture.name;
    EXPECT_EQ(fault.Detail("column"), "v") << capture.name;
    EXPECT_NE(fault.help(), "") << capture.name;
  }
  EXPECT_EQ(count, expected.size());
}

TEST(CaptureTest, MakesNullsOfWhatThePolicySaysToDrop) {
  for (const char* name :
       {"refused_numeric_nan", "refused_date_infinity", "refused_timestamp_infinity",
        "refused_timestamp_late", "refused_time_24"}) {
    Capture capture = ReadCapture(name);
    capture.columns[0].type.special = ValuePolicy::kNull;
    capture.columns[0].type.nullable = false;
    capture.rows.back()[0] = std::nullopt;
    ExpectRows(capture, DecodeInChunks(capture.columns, {}, capture.stream));
  }
}

TEST(CaptureTest, KeepsSpecialValuesAsText) {
  for (const char* name :
       {"refused_numeric_nan", "refused_date_infinity", "refused_timestamp_infinity",
        "refused_timestamp_late", "refused_time_24"}) {
    Capture capture = ReadCapture(name);
    capture.columns[0].type.special = ValuePolicy::kString;
    ExpectRows(capture, DecodeInChunks(capture.columns, {}, capture.stream));
  }
}

TEST(CaptureTest, LetsInvalidUtf8PassWhenTheServerIsTrusted) {
  const Capture capture = ReadCapture("refused_invalid_utf8");
  DecoderOptions options;
  options.validate_utf8 = false;
  const Decoded decoded = DecodeInChunks(capture.columns, options, capture.stream);
  ASSERT_TRUE(decoded.status.ok());
  EXPECT_EQ(Compare(*decoded.batches[0]->column(1), 1, capture.columns[1].type, "caf\xe9"), "");
}

TEST(CaptureTest, DropsLowerBoundsOfArrays) {
  const Capture capture = ReadCapture("array_lower_bound");
  const Decoded decoded = DecodeInChunks(capture.columns, {}, capture.stream);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.ToString();
  const arrow::Array& array = *decoded.batches[0]->column(0);
  EXPECT_EQ(Compare(array, 0, capture.columns[0].type, "{1,NULL,3}"), "");
  EXPECT_EQ(Compare(array, 1, capture.columns[0].type, "{8,9}"), "");
}

TEST(CaptureTest, IsAnErrorWhenCutOffAnywhere) {
  for (const Capture& capture : ReadCaptures()) {
    for (size_t size = 0; size < capture.stream.size(); ++size) {
      const std::span<const uint8_t> beginning(capture.stream.data(), size);
      const Decoded decoded = DecodeInChunks(capture.columns, SmallBatches(3), beginning);
      ASSERT_FALSE(decoded.status.ok()) << capture.name << " cut at " << size;
      if (!IsRefused(capture)) {
        ASSERT_EQ(CodeOf(decoded.status), FaultCode::kSourceProtocol)
            << capture.name << " cut at " << size;
      }
      ASSERT_EQ(Difference(decoded, DecodeBySize(capture.columns, SmallBatches(3), beginning, 5)),
                "")
          << capture.name << " cut at " << size;
    }
  }
}

TEST(CaptureTest, ComesOutTheSameWhereverChunksEnd) {
  for (const Capture& capture : ReadCaptures()) {
    const Decoded whole = DecodeInChunks(capture.columns, SmallBatches(4), capture.stream);
    for (size_t cut = 0; cut <= capture.stream.size(); ++cut) {
      const size_t cuts[] = {cut};
      ASSERT_EQ(
          Difference(whole, DecodeInChunks(capture.columns, SmallBatches(4), capture.stream, cuts)),
          "")
          << capture.name << " cut at " << cut;
    }
    for (const size_t size : {1, 2, 3, 5, 7, 16, 64}) {
      ASSERT_EQ(
          Difference(whole, DecodeBySize(capture.columns, SmallBatches(4), capture.stream, size)),
          "")
          << capture.name << " in chunks of " << size;
    }
  }
}

TEST(CaptureTest, AcceptsNothingBehindTheTrailer) {
  for (const Capture& capture : ReadCaptures()) {
    if (IsRefused(capture)) continue;
    std::vector<uint8_t> longer = capture.stream;
    longer.push_back(0);
    const Decoded decoded = DecodeInChunks(capture.columns, {}, longer);
    EXPECT_EQ(CodeOf(decoded.status), FaultCode::kSourceProtocol) << capture.name;
    EXPECT_EQ(Difference(decoded, DecodeBySize(capture.columns, {}, longer, 1)), "");
  }
}

TEST(CaptureTest, NeverCrashesOnAFlippedBit) {
  for (const Capture& capture : ReadCaptures()) {
    for (size_t at = 0; at < capture.stream.size(); ++at) {
      std::vector<uint8_t> flipped = capture.stream;
      flipped[at] ^= static_cast<uint8_t>(1 << (at % 8));
      const Decoded decoded = DecodeInChunks(capture.columns, SmallBatches(3), flipped);
      ASSERT_EQ(Difference(decoded, DecodeBySize(capture.columns, SmallBatches(3), flipped, 11)),
                "")
          << capture.name << " flipped at " << at;
    }
  }
}

}  // namespace
}  // namespace levada::pgcopy
