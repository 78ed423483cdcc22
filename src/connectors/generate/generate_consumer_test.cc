#include "connectors/generate/generate_consumer.h"

#include <string>

#include "connectors/generate/generate_fixture.h"

namespace levada::generate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class GenerateConsumerTest : public GenerateFixture {
 protected:
  std::vector<int64_t> RowsOf(const std::vector<elt::Partition>& partitions) {
    std::vector<int64_t> rows;
    for (const elt::Partition& partition : partitions) rows.push_back(partition.estimated_rows);
    return rows;
  }
  /// An open reader of the first partition, with the consumer and the rest it needs.
  struct Opened {
    std::unique_ptr<elt::Consumer> consumer;
    elt::Source source;
    std::vector<elt::Partition> partitions;
    std::unique_ptr<elt::PartitionReader> reader;
  };
  Opened Open(const std::string& yaml, const elt::BatchLimits& limits = {}) {
    Opened opened;
    opened.consumer = ValueOf(Make(yaml));
    opened.source = ValueOf(opened.consumer->Describe(ctx_));
    opened.partitions = ValueOf(opened.consumer->Split(ctx_, {}, opened.source, {}));
    opened.reader =
        ValueOf(opened.consumer->Open(ctx_, {}, opened.partitions[0], opened.source, limits));
    return opened;
  }
  /// Opens the first of three partitions of two slices after `change`.
  template <typename Change>
  Status OpenChanged(Change change) {
    Opened opened = Open("table: narrow\nrows: 30\nslices: 2\npartition: { count: 3 }");
    change(opened.partitions[0], opened.source);
    return opened.consumer->Open(ctx_, {}, opened.partitions[0], opened.source, {}).status();
  }
};

TEST_F(GenerateConsumerTest, DescribesItsTable) {
  const elt::Source source = Describe("table: lineitem\nrows: 6000000\nseed: 7");
  EXPECT_EQ(source.estimated_rows, 6'000'000);
  EXPECT_TRUE(source.repeatable);
  EXPECT_THAT(source.description, AllOf(HasSubstr("lineitem"), HasSubstr("seed 7")));
  EXPECT_EQ(source.schema->num_fields(), 16);
  EXPECT_EQ(source.source_types.at(4), "decimal(15,2)");
  EXPECT_EQ(source.hints.at(14).distinct, 7);
  EXPECT_EQ(source.hints.at(5).distinct, 6'000'000);
  EXPECT_EQ(Describe("table: wide-500\nrows: 1").schema->num_fields(), 500);
  EXPECT_THAT(Describe("columns: { x: int8 }\nrows: 1").description, HasSubstr("seed 0"));
}

TEST_F(GenerateConsumerTest, EstimatesAreNearWhatIsMade) {
  for (const char* name : {"lineitem", "events", "narrow", "wide-500"}) {
    const std::string yaml = std::string("rows: 2000\ntable: ") + name;
    const elt::Source source = Describe(yaml);
    const Read read = ReadAll(yaml);
    double bytes = 0;
    for (int c = 0; c < read.table->num_columns(); ++c) {
      const auto& array = *read.table->column(c)->chunk(0);
      const double nulls = static_cast<double>(array.null_count()) / 2'000;
      EXPECT_NEAR(source.hints[static_cast<size_t>(c)].null_fraction, nulls, 0.04);
      const auto& type = *array.type();
      bytes += arrow::is_base_binary_like(type.id())
                   ? static_cast<double>(
                         static_cast<const arrow::StringArray&>(array).total_values_length())
                   : (2'000.0 - static_cast<double>(array.null_count())) * type.bit_width() / 8;
    }
    EXPECT_NEAR(static_cast<double>(source.estimated_bytes) / bytes, 1, 0.03) << name;
  }
}

TEST_F(GenerateConsumerTest, IsOnePartitionUnlessItIsLarge) {
  const auto one = ValueOf(Split("table: narrow\nrows: 1000"));
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].meaning, "all rows");
  EXPECT_EQ(one[0].slices.size(), 1u);
  elt::SplitLimits limits;
  limits.partition_bytes = 10'000;
  const auto several = ValueOf(Split("table: narrow\nrows: 1000", {}, limits));
  EXPECT_THAT(RowsOf(several), ElementsAre(333, 333, 334));
  EXPECT_EQ(several[1].meaning, "row in [333, 666)");
  EXPECT_LE(several[2].estimated_bytes, limits.partition_bytes);
  EXPECT_EQ(ValueOf(Split("table: narrow\nrows: 50000000000", {}, limits)).size(), 10'000u);
}

