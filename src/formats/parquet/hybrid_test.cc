#include "formats/parquet/hybrid.h"

#include <arrow/memory_pool.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace levada::parquet_format {
namespace {

/// Written from the format's text, apart from the encoder.
std::vector<uint32_t> Decode(const uint8_t* data, int64_t size, int bit_width, int64_t count) {
  std::vector<uint32_t> out;
  int64_t at = 0;
  while (static_cast<int64_t>(out.size()) < count) {
    uint64_t header = 0;
    for (int shift = 0;; shift += 7) {
      EXPECT_LT(at, size);
      header |= static_cast<uint64_t>(data[at] & 0x7f) << shift;
      if ((data[at++] & 0x80) == 0) break;
    }
    if ((header & 1) == 0) {
      uint32_t value = 0;
      for (int bits = 0; bits < bit_width; bits += 8)
        value |= static_cast<uint32_t>(data[at++]) << bits;
      out.insert(out.end(), header >> 1, value);
      continue;
    }
    const int64_t values = static_cast<int64_t>(header >> 1) * 8;
    EXPECT_LE(at + values * bit_width / 8, size);
    for (int64_t i = 0; i < values; ++i) {
      uint32_t value = 0;
      for (int bit = 0; bit < bit_width; ++bit) {
        const int64_t position = i * bit_width + bit;
        value |= static_cast<uint32_t>(data[at + position / 8] >> (position % 8) & 1) << bit;
      }
      out.push_back(value);
    }
    at += values * bit_width / 8;
  }
  EXPECT_EQ(at, size);
  out.resize(count);  // the last group may be padded
  return out;
}

std::vector<uint32_t> RandomValues(std::mt19937_64& engine, int bit_width, int64_t count) {
  std::vector<uint32_t> values;
  const uint32_t mask = bit_width == 32 ? UINT32_MAX : (1u << bit_width) - 1;
  while (static_cast<int64_t>(values.size()) < count) {
    const auto value = static_cast<uint32_t>(engine()) & mask;
    values.insert(values.end(), engine() % 3 == 0 ? engine() % 40 : 1, value);
  }
  values.resize(count);
  return values;
}

TEST(Hybrid, DecodesToWhatWasEncoded) {
  std::mt19937_64 engine(1);
  for (int bit_width = 1; bit_width <= 24; ++bit_width) {
    for (int64_t count : {1, 7, 8, 9, 15, 16, 63, 504, 505, 511, 512, 513, 5000}) {
      const auto values = RandomValues(engine, bit_width, count);
      arrow::BufferBuilder out(arrow::default_memory_pool());
      ASSERT_TRUE(AppendHybrid(values.data(), count, bit_width, &out).ok());
      EXPECT_EQ(Decode(out.data(), out.length(), bit_width, count), values)
          << bit_width << " " << count;
      if (bit_width > 14) continue;
      const std::vector<int16_t> levels(values.begin(), values.end());
      arrow::BufferBuilder narrow(arrow::default_memory_pool());
      ASSERT_TRUE(AppendHybrid(levels.data(), count, bit_width, &narrow).ok());
      EXPECT_EQ(Decode(narrow.data(), narrow.length(), bit_width, count), values);
    }
  }
}

TEST(Hybrid, EqualValuesAreOneRun) {
  const std::vector<uint32_t> values(100'000, 3);
  arrow::BufferBuilder out(arrow::default_memory_pool());
  ASSERT_TRUE(AppendHybrid(values.data(), 100'000, 2, &out).ok());
  EXPECT_EQ(out.length(), 4);
  EXPECT_EQ(Decode(out.data(), out.length(), 2, 100'000), values);
}

TEST(Hybrid, NothingAndZeroBitsAreRunsOfZeros) {
  arrow::BufferBuilder out(arrow::default_memory_pool());
  ASSERT_TRUE(AppendHybrid<uint32_t>(nullptr, 0, 5, &out).ok());
  EXPECT_EQ(out.length(), 0);
  const std::vector<uint32_t> zeros(1000, 0);
  ASSERT_TRUE(AppendHybrid(zeros.data(), 1000, 0, &out).ok());
  EXPECT_EQ(Decode(out.data(), out.length(), 0, 1000), zeros);
}

TEST(Hybrid, BitmapsDecodeToTheirBits) {
  std::mt19937_64 engine(2);
  for (int64_t count : {1, 7, 8, 9, 31, 32, 33, 40, 64, 503, 504, 505, 10'000}) {
    for (int kind = 0; kind < 4; ++kind) {
      std::vector<uint8_t> bitmap((count + 7) / 8);
      for (size_t i = 0; i < bitmap.size(); ++i) {
        const uint64_t random = engine();
        const uint8_t run = i / 50 % 2 == 0 ? 0xff : 0x00;
        bitmap[i] = kind == 0   ? 0xff
                    : kind == 1 ? 0x00
                    : kind == 2 ? static_cast<uint8_t>(random)
                                : run;
      }
      arrow::BufferBuilder out(arrow::default_memory_pool());
      ASSERT_TRUE(AppendHybridBits(bitmap.data(), count, &out).ok());
      const auto decoded = Decode(out.data(), out.length(), 1, count);
      for (int64_t i = 0; i < count; ++i)
        ASSERT_EQ(decoded[i], bitmap[i / 8] >> (i % 8) & 1u) << count << " " << kind;
    }
  }
}

TEST(Hybrid, BitWidthsHoldTheirMaximum) {
  EXPECT_EQ(BitWidthOf(0), 0);
  EXPECT_EQ(BitWidthOf(1), 1);
  EXPECT_EQ(BitWidthOf(2), 2);
  EXPECT_EQ(BitWidthOf(255), 8);
  EXPECT_EQ(BitWidthOf(256), 9);
  EXPECT_EQ(BitWidthOf(UINT32_MAX), 32);
}

}  // namespace
}  // namespace levada::parquet_format
