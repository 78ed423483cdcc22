#include "formats/chnative/block_reader.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>

#include <fstream>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/testing.h"
#include "formats/chnative/block_writer.h"

namespace levada::chnative {
namespace {

using testing::HasSubstr;

struct Capture {
  std::string name;
  std::string statement;
  std::string arrow;
  std::string values;
  std::string bytes;
};

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<Capture> Captures() {
  std::ifstream file(LEVADA_TESTDATA "/captures.jsonl");
  std::vector<Capture> captures;
  for (std::string line; std::getline(file, line);) {
    const Json json = ParseJson(line);
    captures.push_back({json["name"], json["statement"], json["arrow"], json["values"],
                        FromHex(json["hex"].get<std::string>())});
  }
  return captures;
}

Result<Block> ReadOne(std::string_view bytes, const BlockOptions& options = {}) {
  MemorySource source(bytes);
  ByteReader reader(source, 16);
  BlockReader blocks(options, arrow::default_memory_pool());
  return blocks.Read(reader);
}

std::string BlockOf(const std::string& type, std::string_view rest, uint64_t rows = 1) {
  std::string out;
  AppendVarUInt(out, 1);
  AppendVarUInt(out, rows);
  AppendText(out, "x");
  AppendText(out, type);
  out += rest;
  return out;
}

template <typename... Values>
std::string Little(Values... values) {
  std::string out;
  (AppendLittle(out, values), ...);
  return out;
}

TEST(BlockReader, ReadsWhatTheEngineWrites) {
  const auto captures = Captures();
  ASSERT_GE(captures.size(), 50u);
  for (const Capture& capture : captures) {
    SCOPED_TRACE(capture.statement);
    MemorySource source(capture.bytes);
    ByteReader reader(source);
    BlockReader blocks({}, arrow::default_memory_pool());
    arrow::ArrayVector arrays;
    while (!ValueOf(reader.AtEnd())) {
      Block block = ValueOf(blocks.Read(reader));
      ASSERT_EQ(block.columns.size(), 1u);
      EXPECT_EQ(block.columns[0].name, "x");
      ASSERT_EQ(block.columns[0].field->type()->ToString(), capture.arrow);
      ASSERT_EQ(block.arrays.size(), 1u);
      ASSERT_THAT(block.arrays[0]->ValidateFull(), IsOk());
      arrays.push_back(block.arrays[0]);
    }
    ASSERT_EQ(arrays.size(), 1u);
    const auto expected =
        ValueOf(arrow::json::ArrayFromJSONString(arrays[0]->type(), capture.values));
    EXPECT_TRUE(arrays[0]->Equals(*expected)) << arrays[0]->ToString();
  }
}

TEST(BlockReader, RefusesEveryTruncation) {
  for (const Capture& capture : Captures()) {
    SCOPED_TRACE(capture.statement);
    for (size_t size = 0; size < capture.bytes.size(); ++size) {
      ASSERT_THAT(ReadOne(capture.bytes.substr(0, size)), FailsWith(FaultCode::kSourceProtocol))
          << size;
    }
  }
}

TEST(BlockReader, SurvivesEveryByteChanged) {
  for (const Capture& capture : Captures()) {
    for (size_t at = 0; at < capture.bytes.size(); ++at) {
      for (const uint8_t flip : {0x01, 0x80, 0xff}) {
        std::string bytes = capture.bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        const Result<Block> block = ReadOne(bytes, {.block_bytes_max = int64_t{16} << 20});
        if (!block.ok()) continue;
        for (const auto& array : block->arrays) ASSERT_THAT(array->ValidateFull(), IsOk());
      }
    }
  }
}

TEST(BlockReader, KeepsUnsignedWhereAsked) {
  BlockOptions options;
  options.types.keep_unsigned = true;
  const Block block = ValueOf(ReadOne(BlockOf("UInt64", Little(~uint64_t{0})), options));
  EXPECT_TRUE(block.arrays[0]->type()->Equals(arrow::uint64()));
  EXPECT_EQ(static_cast<const arrow::UInt64Array&>(*block.arrays[0]).Value(0), ~uint64_t{0});
}

TEST(BlockReader, RefusesTextThatIsNoUtf8OrReadsItAsBytes) {
  const std::string bytes = BlockOf("String",
                                    "\x01"
                                    "a"
                                    "\x02\xff\xfe",
                                    2);
  EXPECT_THAT(ReadOne(bytes), FailsWith(FaultCode::kInvalidUtf8, HasSubstr("\"x\"")));
  EXPECT_THAT(ReadOne(bytes), FailsWith(FaultCode::kInvalidUtf8, HasSubstr("row 2")));
  BlockOptions options;
  options.types.strings_as_binary = true;
  EXPECT_THAT(ReadOne(bytes, options), IsOk());
  // Valid together, and neither of them alone.
  EXPECT_THAT(ReadOne(BlockOf("String", "\x01\xc3\x01\xa9", 2)),
              FailsWith(FaultCode::kInvalidUtf8, HasSubstr("row 1")));
}

TEST(BlockReader, ChecksFlagsAndCountsOfDictionaries) {
  const auto block = [](uint64_t version, uint64_t flags, uint64_t size, uint64_t keys,
                        uint8_t key) {
    return BlockOf("LowCardinality(String)", Little(version, flags, size) +
                                                 "\x01"
                                                 "a" +
                                                 Little(keys, key));
  };
  EXPECT_THAT(ReadOne(block(1, 0x600, 1, 1, 0)), IsOk());
  EXPECT_THAT(ReadOne(block(2, 0x600, 1, 1, 0)), FailsWith(FaultCode::kSourceProtocol));
  for (const uint64_t flags : {0x700, 0x400, 0x604, 0xe00, 0x0}) {
    EXPECT_THAT(ReadOne(block(1, flags, 1, 1, 0)),
                FailsWith(FaultCode::kSourceProtocol, HasSubstr("flags")));
  }
  EXPECT_THAT(ReadOne(block(1, 0x600, 0, 1, 0)), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(block(1, 0x600, 1, 2, 0)),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("keys")));
  EXPECT_THAT(ReadOne(block(1, 0x600, 1, 1, 1)),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("less than 1")));
}

