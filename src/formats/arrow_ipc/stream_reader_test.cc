#include "formats/arrow_ipc/stream_reader.h"

#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>

#include <cstring>

#include "base/testing.h"
#include "formats/arrow_ipc/stream_writer.h"

namespace levada::arrow_ipc {
namespace {

using arrow::field;
using testing::HasSubstr;

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// Gives bytes at most `step` at a time.
ByteSource From(std::string bytes, size_t step = SIZE_MAX) {
  return [bytes = std::move(bytes), step,
          at = size_t{0}](std::span<uint8_t> out) mutable -> Result<size_t> {
    const size_t count = std::min({out.size(), step, bytes.size() - at});
    std::memcpy(out.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

Batch Rows(const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::string>& json) {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    columns.push_back(ValueOf(arrow::json::ArrayFromJSONString(schema->field(i)->type(),
                                                               json.at(static_cast<size_t>(i)))));
  }
  const int64_t rows = columns.front()->length();
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

/// By Arrow's own writer.
std::string Written(
    const std::vector<Batch>& batches, const std::shared_ptr<arrow::Schema>& schema,
    const arrow::ipc::IpcWriteOptions& options = arrow::ipc::IpcWriteOptions::Defaults(),
    bool with_end = true) {
  auto out = ValueOf(arrow::io::BufferOutputStream::Create());
  auto writer = ValueOf(arrow::ipc::MakeStreamWriter(out, schema, options));
  for (const Batch& batch : batches) EXPECT_THAT(writer->WriteRecordBatch(*batch), IsOk());
  if (with_end) {
    EXPECT_THAT(writer->Close(), IsOk());
  }
  return ValueOf(out->Finish())->ToString();
}

struct Stream {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<Batch> batches;
};

class StreamReaderTest : public testing::Test {
 protected:
  Result<Stream> TryRead(std::string bytes, const ReadLimits& limits = {}, size_t step = SIZE_MAX) {
    ARROW_ASSIGN_OR_RAISE(
        auto reader, StreamReader::Open(From(std::move(bytes), step), limits, &surroundings_.pool));
    Stream stream;
    stream.schema = reader->schema();
    while (true) {
      ARROW_ASSIGN_OR_RAISE(Batch batch, reader->Next());
      if (batch == nullptr) break;
      stream.batches.push_back(std::move(batch));
    }
    EXPECT_EQ(ValueOf(reader->Next()), nullptr) << "an end stays one";
    return stream;
  }

  TestContext surroundings_;  // first: batches are from its pool
  const std::shared_ptr<arrow::Schema> schema_ = arrow::schema(
      {field("id", arrow::int64(), false), field("word", arrow::utf8()),
       field("tags", arrow::list(arrow::utf8())), field("price", arrow::decimal128(12, 2)),
       field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       field("ok", arrow::boolean())});
  const Batch rows_ =
      Rows(schema_, {"[1, 2, 3]", R"(["a", null, "häuser"])", R"([["x", "y"], [], null])",
                     R"(["1.50", null, "-3.00"])", "[0, 1, null]", "[true, false, null]"});
};

TEST_F(StreamReaderTest, ReadsWhatArrowWrites) {
  for (const size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
    const Stream stream = ValueOf(TryRead(Written({rows_, rows_}, schema_), {}, step));
    EXPECT_TRUE(stream.schema->Equals(*schema_));
    ASSERT_EQ(stream.batches.size(), 2U);
    EXPECT_TRUE(stream.batches[1]->Equals(*rows_));
  }
}

TEST_F(StreamReaderTest, ReadsWhatItsWriterWrites) {
  std::string bytes;
  const auto sink = [&](std::span<const uint8_t> more) {
    bytes.append(more.begin(), more.end());
    return Status::OK();
  };
  auto writer = ValueOf(StreamWriter::Open(schema_, sink, &surroundings_.pool));
  ASSERT_THAT(writer->Write(*rows_), IsOk());
  ASSERT_THAT(writer->Write(*rows_->Slice(1, 1)), IsOk());
  ASSERT_THAT(writer->Finish(), IsOk());
  const Stream stream = ValueOf(TryRead(bytes));
  ASSERT_EQ(stream.batches.size(), 2U);
  EXPECT_TRUE(stream.batches[0]->Equals(*rows_));
  EXPECT_TRUE(stream.batches[1]->Equals(*rows_->Slice(1, 1)));
}

TEST_F(StreamReaderTest, TheWriterHandsOnWhatItsSinkSays) {
  int calls = 0;
  const auto sink = [&](std::span<const uint8_t>) -> Status {
    ++calls;
    return Fault(FaultCode::kSourceProtocol, "nobody reads");
  };
  auto writer = ValueOf(StreamWriter::Open(schema_, sink, &surroundings_.pool));
  EXPECT_THAT(writer->Write(*rows_), FailsWith(FaultCode::kSourceProtocol));
  writer.reset();
  EXPECT_EQ(calls, 1) << "nothing more is written";
}

TEST_F(StreamReaderTest, AStreamCutAnywhereIsAnError) {
  const std::string whole = Written({rows_, rows_}, schema_);
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_THAT(TryRead(whole.substr(0, size)), FailsWith(FaultCode::kSourceProtocol)) << size;
  }
}

TEST_F(StreamReaderTest, AnEndWithoutItsMarkerIsNone) {
  const auto options = arrow::ipc::IpcWriteOptions::Defaults();
  EXPECT_THAT(TryRead(Written({rows_}, schema_, options, /*with_end=*/false)),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("end marker")));
  EXPECT_THAT(TryRead(""), FailsWith(FaultCode::kSourceProtocol, HasSubstr("got nothing")));
}

TEST_F(StreamReaderTest, NothingMayFollow) {
  const std::string whole = Written({rows_}, schema_);
  EXPECT_THAT(TryRead(whole + whole), FailsWith(FaultCode::kSourceProtocol, HasSubstr("behind")));
  EXPECT_THAT(TryRead(whole + "x"), FailsWith(FaultCode::kSourceProtocol, HasSubstr("behind")));
}

TEST_F(StreamReaderTest, SaysWhatElseItGot) {
  EXPECT_THAT(TryRead("Hello, world\n"),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("got text")));
  EXPECT_THAT(TryRead("ARROW1\0\0......"),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("got an Arrow file")));
  EXPECT_THAT(TryRead("\x89PNG......"),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("something else")));
}

