#include "connectors/files/files_consumer.h"

#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/files/bounds.h"
#include "connectors/files/files_fixture.h"

namespace levada::files {
namespace {

using testing::HasSubstr;

constexpr WallMicros kHour = int64_t{3600} * 1'000'000;
constexpr WallMicros kDay = 24 * kHour;
constexpr WallMicros kNewYear = 1'767'225'600'000'000;  ///< 2026-01-01T00:00:00Z

elt::RunInstance WindowRun(const std::string& column, WallMicros start, WallMicros end,
                           elt::NullWindow nulls = elt::NullWindow::kError) {
  elt::RunInstance run;
  run.pipeline = "test";
  run.window = elt::Window{start, end, "w", "UTC"};
  run.window_column = column;
  run.null_window = nulls;
  return run;
}

class FilesConsumerTest : public FilesFixture {
 protected:
  /// One batch of a column of dictionary-encoded texts as an Arrow file or stream.
  void WriteArrow(const std::string& name, const std::shared_ptr<arrow::RecordBatch>& batch,
                  bool as_stream) {
    auto out = ValueOf(arrow::io::FileOutputStream::Open(directory_ / name));
    auto writer = ValueOf(as_stream ? arrow::ipc::MakeStreamWriter(out, batch->schema())
                                    : arrow::ipc::MakeFileWriter(out, batch->schema()));
    ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok());
    ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok());
    ASSERT_TRUE(writer->Close().ok());
    ASSERT_TRUE(out->Close().ok());
  }

  static std::shared_ptr<arrow::RecordBatch> Numbers() {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues({1, 2, 3}).ok());
    EXPECT_TRUE(builder.AppendNull().ok());
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), 4,
                                    {ValueOf(builder.Finish())});
  }
};

TEST_F(FilesConsumerTest, FilesAreReadInTheOrderOfTheirNames) {
  Write("in/b.csv", "id\n3\n4\n");
  Write("in/a.csv", "id\n1\n2\n");
  Write("in/c/a.csv", "id\n5\n");
  Write("in/_SUCCESS", "");
  Write("in/.part.csv", "id\n9\n");
  EXPECT_EQ(Column(ReadAll("in"), "id"), "1, 2, 3, 4, 5");
  EXPECT_EQ(Column(ReadAll("in/*.csv"), "id"), "1, 2, 3, 4");
  EXPECT_EQ(Column(ReadAll("in/**/*.csv"), "id"), "1, 2, 3, 4, 5");
  EXPECT_EQ(Column(ReadAll("in/[b-c].csv"), "id"), "3, 4");
  EXPECT_EQ(Column(ReadAll("in/a.csv"), "id"), "1, 2");
}

TEST_F(FilesConsumerTest, NoFileAndMixedFormatsAreRefused) {
  Write("in/a.csv", "id\n1\n");
  Write("in/b.jsonl", "{\"id\": 2}\n");
  Write("txt/a.txt", "x");
  EXPECT_EQ(Fails("in/*.parquet").code(), FaultCode::kTableNotFound);
  EXPECT_EQ(Fails("nowhere").code(), FaultCode::kTableNotFound);
  EXPECT_EQ(Fails("nowhere/*.csv").code(), FaultCode::kTableNotFound);
  EXPECT_EQ(Fails("txt").code(), FaultCode::kTableNotFound);
  EXPECT_EQ(Fails("txt/*").code(), FaultCode::kImpossiblePlan);
  const Fault fault = Fails("in");
  EXPECT_EQ(fault.code(), FaultCode::kImpossiblePlan);
  EXPECT_FALSE(fault.diagnostics().empty());
  EXPECT_EQ(Column(ReadAll("in", "format: jsonl\n"), "id"), "2");
}

TEST_F(FilesConsumerTest, FilesOfOtherColumnsAreRefusedOrNull) {
  Write("in/a.csv", "id,name\n1,a\n");
  Write("in/b.csv", "name,id,more\nb,2,x\n");
  Fault fault = Fails("in");
  EXPECT_EQ(fault.code(), FaultCode::kSchemaDrift);
  EXPECT_THAT(fault.message(), HasSubstr("b.csv\": column \"more\""));
  Read read = ReadAll("in", "schema: union\n");
  EXPECT_EQ(Column(read, "id"), "1, 2");
  EXPECT_EQ(Column(read, "more"), "null, x");
  EXPECT_EQ(Column(ReadAll("in", "columns: [name, id]\n"), "name"), "a, b");
  fault = Fails("in", "columns: [id, more]\n");
  EXPECT_EQ(fault.Detail("column"), "more");
  EXPECT_EQ(Fails("in", "schema: union\ncolumns: [id, mor]\n").code(), FaultCode::kColumnNotFound);
}

