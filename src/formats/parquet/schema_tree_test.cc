#include "formats/parquet/schema_tree.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/parquet/file_encoder.h"
#include "formats/parquet/schema_tree_reader.h"

namespace levada::parquet_format {
namespace {

using arrow::field;

constexpr const char* kText =
    "message spark_schema { optional int32 a (INTEGER(8,true)) = 1; required binary \"b \\\"c\" "
    "(STRING); optional group l (LIST) { repeated group list { optional int64 element "
    "(DECIMAL(18,2)); } } optional group m (MAP) { repeated group key_value { required binary key "
    "(STRING); optional fixed_len_byte_array(16) value (UUID); } } optional int64 t "
    "(TIMESTAMP(MILLIS,false)); }";

std::shared_ptr<arrow::Buffer> EncodedFile(const std::shared_ptr<arrow::Schema>& schema,
                                           Profile profile) {
  EncodeOptions options;
  options.profile = profile;
  EncodeEnvironment environment;
  environment.pool = arrow::default_memory_pool();
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto encoder =
      FileEncoder::Make(*schema, options, "levada version test", sink, environment).ValueOrDie();
  EXPECT_TRUE(encoder->Close().ok());
  return sink->Finish().ValueOrDie();
}

Result<SchemaTree> Read(std::shared_ptr<arrow::Buffer> bytes) {
  return ReadSchemaTree(std::make_shared<arrow::io::BufferReader>(std::move(bytes)),
                        arrow::default_memory_pool());
}

std::shared_ptr<arrow::Schema> WideSchema() {
  return arrow::schema(
      {field("id", arrow::int64(), false), field("tiny", arrow::int8()),
       field("word", arrow::large_utf8()), field("price", arrow::decimal128(12, 2)),
       field("huge", arrow::decimal128(38, 2)), field("tags", arrow::list(arrow::utf8())),
       field("map", arrow::map(arrow::utf8(), arrow::int32())), field("day", arrow::date32()),
       field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       field("clock", arrow::timestamp(arrow::TimeUnit::MICRO)),
       field("point",
             arrow::struct_({field("x", arrow::float32()), field("y", arrow::binary())}))});
}

TEST(SchemaTree, IsTheSameBehindItsText) {
  const auto tree = ParseSchemaText(kText);
  ASSERT_TRUE(tree.ok()) << tree.status().ToString();
  EXPECT_EQ(ToText(*tree), kText);
  EXPECT_EQ(tree->columns[0].field_id, 1);
  EXPECT_EQ(tree->columns[1].name, "b \"c");
  EXPECT_EQ(DescribeType(tree->columns[4]), "int64 (TIMESTAMP(MILLIS,false))");
}

TEST(SchemaTree, RefusesATextThatIsCutAnywhere) {
  const std::string text = kText;
  for (size_t size = 0; size < text.size(); ++size) {
    const auto tree = ParseSchemaText(std::string_view(text).substr(0, size));
    EXPECT_EQ(CodeOf(tree.status()), FaultCode::kBadValue) << size;
  }
}

TEST(SchemaTree, RefusesATextThatNestsTooDeep) {
  std::string text = "message m {";
  for (int i = 0; i < 200; ++i) text += " optional group g {";
  EXPECT_EQ(CodeOf(ParseSchemaText(text).status()), FaultCode::kBadValue);
}

TEST(SchemaTree, OfAFileIsWhatTheEncoderPlansToWrite) {
  for (const Profile profile : {Profile::kSpark3, Profile::kArrow}) {
    const auto schema = WideSchema();
    const auto read = Read(EncodedFile(schema, profile));
    const auto planned = SchemaTreeOf(*schema, profile);
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    ASSERT_TRUE(planned.ok()) << planned.status().ToString();
    EXPECT_EQ(ToText(*read), ToText(*planned));
    EXPECT_EQ(*read, *planned);
  }
}

TEST(SchemaTree, HasSparksNamesForTheParts) {
  const auto tree =
      SchemaTreeOf(*arrow::schema({field("tags", arrow::list(arrow::int16()))}), Profile::kSpark3);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(ToText(*tree),
            "message spark_schema { optional group tags (LIST) { repeated group list { optional "
            "int32 element (INTEGER(16,true)); } } }");
}

TEST(SchemaTree, RefusesAFileThatIsCutAnywhere) {
  const auto file = EncodedFile(WideSchema(), Profile::kSpark3);
  for (int64_t size = 0; size < file->size(); ++size) {
    EXPECT_EQ(CodeOf(Read(arrow::SliceBuffer(file, 0, size)).status()),
              FaultCode::kSourceFileMalformed)
        << size;
  }
}

TEST(SchemaTree, SurvivesAnyByteThatIsAnother) {
  const auto file = EncodedFile(WideSchema(), Profile::kSpark3);
  for (int64_t at = 0; at < file->size(); ++at) {
    std::string bytes = file->ToString();
    bytes[static_cast<size_t>(at)] = static_cast<char>(bytes[static_cast<size_t>(at)] ^ 0x55);
    (void)Read(arrow::Buffer::FromString(std::move(bytes)));
  }
}

}  // namespace
}  // namespace levada::parquet_format
