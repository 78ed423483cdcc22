// The frame around the values: header, tuples, trailer, lengths, batches, limits. Values
// themselves: capture_test.cc.

#include "formats/pgcopy/decoder.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <numeric>

#include "formats/pgcopy/captured.h"
#include "formats/pgcopy/encoder.h"

namespace levada::pgcopy {
namespace {

using Bytes = std::vector<uint8_t>;

Column Make(const std::string& name, ValueKind kind) {
  Column column{name, {}};
  column.type.kind = kind;
  return column;
}

Bytes HeaderBytes() {
  Encoder encoder;
  encoder.Header();
  return encoder.Take();
}

/// A header, then `rest` byte for byte.
Bytes Stream(const Bytes& rest) {
  Bytes stream = HeaderBytes();
  stream.insert(stream.end(), rest.begin(), rest.end());
  return stream;
}

/// One tuple of one field of `size` bytes, which are `value`.
Bytes OneField(const Bytes& value, int32_t size) {
  Bytes stream = Stream({0, 1});
  for (const int shift : {24, 16, 8, 0}) stream.push_back(static_cast<uint8_t>(size >> shift));
  stream.insert(stream.end(), value.begin(), value.end());
  stream.insert(stream.end(), {0xff, 0xff});
  return stream;
}
Bytes OneField(const Bytes& value) { return OneField(value, static_cast<int32_t>(value.size())); }

/// The fault of decoding `stream`, the same in whatever chunks it comes.
Fault FaultIn(const std::vector<Column>& columns, const Bytes& stream,
              const DecoderOptions& options = {}) {
  const Decoded whole = DecodeInChunks(columns, options, stream);
  EXPECT_FALSE(whole.status.ok());
  for (const size_t size : {1, 3, 8}) {
    EXPECT_EQ(Difference(whole, DecodeBySize(columns, options, stream, size)), "");
  }
  return whole.status.ok() ? Fault(FaultCode::kInternal, "no error") : FaultOf(whole.status);
}

FaultCode CodeIn(ValueKind kind, const Bytes& stream) {
  return FaultIn({Make("v", kind)}, stream).code();
}

/// Rows of (int4, text), `text` each.
Bytes Rows(int64_t count, std::string_view text) {
  Encoder encoder;
  encoder.Header();
  for (int64_t row = 0; row < count; ++row) {
    encoder.BeginTuple(2);
    encoder.Int4(static_cast<int32_t>(row));
    encoder.Text(text);
  }
  encoder.Trailer();
  return encoder.Take();
}

const std::vector<Column> kTwoColumns = {Make("i", ValueKind::kInt4), Make("t", ValueKind::kText)};

std::vector<int64_t> BatchRows(const Decoded& decoded) {
  std::vector<int64_t> rows;
  for (const auto& batch : decoded.batches) rows.push_back(batch->num_rows());
  return rows;
}

TEST(DecoderTest, RefusesEveryOtherSignature) {
  for (size_t i = 0; i < 11; ++i) {
    Bytes stream = Rows(1, "a");
    stream[i] ^= 1;
    EXPECT_EQ(FaultIn(kTwoColumns, stream).code(), FaultCode::kSourceProtocol);
  }
}

TEST(DecoderTest, RefusesCriticalFlagsAndIgnoresTheOthers) {
  Bytes stream = Rows(1, "a");
  stream[14] = 0xff;
  EXPECT_TRUE(DecodeInChunks(kTwoColumns, {}, stream).status.ok());
  stream[12] = 1;  // rows with oids
  EXPECT_NE(FaultIn(kTwoColumns, stream).message().find("object ids"), std::string::npos);
  stream[12] = 0x80;
  EXPECT_EQ(FaultIn(kTwoColumns, stream).code(), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, SkipsAnExtensionOfTheHeader) {
  Bytes stream = Rows(2, "a");
  stream[17] = 1;  // 256 bytes
  stream.insert(stream.begin() + 19, 256, 0xAB);
  for (const size_t size : {1, 100, 1000}) {
    const Decoded decoded = DecodeBySize(kTwoColumns, {}, stream, size);
    EXPECT_TRUE(decoded.status.ok());
    EXPECT_EQ(decoded.rows, 2);
  }
  stream[15] = 0x7f;  // 2 GiB
  EXPECT_EQ(FaultIn(kTwoColumns, stream).code(), FaultCode::kSourceProtocol);
  stream[15] = 0xff;
  EXPECT_EQ(FaultIn(kTwoColumns, stream).code(), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, RefusesAnotherCountOfFields) {
  for (const Bytes& count :
       {Bytes{0, 1}, Bytes{0, 3}, Bytes{0, 0}, Bytes{0xff, 0xfe}, Bytes{0x7f, 0xff}}) {
    Bytes tuple = count;
    tuple.insert(tuple.end(), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    const Fault fault = FaultIn(kTwoColumns, Stream(tuple));
    EXPECT_EQ(fault.code(), FaultCode::kSourceProtocol);
    EXPECT_EQ(fault.Detail("row"), "1");
    EXPECT_EQ(fault.Detail("byte_offset"), "19");
  }
}

TEST(DecoderTest, RefusesLengthsThatCannotBe) {
  EXPECT_EQ(CodeIn(ValueKind::kText, OneField({}, -2)), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kText, OneField({}, INT32_MIN)), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kText, OneField({1, 2, 3}, INT32_MAX)), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kInt8, OneField({}, -2)), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, RefusesALengthBehindTheEndOfTheStream) {
  const Fault fault = FaultIn({Make("v", ValueKind::kText)}, OneField({'a', 'b'}, 5));
  EXPECT_EQ(fault.code(), FaultCode::kSourceProtocol);
  EXPECT_NE(fault.message().find("trailer"), std::string::npos);
}

TEST(DecoderTest, RefusesAnotherLengthForEveryFixedType) {
  const std::vector<std::pair<ValueKind, size_t>> kinds = {
      {ValueKind::kBool, 1},      {ValueKind::kInt2, 2},        {ValueKind::kInt4, 4},
      {ValueKind::kInt8, 8},      {ValueKind::kOid, 4},         {ValueKind::kFloat4, 4},
      {ValueKind::kFloat8, 8},    {ValueKind::kDate, 4},        {ValueKind::kTime, 8},
      {ValueKind::kTimestamp, 8}, {ValueKind::kTimestamptz, 8}, {ValueKind::kInterval, 16},
      {ValueKind::kUuid, 16},     {ValueKind::kInternalChar, 1}};
  for (const auto& [kind, size] : kinds) {
    for (size_t other = 0; other < 20; ++other) {
      if (other == size) {
        EXPECT_TRUE(DecodeInChunks({Make("v", kind)}, {}, OneField(Bytes(other))).status.ok());
        continue;
      }
      const Fault fault = FaultIn({Make("v", kind)}, OneField(Bytes(other)));
      EXPECT_EQ(fault.code(), FaultCode::kSourceProtocol);
      EXPECT_EQ(fault.Detail("column"), "v");
      EXPECT_EQ(fault.Detail("row"), "1");
    }
  }
}

TEST(DecoderTest, RefusesValuesThatNoServerHas) {
  EXPECT_EQ(CodeIn(ValueKind::kBool, OneField({2})), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kDate, OneField({0x7f, 0xff, 0xff, 0xfe})),
            FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kDate, OneField({0x80, 0, 0, 1})), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kTime, OneField({0, 0, 0, 0x14, 0x1d, 0xd7, 0x60, 1})),
            FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kTime, OneField(Bytes(8, 0xff))), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kTimestamp, OneField({0x80, 0, 0, 0, 0, 0, 0, 1})),
            FaultCode::kSourceProtocol);
  EXPECT_EQ(
      CodeIn(ValueKind::kTimestamp, OneField({0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe})),
      FaultCode::kSourceProtocol);
}