TEST_F(FilesConsumerTest, TypesAreOfAllFilesLookedAt) {
  Write("in/a.csv", "id,x\n1,1\n");
  Write("in/b.csv", "id,x\nA2,1.5\n");
  const Read read = ReadAll("in");
  EXPECT_EQ(TypeOf(read, "id"), "string");
  EXPECT_EQ(Column(read, "x"), "1, 1.5");
}

TEST_F(FilesConsumerTest, EmptyFilesHaveNoRows) {
  Write("in/a.csv", "");
  Write("in/b.csv", "id\n1\n");
  Write("in/c.csv", "");
  EXPECT_EQ(Column(ReadAll("in"), "id"), "1");
  Write("none/a.csv", "");
  EXPECT_EQ(Fails("none").code(), FaultCode::kSourceFileMalformed);
}

TEST_F(FilesConsumerTest, HiveDirectoriesAreColumns) {
  Write("in/day=2026-01-31/no=1/land=DE/a.csv", "id\n1\n");
  Write("in/day=2026-02-01/no=2/land=C%C3%B4te/a.csv", "id\n2\n");
  Write("in/day=2026-02-01/no=3/land=__HIVE_DEFAULT_PARTITION__/a.csv", "id\n3\n");
  const Read read = ReadAll("in", "file_column: file\n");
  EXPECT_EQ(TypeOf(read, "day"), "date32[day]");
  EXPECT_EQ(TypeOf(read, "no"), "int64");
  EXPECT_EQ(Column(read, "day"), "2026-01-31, 2026-02-01, 2026-02-01");
  EXPECT_EQ(Column(read, "land"), "DE, C\xC3\xB4te, null");
  EXPECT_THAT(Column(read, "file"), HasSubstr("/in/day=2026-01-31/no=1/land=DE/a.csv, "));
  EXPECT_EQ(TypeOf(ReadAll("in", "types: { no: text }\n"), "no"), "string");
  EXPECT_EQ(ReadAll("in", "hive: false\n").table->num_columns(), 1);
  EXPECT_EQ(ReadAll("in", "columns: [id, no]\n").table->num_columns(), 2);
  EXPECT_EQ(Fails("in", "types: { land: int64 }\n").code(), FaultCode::kValueRefused);
  Write("in/a.csv", "id\n4\n");
  EXPECT_EQ(Fails("in").code(), FaultCode::kSchemaDrift);
  Write("same/id=1/a.csv", "id\n4\n");
  EXPECT_EQ(Fails("same").code(), FaultCode::kDuplicateColumn);
}

TEST_F(FilesConsumerTest, PartitionsAreFilesUpToASize) {
  for (const char* name : {"in/a.csv", "in/b.csv", "in/c.csv"}) Write(name, "id\n12345\n");
  EXPECT_EQ(ReadAll("in").partitions, 1U);
  EXPECT_EQ(ReadAll("in", "partition: { by: file }\n").partitions, 3U);
  elt::SplitLimits limits;
  limits.partition_bytes = 18;
  const Read read = ValueOf(TryRead("in", "", {}, {}, limits));
  EXPECT_EQ(read.partitions, 2U);
  EXPECT_EQ(read.table->num_rows(), 3);
}

TEST_F(FilesConsumerTest, ARunReadsTheFilesItWasSplitWithAndNoOthers) {
  Write("in/b.csv", "id\n1\n");
  auto consumer = ValueOf(Make("in", ""));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  Write("in/a.csv", "id\n2\n");
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions.at(0), source, {}));
  std::vector<elt::BatchPtr> batches;
  int64_t filtered = 0;
  ASSERT_THAT(ReadSlice(*reader, source, {}, batches, filtered), IsOk());
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0]->num_rows(), 1);
  Write("in/b.csv", "id\n1\n2\n");
  EXPECT_EQ(CodeOf(consumer->Open(ctx_, {}, partitions.at(0), source, {}).status()),
            FaultCode::kSourceFileChanged);
  std::filesystem::remove(directory_ / "in/b.csv");
  EXPECT_EQ(CodeOf(consumer->Open(ctx_, {}, partitions.at(0), source, {}).status()),
            FaultCode::kSourceFileChanged);
}