TEST(BlockReader, ChecksFlagsAndCountsElsewhere) {
  EXPECT_THAT(ReadOne(BlockOf("Bool", "\x02")), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(BlockOf("Nullable(Int8)", "\x02\x01")),
              FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(BlockOf("Enum8('a' = 1)", "\x02")), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(BlockOf("Array(Int8)", Little(uint64_t{2}, uint64_t{1}, uint16_t{0}), 2)),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("row 2")));
  EXPECT_THAT(ReadOne(BlockOf("Array(Int8)", Little(uint64_t{1} << 31))),
              FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(BlockOf("Int8", "", kBlockRowsMax + 1)),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("rows")));
  EXPECT_THAT(ReadOne(std::string("\0\1", 2)), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(ReadOne(std::string(10, '\xff')), FailsWith(FaultCode::kSourceProtocol));
}

TEST(BlockReader, ReadsNothingIntoWhatANullStandsFor) {
  for (const std::string& bytes :
       {BlockOf("Nullable(Enum8('a' = 1))", std::string("\1\0", 2)),
        BlockOf("Nullable(Bool)", "\1\7"), BlockOf("Nullable(String)", "\1\1\xff"),
        BlockOf("Nullable(Decimal(9, 2))", Little(uint8_t{1}, int32_t{1'000'000'000})),
        BlockOf("Nullable(DateTime64(0))", Little(uint8_t{1}, int64_t{1} << 62))}) {
    const Block block = ValueOf(ReadOne(bytes));
    EXPECT_THAT(block.arrays[0]->ValidateFull(), IsOk());
    EXPECT_EQ(block.arrays[0]->null_count(), 1);
  }
}

TEST(BlockReader, RefusesDecimalsBeyondTheirDigitsAndTimesBeyondArrows) {
  EXPECT_THAT(ReadOne(BlockOf("Decimal(9, 2)", Little(int32_t{1'000'000'000}))),
              FailsWith(FaultCode::kValueRefused, HasSubstr("\"x\"")));
  EXPECT_THAT(ReadOne(BlockOf("DateTime64(0)", Little(int64_t{1} << 62))),
              FailsWith(FaultCode::kValueRefused));
}

TEST(BlockReader, BoundsWhatABlockBecomes) {
  std::string text;
  AppendText(text, std::string(1000, 'a'));
  const std::string block = BlockOf("LowCardinality(String)",
                                    Little(uint64_t{1}, uint64_t{0x600}, uint64_t{1}) + text +
                                        Little(uint64_t{100}) + std::string(100, '\0'),
                                    100);
  EXPECT_THAT(ReadOne(block), IsOk());
  EXPECT_THAT(ReadOne(block, {.block_bytes_max = 50'000}),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("\"x\"")));
}

TEST(BlockReader, ReadsTheProtocolsAdditions) {
  const auto values = ValueOf(arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 2]"));
  for (const uint64_t revision : {uint64_t{0}, uint64_t{54412}, uint64_t{54460}}) {
    const std::string bytes = ValueOf(WriteBlock({{"x", "Int32", values}}, revision));
    EXPECT_TRUE(ValueOf(ReadOne(bytes, {.revision = revision})).arrays[0]->Equals(*values));
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_THAT(ReadOne(bytes.substr(0, size), {.revision = revision}),
                  FailsWith(FaultCode::kSourceProtocol));
    }
  }
  std::string sparse = ValueOf(WriteBlock({{"x", "Int32", values}}, 54460));
  sparse[sparse.size() - 9] = 1;
  EXPECT_THAT(ReadOne(sparse, {.revision = 54460}), FailsWith(FaultCode::kSourceUnsupported));
}

TEST(BlockWriter, WritesWhatTheReaderReads) {
  const std::pair<std::string, std::string> kCases[] = {
      {"Int8", "[-1, 2]"},
      {"UInt64", "[0, 18446744073709551615]"},
      {"Float32", "[1.5, -2]"},
      {"Float64", "[1.5, -2e300]"},
      {"Bool", "[true, false]"},
      {"String", R"(["", "é"])"},
      {"FixedString(2)", R"(["ab", "cd"])"},
      {"Nullable(String)", R"([null, "a"])"},
      {"Nullable(Int64)", "[null, 3]"},
      {"Nullable(DateTime)", R"([null, "2026-01-01 00:00:01"])"},
      {"DateTime", R"(["1970-01-01 00:00:00", "2106-02-07 06:28:15"])"},
      {"DateTime64(3)", R"(["1960-01-01 00:00:00.001", "2106-02-07 06:28:15"])"},
      {"Date", "[0, 65535]"},
      {"Date32", "[-1, 65536]"},
      {"Decimal(9, 2)", R"(["-1.25", "0.00"])"},
      {"Decimal(18, 2)", R"(["-1.25", "0.00"])"},
      {"Decimal(38, 2)", R"(["-1.25", "0.00"])"},
      {"Decimal(76, 2)", R"(["-1.25", "0.00"])"},
      {"Array(Nullable(Int32))", "[[1, null], []]"},
  };
  BlockOptions options;
  options.types.keep_unsigned = true;
  for (const auto& [name, json] : kCases) {
    SCOPED_TRACE(name);
    const auto type = FieldOf("x", ValueOf(ParseType(name)), options.types)->type();
    const auto values = ValueOf(arrow::json::ArrayFromJSONString(type, json));
    const Block block = ValueOf(ReadOne(ValueOf(WriteBlock({{"x", name, values}}, 0)), options));
    EXPECT_TRUE(block.arrays[0]->Equals(*values)) << block.arrays[0]->ToString();
    const auto last = values->Slice(1);
    const Block sliced = ValueOf(ReadOne(ValueOf(WriteBlock({{"x", name, last}}, 0)), options));
    EXPECT_TRUE(sliced.arrays[0]->Equals(*last)) << sliced.arrays[0]->ToString();
  }
}

TEST(BlockWriter, RefusesWhatDoesNotFit) {
  const auto of = [](const std::string& name, const std::shared_ptr<arrow::DataType>& type,
                     const std::string& json) {
    return WriteBlock({{"x", name, ValueOf(arrow::json::ArrayFromJSONString(type, json))}}, 0);
  };
  EXPECT_THAT(of("Int8", arrow::int16(), "[1]"),
              FailsWith(FaultCode::kBadCast, HasSubstr("\"x\"")));
  EXPECT_THAT(of("Int8", arrow::int8(), "[null]"), FailsWith(FaultCode::kBadCast));
  EXPECT_THAT(of("Date", arrow::date32(), "[65536]"), FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(of("FixedString(1)", arrow::binary(), R"(["ab"])"),
              FailsWith(FaultCode::kValueRefused));
  EXPECT_THAT(of("UUID", arrow::utf8(), R"(["a"])"), FailsWith(FaultCode::kUnsupportedType));
}

}  // namespace
}  // namespace levada::chnative