TEST_F(StreamReaderTest, NoLengthIsBelieved) {
  const std::string whole = Written({rows_}, schema_);
  const auto with_length = [&](uint32_t length) {
    std::string changed = whole;
    std::memcpy(changed.data() + 4, &length, sizeof length);
    return changed;
  };
  EXPECT_THAT(TryRead(with_length(0x7fffffff)), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(TryRead(with_length(0xfffffff0)), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_LT(surroundings_.pool.max_memory(), 1 << 20) << "before it was made room for";
}

TEST_F(StreamReaderTest, ABatchHasALimit) {
  ReadLimits limits;
  limits.batch_bytes = 4096;
  const auto many = arrow::schema({field("n", arrow::int64())});
  arrow::Int64Builder builder;
  ASSERT_THAT(builder.AppendValues(std::vector<int64_t>(1000, 7)), IsOk());
  const Batch batch = arrow::RecordBatch::Make(many, 1000, {ValueOf(builder.Finish())});
  EXPECT_THAT(TryRead(Written({batch}, many), limits),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("record batch 1")));
  EXPECT_THAT(TryRead(Written({batch->Slice(0, 100)}, many), limits), IsOk());
  // 8,000 equal bytes are few when compressed.
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = ValueOf(arrow::util::Codec::Create(arrow::Compression::ZSTD));
  EXPECT_THAT(TryRead(Written({batch}, many, options), limits),
              FailsWith(FaultCode::kSourceProtocol, HasSubstr("record batch 1")));
  EXPECT_TRUE(ValueOf(TryRead(Written({batch}, many, options))).batches[0]->Equals(*batch));
}

TEST_F(StreamReaderTest, MetadataIsLeftOut) {
  const auto schema = schema_->WithMetadata(arrow::key_value_metadata({"pandas"}, {"{}"}));
  EXPECT_EQ(ValueOf(TryRead(Written({}, schema))).schema->metadata(), nullptr);
}

TEST_F(StreamReaderTest, TypesThatNobodyKnowsAreRefusedByName) {
  for (const auto& type :
       {arrow::null(), arrow::dictionary(arrow::int32(), arrow::utf8()), arrow::date64(),
        arrow::duration(arrow::TimeUnit::SECOND), arrow::float16(), arrow::utf8_view(),
        arrow::fixed_size_list(arrow::int32(), 2), arrow::struct_({}), arrow::month_interval(),
        arrow::list(arrow::null()), arrow::fixed_size_binary(0)}) {
    const auto schema = arrow::schema({field("x", type)});
    EXPECT_THAT(TryRead(Written({}, schema)),
                FailsWith(FaultCode::kUnsupportedType, HasSubstr("column \"x")))
        << type->ToString();
  }
  auto deep = arrow::int32();
  for (int i = 0; i < 40; ++i) deep = arrow::list(deep);
  EXPECT_THAT(TryRead(Written({}, arrow::schema({field("x", deep)}))),
              FailsWith(FaultCode::kUnsupportedType, HasSubstr("deep")));
}

TEST_F(StreamReaderTest, NamesAreTextsAndDiffer) {
  const auto reads = [&](const std::vector<std::string>& names) {
    arrow::FieldVector fields;
    for (const std::string& name : names) fields.push_back(field(name, arrow::int32()));
    return TryRead(Written({}, arrow::schema(fields)));
  };
  EXPECT_THAT(reads({"a", "A"}), FailsWith(FaultCode::kDuplicateColumn));
  EXPECT_THAT(reads({""}), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(reads({"\xff"}), FailsWith(FaultCode::kSourceProtocol));
  EXPECT_THAT(reads({}), FailsWith(FaultCode::kSourceProtocol, HasSubstr("columns")));
}

TEST_F(StreamReaderTest, ValuesAreWhatTheyClaimToBe) {
  const auto text = arrow::schema({field("word", arrow::utf8())});
  std::string bytes = Written({Rows(text, {R"(["abcdefgh"])"})}, text);
  bytes[bytes.find("abcdefgh")] = '\xff';
  EXPECT_THAT(TryRead(bytes), FailsWith(FaultCode::kInvalidUtf8, HasSubstr("\"word\"")));

  const auto numbers = arrow::schema({field("n", arrow::list(arrow::int64()))});
  bytes = Written({Rows(numbers, {"[[81985529216486895], []]"})}, numbers);
  const size_t value = bytes.find("\xef\xcd\xab\x89\x67\x45\x23\x01");
  ASSERT_NE(value, std::string::npos);
  bytes[value - 64 + 4] = '\x7f';  // an offset: buffers are 64 bytes apart or less
  const auto read = TryRead(bytes);
  if (!read.ok()) {
    EXPECT_THAT(read, FailsWith(FaultCode::kSourceProtocol));
  }
}

TEST_F(StreamReaderTest, NoNullWhereTheSchemaSaysSo) {
  const auto schema = arrow::schema({field("n", arrow::int64(), false)});
  EXPECT_THAT(TryRead(Written({Rows(schema, {"[1, null]"})}, schema)),
              FailsWith(FaultCode::kValueRefused, HasSubstr("\"n\"")));
  const auto inner =
      arrow::schema({field("s", arrow::struct_({field("n", arrow::int64(), false)}))});
  EXPECT_THAT(TryRead(Written({Rows(inner, {R"([{"n": 1}, {"n": null}])"})}, inner)),
              FailsWith(FaultCode::kValueRefused, HasSubstr("\"s.n\"")));
}

TEST_F(StreamReaderTest, EveryChangedByteIsAnErrorOrOtherRows) {
  const std::string whole = Written({rows_}, schema_);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const uint8_t flip : {0xff, 0x01, 0x80}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(static_cast<uint8_t>(changed[i]) ^ flip);
      const auto read = TryRead(changed);
      if (!read.ok()) {
        EXPECT_NE(CodeOf(read.status()), FaultCode::kInternal) << i << read.status().ToString();
        continue;
      }
      for (const Batch& batch : read->batches) EXPECT_THAT(batch->ValidateFull(), IsOk()) << i;
    }
  }
}

TEST_F(StreamReaderTest, AnErrorOfTheSourceIsHandedOn) {
  const std::string whole = Written({rows_}, schema_);
  auto rest = From(whole.substr(0, whole.size() / 2));
  const auto source = [&](std::span<uint8_t> out) -> Result<size_t> {
    ARROW_ASSIGN_OR_RAISE(const size_t count, rest(out));
    if (count == 0) return Fault(FaultCode::kStopped, "stop");
    return count;
  };
  auto reader = StreamReader::Open(source, {}, &surroundings_.pool);
  const Status status = reader.ok() ? (*reader)->Next().status() : reader.status();
  EXPECT_THAT(status, FailsWith(FaultCode::kStopped));
}

}  // namespace
}  // namespace levada::arrow_ipc