TEST_F(FilesConsumerTest, AFileThatIsWrittenWhileItIsReadFailsTheAttempt) {
  Write("in/a.csv", "id\n1\n");
  auto consumer = ValueOf(Make("in", ""));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions.at(0), source, {}));
  auto stream = ValueOf(reader->Read(ctx_, 0));
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  ASSERT_NE(batch, nullptr);
  Write("in/a.csv", "id\n12\n");
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kSourceFileChanged);
}

TEST_F(FilesConsumerTest, AWindowKeepsItsRows) {
  Write("in/a.csv", "id,at\n1,2025-12-31 23:59:59\n2,2026-01-01 00:00:00\n3,2026-01-02 00:00:00\n");
  const Read read = ReadAll("in", "", WindowRun("at", kNewYear, kNewYear + kDay));
  EXPECT_EQ(Column(read, "id"), "2");
  EXPECT_EQ(read.filtered, 2);
  EXPECT_EQ(Fails("in", "", WindowRun("id", kNewYear, kNewYear + kDay)).code(),
            FaultCode::kBadWindow);
  EXPECT_EQ(Fails("in", "", WindowRun("when", kNewYear, kNewYear + kDay)).code(),
            FaultCode::kUnknownColumn);
  Write("d/a.csv", "id,day\n1,2026-01-01\n2,2026-01-02\n3,\n");
  EXPECT_EQ(Fails("d", "", WindowRun("day", kNewYear, kNewYear + kHour)).code(),
            FaultCode::kBadWindow);
  EXPECT_EQ(Fails("d", "", WindowRun("day", kNewYear, kNewYear + kDay)).code(),
            FaultCode::kNullInWindow);
  const auto of = [&](elt::NullWindow nulls) {
    return Column(ReadAll("d", "", WindowRun("day", kNewYear, kNewYear + kDay, nulls)), "id");
  };
  EXPECT_EQ(of(elt::NullWindow::kThisWindow), "1, 3");
  EXPECT_EQ(of(elt::NullWindow::kOtherWindow), "1");
}

TEST_F(FilesConsumerTest, ArrowFilesAndStreamsAreTheSameRows) {
  WriteArrow("a.arrow", Numbers(), false);
  WriteArrow("b.arrows", Numbers(), true);
  EXPECT_EQ(Column(ReadAll("a.arrow"), "n"), "1, 2, 3, null, 1, 2, 3, null");
  EXPECT_EQ(Column(ReadAll("b.arrows"), "n"), "1, 2, 3, null, 1, 2, 3, null");
  EXPECT_EQ(Column(ReadAll("a.arrow", "types: { n: text }\n", {}, {.rows = 3}), "n"),
            "1, 2, 3, null, 1, 2, 3, null");
}