TEST(DecoderTest, RefusesJsonbOfAnotherVersion) {
  EXPECT_EQ(CodeIn(ValueKind::kJsonb, OneField({})), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kJsonb, OneField({2, '1'})), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kJsonb, OneField({'1'})), FaultCode::kSourceProtocol);
  EXPECT_EQ(CodeIn(ValueKind::kJsonb, OneField({1, 0xff})), FaultCode::kInvalidUtf8);
}

TEST(DecoderTest, RefusesMalformedNumerics) {
  Column column = Make("v", ValueKind::kNumeric);
  column.type.numeric = NumericBounds{15, 2};
  const Bytes digit_too_large = {0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10};
  const Bytes too_short = {0, 1, 0, 0, 0, 0, 0};
  const Bytes foreign_sign = {0, 0, 0, 0, 0x12, 0x34, 0, 0};
  for (const Bytes& value : {digit_too_large, too_short, foreign_sign}) {
    EXPECT_EQ(FaultIn({column}, OneField(value)).code(), FaultCode::kSourceProtocol);
  }
  column.type.special = ValuePolicy::kString;
  const Bytes hidden_digits = {0, 1, 0xff, 0xff, 0, 0, 0, 0, 0, 5};
  EXPECT_EQ(FaultIn({column}, OneField(hidden_digits)).code(), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, RefusesNumbersOutOfDoublesRange) {
  Column column = Make("v", ValueKind::kNumeric);
  column.type.unbounded = ValuePolicy::kDouble;
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(1);
  ASSERT_TRUE(encoder.Numeric("1e400").ok());
  encoder.Trailer();
  EXPECT_EQ(FaultIn({column}, encoder.Take()).code(), FaultCode::kValueRefused);
}

TEST(DecoderTest, KeepsEmptyAndNullApart) {
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(2);
  encoder.Null();
  encoder.Text("");
  encoder.BeginTuple(2);
  encoder.Int4(0);
  encoder.Null();
  encoder.Trailer();
  const Decoded decoded = DecodeInChunks(kTwoColumns, {}, encoder.Take());
  ASSERT_TRUE(decoded.status.ok());
  const arrow::RecordBatch& batch = *decoded.batches[0];
  EXPECT_TRUE(batch.column(0)->IsNull(0));
  EXPECT_TRUE(batch.column(0)->IsValid(1));
  EXPECT_TRUE(batch.column(1)->IsValid(0));
  EXPECT_TRUE(batch.column(1)->IsNull(1));
  EXPECT_EQ(batch.column(1)->null_count(), 1);
}

TEST(DecoderTest, RefusesNullInAColumnDeclaredNotNull) {
  std::vector<Column> columns = kTwoColumns;
  columns[1].type.nullable = false;
  Encoder encoder;
  encoder.Header();
  for (int row = 0; row < 3; ++row) {
    encoder.BeginTuple(2);
    encoder.Null();
    row == 2 ? encoder.Null() : encoder.Text("a");
  }
  encoder.Trailer();
  const Fault fault = FaultIn(columns, encoder.Take());
  EXPECT_EQ(fault.code(), FaultCode::kSourceProtocol);
  EXPECT_EQ(fault.Detail("column"), "t");
  EXPECT_EQ(fault.Detail("row"), "3");
}

TEST(DecoderTest, HasNoValidityBitmapWithoutANull) {
  const Decoded decoded = DecodeInChunks(kTwoColumns, {}, Rows(100, "abc"));
  ASSERT_EQ(decoded.batches.size(), 1u);
  for (const auto& column : decoded.batches[0]->columns()) {
    EXPECT_EQ(column->null_bitmap(), nullptr);
    EXPECT_EQ(column->data()->null_count.load(), 0);
  }
}

TEST(DecoderTest, TakesBackTheNullsOfATupleThatIsCutOff) {
  // The first part ends behind a NULL; with the second the tuple turns out whole, and its NULL is
  // there once.
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(2);
  encoder.Null();
  encoder.Text("abc");
  encoder.Trailer();
  const Bytes stream = encoder.Take();
  for (size_t cut = 19; cut < stream.size(); ++cut) {
    const size_t cuts[] = {cut};
    const Decoded decoded = DecodeInChunks(kTwoColumns, {}, stream, cuts);
    ASSERT_TRUE(decoded.status.ok());
    EXPECT_EQ(decoded.batches[0]->column(0)->data()->null_count.load(), 1);
    EXPECT_EQ(decoded.batches[0]->column(1)->null_count(), 0);
  }
}

TEST(DecoderTest, RefusesWhatIsNotAnArrayOfTheColumn) {
  Column column = Make("v", ValueKind::kInt4);
  column.type.array = true;
  column.type.element_oid = 23;
  const auto code = [&](const Bytes& value) {
    const Fault fault = FaultIn({column}, OneField(value));
    EXPECT_EQ(fault.Detail("column"), "v");
    return fault.code();
  };
  const Bytes one = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0,
                     0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0,  0, 9};
  ASSERT_TRUE(DecodeInChunks({column}, {}, OneField(one)).status.ok());
  for (size_t size = 0; size < one.size(); ++size) {
    EXPECT_EQ(code(Bytes(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(size))),
              FaultCode::kSourceProtocol);
  }
  const auto with = [&](size_t at, uint8_t byte) {
    Bytes value = one;
    value[at] = byte;
    return value;
  };
  EXPECT_EQ(code(with(0, 0xff)), FaultCode::kSourceProtocol);   // a negative count of dimensions
  EXPECT_EQ(code(with(3, 7)), FaultCode::kSourceProtocol);      // more than there can be
  EXPECT_EQ(code(with(3, 0)), FaultCode::kSourceProtocol);      // none, and bytes behind them
  EXPECT_EQ(code(with(3, 2)), FaultCode::kValueRefused);        // two
  EXPECT_EQ(code(with(7, 2)), FaultCode::kSourceProtocol);      // flags
  EXPECT_EQ(code(with(11, 25)), FaultCode::kSourceProtocol);    // elements of text
  EXPECT_EQ(code(with(12, 0xff)), FaultCode::kSourceProtocol);  // a negative count of elements
  EXPECT_EQ(code(with(12, 0x7f)), FaultCode::kSourceProtocol);  // more than fit
  EXPECT_EQ(code(with(15, 2)), FaultCode::kSourceProtocol);     // one more than there are
  EXPECT_EQ(code(with(15, 0)), FaultCode::kSourceProtocol);     // one less
  EXPECT_EQ(code(with(23, 3)), FaultCode::kSourceProtocol);     // an element too short for its type
  EXPECT_EQ(code(with(23, 5)), FaultCode::kSourceProtocol);     // and one behind the end
  Bytes longer = one;
  longer.push_back(0);
  EXPECT_EQ(code(longer), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, NamesTheElementOfAnArray) {
  Column column = Make("v", ValueKind::kDate);
  column.type.array = true;
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(1);
  encoder.BeginArray(1082, 3, true);
  encoder.Null();
  ASSERT_TRUE(encoder.Date(0).ok());
  encoder.DateInfinity(false);
  encoder.EndArray();
  encoder.Trailer();
  const Fault fault = FaultIn({column}, encoder.Take());
  EXPECT_EQ(fault.code(), FaultCode::kValueRefused);
  EXPECT_EQ(fault.Detail("element"), "3");
}

TEST(DecoderTest, KeepsArraysOfNotNullColumnsNullableInside) {
  Column column = Make("v", ValueKind::kInt4);
  column.type.array = true;
  column.type.nullable = false;
  Encoder encoder;
  encoder.Header();
  encoder.BeginTuple(1);
  encoder.BeginArray(23, 2, true);
  encoder.Null();
  encoder.Int4(1);
  encoder.EndArray();
  encoder.Trailer();
  const Decoded decoded = DecodeInChunks({column}, {}, encoder.Take());
  ASSERT_TRUE(decoded.status.ok()) << decoded.status.ToString();
  EXPECT_TRUE(decoded.batches[0]->ValidateFull().ok());
}

TEST(DecoderTest, RefusesBytesAfterTheTrailerInALaterChunk) {
  auto decoder = *Decoder::Make(kTwoColumns, {}, arrow::default_memory_pool());
  const Bytes stream = Rows(1, "a");
  ASSERT_TRUE(decoder->Decode(stream).ok());
  EXPECT_TRUE(decoder->finished());
  EXPECT_TRUE(decoder->Decode({}).ok());
  ASSERT_TRUE(decoder->Finish().ok());
  EXPECT_TRUE(decoder->Finish().ok());
  EXPECT_EQ(CodeOf(decoder->Decode(Bytes{0})), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, StaysFailed) {
  auto decoder = *Decoder::Make(kTwoColumns, {.batch_rows_max = 1}, arrow::default_memory_pool());
  Bytes stream = Rows(3, "a");
  stream.resize(stream.size() - 2);
  ASSERT_TRUE(decoder->Decode(stream).ok());
  EXPECT_TRUE(decoder->BatchReady());
  const Status failure = decoder->Decode(Bytes{0x12, 0x34});
  EXPECT_EQ(CodeOf(failure), FaultCode::kSourceProtocol);
  EXPECT_FALSE(decoder->BatchReady());
  EXPECT_EQ(decoder->Decode(Bytes{0xff, 0xff}).ToString(), failure.ToString());
  EXPECT_EQ(decoder->TakeBatch().status().ToString(), failure.ToString());
  EXPECT_EQ(decoder->Finish().ToString(), failure.ToString());
}

TEST(DecoderTest, CutsBatchesByRows) {
  for (const size_t size : {7, 100'000}) {
    const Decoded decoded =
        DecodeBySize(kTwoColumns, {.batch_rows_max = 1000}, Rows(2500, "abc"), size);
    EXPECT_EQ(BatchRows(decoded), (std::vector<int64_t>{1000, 1000, 500}));
  }
  EXPECT_EQ(BatchRows(DecodeInChunks(kTwoColumns, {.batch_rows_max = 1000}, Rows(2000, ""))),
            (std::vector<int64_t>{1000, 1000}));
}

TEST(DecoderTest, CutsBatchesByBytesAfterTheRowThatReachesThem) {
  // A row is 4 bytes of int4, 4 of offset and 92 of text.
  const Bytes stream = Rows(25, std::string(92, 'x'));
  for (const size_t size : {7, 100'000}) {
    EXPECT_EQ(BatchRows(DecodeBySize(kTwoColumns, {.batch_bytes_max = 1000}, stream, size)),
              (std::vector<int64_t>{10, 10, 5}));
  }
  EXPECT_EQ(BatchRows(DecodeInChunks(kTwoColumns, {.batch_bytes_max = 1}, stream)).size(), 25u);
}

TEST(DecoderTest, CountsWhatRenderedTextReallyTakes) {
  Column column = Make("v", ValueKind::kNumeric);
  column.type.unbounded = ValuePolicy::kString;
  Encoder encoder;
  encoder.Header();
  for (int row = 0; row < 10; ++row) {
    encoder.BeginTuple(1);
    ASSERT_TRUE(encoder.Numeric("1e1000").ok());
  }
  encoder.Trailer();
  const Decoded decoded = DecodeInChunks({column}, {.batch_bytes_max = 2000}, encoder.Take());
  EXPECT_EQ(BatchRows(decoded), (std::vector<int64_t>{2, 2, 2, 2, 2}));
}

TEST(DecoderTest, HandsOverWhatIsThereWhenAskedEarly) {
  auto decoder = *Decoder::Make(kTwoColumns, {}, arrow::default_memory_pool());
  const Bytes stream = Rows(3, "abc");
  const std::span<const uint8_t> bytes(stream);
  EXPECT_EQ((*decoder->TakeBatch())->num_rows(), 0);
  ASSERT_TRUE(decoder->Decode(bytes.first(bytes.size() - 5)).ok());
  EXPECT_FALSE(decoder->BatchReady());
  EXPECT_EQ(decoder->rows_decoded(), 2);
  const auto first = *decoder->TakeBatch();
  EXPECT_EQ(first->num_rows(), 2);
  ASSERT_TRUE(decoder->Decode(bytes.last(5)).ok());
  EXPECT_FALSE(decoder->BatchReady());
  ASSERT_TRUE(decoder->Finish().ok());
  EXPECT_TRUE(decoder->BatchReady());
  const auto second = *decoder->TakeBatch();
  EXPECT_EQ(second->num_rows(), 1);
  EXPECT_TRUE(second->ValidateFull().ok());
  EXPECT_FALSE(decoder->BatchReady());
  EXPECT_EQ(decoder->rows_decoded(), 3);
}

TEST(DecoderTest, HasNoBatchForAStreamWithoutRows) {
  auto decoder = *Decoder::Make(kTwoColumns, {}, arrow::default_memory_pool());
  ASSERT_TRUE(decoder->Decode(Rows(0, "")).ok());
  ASSERT_TRUE(decoder->Finish().ok());
  EXPECT_FALSE(decoder->BatchReady());
  EXPECT_EQ(decoder->rows_decoded(), 0);
}

TEST(DecoderTest, RefusesAnEmptyStream) {
  EXPECT_EQ(FaultIn(kTwoColumns, {}).code(), FaultCode::kSourceProtocol);
  EXPECT_EQ(FaultIn(kTwoColumns, HeaderBytes()).code(), FaultCode::kSourceProtocol);
}

TEST(DecoderTest, RefusesTuplesOverTheLimitWhereverTheyAreCut) {
  const DecoderOptions options{.tuple_bytes_max = 64};
  // 2 for the count, 8 for the int4, 4 for the text's length.
  EXPECT_TRUE(DecodeInChunks(kTwoColumns, options, Rows(2, std::string(50, 'x'))).status.ok());
  const Fault fault = FaultIn(kTwoColumns, Rows(2, std::string(51, 'x')), options);
  EXPECT_EQ(fault.code(), FaultCode::kSourceProtocol);
  EXPECT_EQ(fault.Detail("column"), "t");
}

TEST(DecoderTest, RefusesLimitsOutOfRange) {
  const auto code = [](const DecoderOptions& options, size_t columns) {
    const std::vector<Column> many(columns, Make("c", ValueKind::kBool));
    return CodeOf(Decoder::Make(many, options, arrow::default_memory_pool()).status());
  };
  EXPECT_EQ(code({.batch_rows_max = 0}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({.batch_rows_max = (1 << 24) + 1}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({.batch_bytes_max = 0}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({.batch_bytes_max = (int64_t{1} << 30) + 1}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({.tuple_bytes_max = 0}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({.tuple_bytes_max = (int64_t{1} << 30) + 1}, 1), FaultCode::kBadValue);
  EXPECT_EQ(code({}, 1665), FaultCode::kBadValue);
  EXPECT_TRUE(Decoder::Make(std::vector<Column>(1664, Make("c", ValueKind::kBool)), {},
                            arrow::default_memory_pool())
                  .ok());
}

TEST(DecoderTest, PassesOnWhatIsWrongWithAColumn) {
  const auto decoder =
      Decoder::Make({Make("price", ValueKind::kNumeric)}, {}, arrow::default_memory_pool());
  EXPECT_EQ(CodeOf(decoder.status()), FaultCode::kUnsupportedType);
  EXPECT_EQ(FaultOf(decoder.status()).Detail("column"), "price");
}

TEST(DecoderTest, ReportsTheRowOfTheStreamNotOfTheBatch) {
  Encoder encoder;
  encoder.Header();
  for (int row = 1; row <= 10; ++row) {
    encoder.BeginTuple(1);
    row == 8 ? encoder.Text("\xff") : encoder.Text("ok");
  }
  encoder.Trailer();
  const Fault fault = FaultIn({Make("v", ValueKind::kText)}, encoder.Take(), {.batch_rows_max = 3});
  EXPECT_EQ(fault.code(), FaultCode::kInvalidUtf8);
  EXPECT_EQ(fault.Detail("row"), "8");
}

TEST(DecoderTest, FindsInvalidUtf8AtEveryPlaceOfAText) {
  for (const ValueKind kind : {ValueKind::kText, ValueKind::kJsonb}) {
    for (size_t size = 1; size < 40; ++size) {
      for (size_t at = 0; at < size; ++at) {
        Bytes value(size, 'a');
        value[at] = 0xC3;  // begins a character of two bytes
        if (kind == ValueKind::kJsonb) value.insert(value.begin(), 1);
        EXPECT_EQ(CodeIn(kind, OneField(value)), FaultCode::kInvalidUtf8) << size << " " << at;
      }
    }
  }
}

TEST(DecoderTest, ChecksAColumnThatAsksForItWhereOthersAreTrusted) {
  const auto stream = [](const char* trusted, const char* checked) {
    Encoder encoder;
    encoder.Header();
    encoder.BeginTuple(2);
    encoder.Text(trusted);
    encoder.Text(checked);
    encoder.Trailer();
    return encoder.Take();
  };
  std::vector<Column> columns = {Make("a", ValueKind::kText), Make("b", ValueKind::kText)};
  columns[1].type.check_utf8 = true;
  const DecoderOptions trusting{.validate_utf8 = false};
  EXPECT_TRUE(DecodeInChunks(columns, trusting, stream("\xff", "ok")).status.ok());
  const Fault fault = FaultIn(columns, stream("ok", "\xff"), trusting);
  EXPECT_EQ(fault.code(), FaultCode::kInvalidUtf8);
  EXPECT_EQ(fault.Detail("column"), "b");
}

TEST(DecoderTest, ReadsTextOfEverySizeIntact) {
  std::vector<std::string> texts;
  Encoder encoder;
  encoder.Header();
  for (size_t size = 0; size < 300; ++size) {
    std::string text(size, ' ');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('!' + (i * 7 + size) % 90);
    texts.push_back(text);
    encoder.BeginTuple(2);
    encoder.Int4(static_cast<int32_t>(size));
    encoder.Text(text);
  }
  encoder.Trailer();
  const Bytes stream = encoder.Take();
  for (const bool validate : {false, true}) {
    for (const size_t size : {1, 50, 100'000}) {
      const Decoded decoded = DecodeBySize(kTwoColumns, {.validate_utf8 = validate}, stream, size);
      ASSERT_TRUE(decoded.status.ok());
      for (size_t i = 0; i < texts.size(); ++i) {
        ASSERT_EQ(Compare(*decoded.batches[0]->column(1), static_cast<int64_t>(i), {}, texts[i]),
                  "");
      }
    }
  }
}

}  // namespace
}  // namespace levada::pgcopy