TEST_F(GenerateConsumerTest, IsCutAsItIsTold) {
  EXPECT_THAT(RowsOf(ValueOf(Split("table: narrow\nrows: 10\npartition: { size: 4 }"))),
              ElementsAre(4, 4, 2));
  EXPECT_THAT(RowsOf(ValueOf(Split("table: narrow\nrows: 10\npartition: { count: 4 }"))),
              ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(RowsOf(ValueOf(Split("table: narrow\nrows: 0\npartition: { count: 4 }"))),
              ElementsAre(0));
  EXPECT_THAT(Split("table: narrow\nrows: 50000000000\npartition: { size: 1 }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("10,000")));
  const auto sliced = ValueOf(Split("table: narrow\nrows: 10\nslices: 3"));
  EXPECT_EQ(sliced[0].slices.size(), 3u);
  EXPECT_EQ(ValueOf(Split("table: narrow\nrows: 2\nslices: 3"))[0].slices.size(), 2u);
  EXPECT_EQ(ValueOf(Split("table: narrow\nrows: 0\nslices: 3"))[0].slices.size(), 1u);
}

TEST_F(GenerateConsumerTest, AnEmptyTableEnds) {
  const Read read = ReadAll("table: events\nrows: 0");
  EXPECT_EQ(read.table->num_rows(), 0);
  EXPECT_THAT(read.slice_rows, ElementsAre(0));
}

TEST_F(GenerateConsumerTest, CountsWhatItMade) {
  const Read read = ReadAll("table: narrow\nrows: 1000\nslices: 3", {}, {100, 4 << 20});
  EXPECT_THAT(read.slice_rows, ElementsAre(333, 333, 334));
  EXPECT_EQ(surroundings_.counters.rows_read, 1'000);
  EXPECT_GT(surroundings_.counters.bytes_read, 1'000 * 28);
}

TEST_F(GenerateConsumerTest, AStopEndsItBetweenTwoColumns) {
  Opened opened = Open("table: wide-500\nrows: 50000000000");
  auto stream = ValueOf(opened.reader->Read(ctx_, 0));
  elt::BatchPtr batch;
  ASSERT_THAT(stream->ReadNext(&batch), IsOk());
  surroundings_.stop.request_stop();
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kStopped));
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal));
}

TEST_F(GenerateConsumerTest, AStreamThatIsLeftHasFailed) {
  Opened opened = Open("table: narrow\nrows: 10");
  EXPECT_THAT(opened.reader->Read(ctx_, 1), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(opened.reader->Read(ctx_, -1), FailsWith(FaultCode::kInternal));
  auto stream = ValueOf(opened.reader->Read(ctx_, 0));
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kInternal));
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  elt::BatchPtr batch;
  EXPECT_THAT(stream->ReadNext(&batch), FailsWith(FaultCode::kInternal));
}

TEST_F(GenerateConsumerTest, RefusesRecordsThatAreNotItsOwn) {
  EXPECT_THAT(OpenChanged([](elt::Partition&, elt::Source&) {}), IsOk());
  EXPECT_THAT(OpenChanged([](elt::Partition& partition, elt::Source&) { partition.bounds = "{}"; }),
              FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_THAT(OpenChanged([](elt::Partition& partition, elt::Source&) {
                partition.slices[1].bounds = "{\"from\":5,\"to\":31}";
              }),
              FailsWith(FaultCode::kManifestCorrupt));
  EXPECT_THAT(
      OpenChanged([](elt::Partition& partition, elt::Source&) { partition.slices.pop_back(); }),
      FailsWith(FaultCode::kManifestCorrupt, HasSubstr("p0000")));
  EXPECT_THAT(OpenChanged([](elt::Partition& partition, elt::Source&) {
                partition.slices[1].bounds = "{\"from\":6,\"to\":10}";
              }),
              FailsWith(FaultCode::kManifestCorrupt, HasSubstr("p0000")));
  EXPECT_THAT(OpenChanged([](elt::Partition&, elt::Source& source) {
                source.schema = arrow::schema({arrow::field("id", arrow::int32())});
              }),
              FailsWith(FaultCode::kSchemaDrift, HasSubstr("\"id\"")));
}

}  // namespace
}  // namespace levada::generate