TEST_F(FilesConsumerTest, DictionariesAreUndone) {
  arrow::StringDictionaryBuilder builder;
  for (const char* text : {"a", "b", "a"}) ASSERT_TRUE(builder.Append(text).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto values = ValueOf(builder.Finish());
  WriteArrow(
      "a.arrow",
      arrow::RecordBatch::Make(arrow::schema({arrow::field("s", values->type())}), 4, {values}),
      false);
  const Read read = ReadAll("a.arrow");
  EXPECT_EQ(TypeOf(read, "s"), "string");
  EXPECT_EQ(Column(read, "s"), "a, b, a, null, a, b, a, null");
}

TEST_F(FilesConsumerTest, DamagedFilesAreNamed) {
  for (const char* name : {"a.parquet", "a.arrow", "a.orc", "a.csv.gz", "a.jsonl.zst"}) {
    Write(std::string("bad/") + name, "this is none of them, whatever its name says");
    const Fault fault = Fails(std::string("bad/") + name);
    EXPECT_EQ(fault.code(), FaultCode::kSourceFileMalformed) << name << fault.message();
    EXPECT_THAT(fault.message(), HasSubstr(name));
    EXPECT_THAT(std::string(fault.Detail("path")), HasSubstr(name));
  }
}

TEST_F(FilesConsumerTest, OptionsThatCannotBeAreRefusedAtTheirPlace) {
  Write("a.csv", "id\n1\n");
  for (const char* yaml :
       {"columns: []\n", "columns: [id, id]\n", "types: { id: number }\n",
        "csv: { delimiter: \"ab\" }\n", "csv: { delimiter: \"\" }\n",
        "csv: { quote: \"\xC3\xA9\" }\n", "csv: { delimiter: \"'\", quote: \"'\" }\n",
        "partition: { by: size }\n"}) {
    const Fault fault = Fails("a.csv", yaml);
    EXPECT_EQ(fault.kind().exit_status, 10) << yaml;
    ASSERT_FALSE(fault.diagnostics().empty()) << yaml;
    EXPECT_TRUE(fault.diagnostics()[0].span.known()) << yaml;
  }
}

TEST_F(FilesConsumerTest, BoundsAreReadAsTheyWereWritten) {
  const PartitionBounds bounds{Format::kCsv,
                               {'\t', 0, '\\', false},
                               {"day", "no"},
                               {{"in/\"a\".csv", 12, -5}, {"in/b.csv", 0, INT64_MAX}}};
  EXPECT_EQ(ValueOf(PartitionBounds::FromJson(bounds.ToJson())), bounds);
  for (const char* json :
       {"", "{}", "[]", "{\"format\":\"csv\",\"files\":[[\"a\",1,1]]}",
        "{\"format\":\"orc\",\"files\":[]}", "{\"format\":\"orc\",\"files\":[[\"a\",-1,1]]}",
        "{\"format\":\"orc\",\"files\":[[\"a\",1]]}",
        "{\"format\":\"xls\",\"files\":[[\"a\",1,1]]}"}) {
    EXPECT_EQ(CodeOf(PartitionBounds::FromJson(json).status()), FaultCode::kManifestCorrupt)
        << json;
  }
}

TEST_F(FilesConsumerTest, AStopEndsTheStream) {
  Write("a.csv", "id\n1\n");
  auto consumer = ValueOf(Make("a.csv", ""));
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  std::stop_source stop;
  Context ctx = ctx_;
  ctx.stop = stop.get_token();
  auto reader = ValueOf(consumer->Open(ctx, {}, partitions.at(0), source, {}));
  auto stream = ValueOf(reader->Read(ctx, 0));
  stop.request_stop();
  elt::BatchPtr batch;
  EXPECT_EQ(CodeOf(stream->ReadNext(&batch)), FaultCode::kStopped);
}

TEST_F(FilesConsumerTest, ManyBatchesOutsideOfAWindowTakeNoStack) {
  constexpr int kBatches = 60'000;
  const auto type = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto before = ValueOf(arrow::MakeArrayFromScalar(arrow::TimestampScalar(0, type), 1));
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("at", type)}), 1, {before});
  auto out = ValueOf(arrow::io::FileOutputStream::Open(directory_ / "a.arrows"));
  auto writer = ValueOf(arrow::ipc::MakeStreamWriter(out, batch->schema()));
  for (int i = 0; i < kBatches; ++i) ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok());
  ASSERT_TRUE(writer->Close().ok());
  ASSERT_TRUE(out->Close().ok());
  EXPECT_EQ(ReadAll("a.arrows", "", WindowRun("at", kNewYear, kNewYear + kDay)).filtered, kBatches);
}

TEST_F(FilesConsumerTest, LinkedDirectoriesAreNotGoneInto) {
  Write("in/a/a.csv", "id\n1\n");
  std::filesystem::create_directory_symlink(directory_ / "in/a", directory_ / "in/b");
  std::filesystem::create_directory_symlink(directory_ / "in", directory_ / "in/a/up");
  EXPECT_EQ(Column(ReadAll("in"), "id"), "1");
  EXPECT_EQ(Column(ReadAll("in/*/*.csv"), "id"), "1");
  EXPECT_THAT(ValueOf(Describe("in")).notes,
              testing::Contains(HasSubstr("2 linked directories are not read")));
  // The place itself may be one.
  EXPECT_EQ(Column(ReadAll("in/b"), "id"), "1");
}

}  // namespace
}  // namespace levada::files
