#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/files/files_fixture.h"

namespace levada::files {
namespace {

using testing::HasSubstr;

using CsvFile = FilesFixture;

TEST_F(CsvFile, TypesAreThoseThatAllValuesHave) {
  Write("a.csv",
        "id,price,ok,day,at,seen,zip,name\n"
        "1,2.50,true,2026-01-31,2026-01-31 05:00:00,2026-01-31T05:00:00Z,007,a\n"
        "2,3,False,2026-02-01,2026-01-31 06:00:00.5,2026-01-31T05:00:00+01:00,123,\n");
  const Read read = ReadAll("a.csv");
  EXPECT_EQ(TypeOf(read, "id"), "int64");
  EXPECT_EQ(TypeOf(read, "price"), "double");
  EXPECT_EQ(TypeOf(read, "ok"), "bool");
  EXPECT_EQ(TypeOf(read, "day"), "date32[day]");
  EXPECT_EQ(TypeOf(read, "at"), "timestamp[us]");
  EXPECT_EQ(TypeOf(read, "seen"), "timestamp[us, tz=UTC]");
  EXPECT_EQ(TypeOf(read, "zip"), "string");
  EXPECT_EQ(Column(read, "zip"), "007, 123");
  EXPECT_EQ(Column(read, "name"), "a, null");
}

TEST_F(CsvFile, AnEmptyFieldIsNullAndAnEmptyTextIsQuoted) {
  Write("a.csv", "id,name\n1,\n2,\"\"\n3,NULL\n4,\"NULL\"\n");
  EXPECT_EQ(Column(ReadAll("a.csv"), "name"), "null, , NULL, NULL");
  const Read named = ReadAll("a.csv", "csv: { null_values: [\"NULL\"] }\n");
  EXPECT_EQ(Column(named, "name"), ", , null, NULL");
}

TEST_F(CsvFile, TypesOfTheUserAreExact) {
  Write("a.csv", "id,price\n1,0.10\n2,12345678901234.56\n");
  const Read read = ReadAll("a.csv", "types: { price: \"decimal(18,2)\", id: int32 }\n");
  EXPECT_EQ(TypeOf(read, "id"), "int32");
  EXPECT_EQ(Column(read, "price"), "0.10, 12345678901234.56");
}

TEST_F(CsvFile, AValueBehindTheSampleThatDoesNotFitIsAnErrorWithItsPlace) {
  std::string rows = "id,name\n";
  for (int i = 1; i <= 15'000; ++i) rows += std::to_string(i) + ",x\n";
  Write("a.csv", rows + "none,y\n");
  const Fault fault = Fails("a.csv");
  EXPECT_EQ(fault.code(), FaultCode::kValueRefused);
  EXPECT_THAT(fault.message(), HasSubstr("a.csv\": row 15001: column \"id\": expected int64"));
  EXPECT_EQ(fault.Detail("column"), "id");
  EXPECT_EQ(fault.Detail("row"), "15001");
}

TEST_F(CsvFile, ARowOfAnotherWidthIsMalformedWithItsPlace) {
  Write("a.csv", "a,b,c\n1,2,3\n4,5\n");
  const Fault fault = Fails("a.csv");
  EXPECT_EQ(fault.code(), FaultCode::kSourceFileMalformed);
  EXPECT_THAT(fault.message(), HasSubstr("a.csv\": row 2: expected 3 fields, got 2"));
}

TEST_F(CsvFile, ATextThatIsNotUtf8IsAnErrorWithItsPlace) {
  Write("a.csv", "id,name\n1,a\n2,\xE9\n");
  const Fault fault = Fails("a.csv");
  EXPECT_EQ(fault.code(), FaultCode::kInvalidUtf8);
  EXPECT_THAT(fault.message(), HasSubstr("row 2: column \"name\""));
}

TEST_F(CsvFile, AFileCutOffInsideOfQuotesIsMalformed) {
  Write("a.csv", "id,name\n1,\"a\"\n2,\"cut o");
  EXPECT_EQ(Fails("a.csv").code(), FaultCode::kSourceFileMalformed);
}

TEST_F(CsvFile, DelimitersLinesAndQuotesAreFoundOut) {
  Write("a.csv", "\xEF\xBB\xBFid;note\r\n1;\"a;b\r\nc\"\r\n2;\"say \"\"d\"\"\"\r\n");
  const Read read = ReadAll("a.csv");
  EXPECT_EQ(Column(read, "id"), "1, 2");
  EXPECT_EQ(Column(read, "note"), "a;b\r\nc, say \"d\"");
}

TEST_F(CsvFile, TheDialectMayBeSaid) {
  Write("a.txt", "# made today\nid|'x|y'\n7|'z\\'s'\n");
  const Read read = ReadAll("a.txt",
                            "format: csv\ncsv: { delimiter: \"|\", quote: \"'\", escape: \"\\\\\", "
                            "header: false, skip_rows: 1, columns: [a, b] }\n");
  EXPECT_EQ(Column(read, "a"), "id, 7");
  EXPECT_EQ(Column(read, "b"), "x|y, z's");
}

TEST_F(CsvFile, RowsWithoutAHeaderGetNames) {
  Write("a.csv", "1,a\n2,b\n");
  const Read read = ReadAll("a.csv");
  EXPECT_EQ(Column(read, "column1"), "1, 2");
  EXPECT_EQ(Column(read, "column2"), "a, b");
}

TEST_F(CsvFile, ABlankLineOfOneColumnIsARow) {
  Write("a.csv", "name\na\n\nb\n");
  EXPECT_EQ(Column(ReadAll("a.csv"), "name"), "a, null, b");
  Write("b.csv", "name,n\na,1\n\nb,2\n");
  EXPECT_EQ(Column(ReadAll("b.csv"), "name"), "a, b");
}

TEST_F(CsvFile, SmallBatchesHaveTheSameRows) {
  std::string rows = "id,name\n";
  for (int i = 1; i <= 5'000; ++i) {
    rows += std::to_string(i) + ",\"line\nand " + std::string(static_cast<size_t>(i % 97), 'x') +
            "\"\n";
  }
  Write("a.csv", rows);
  const Read large = ReadAll("a.csv");
  const Read small = ReadAll("a.csv", "", {}, {.rows = 7, .bytes = 1});
  EXPECT_EQ(large.table->num_rows(), 5'000);
  EXPECT_TRUE(large.table->Equals(*small.table));
}

TEST_F(CsvFile, TheLastLineMayHaveNoEnd) {
  Write("a.csv", "id,name\n1,a\n2,b");
  EXPECT_EQ(Column(ReadAll("a.csv"), "name"), "a, b");
  Write("b.csv", "id,name");
  EXPECT_EQ(ReadAll("b.csv").table->num_rows(), 0);
}

TEST_F(CsvFile, HeadersWithoutNamesOrWithOneTwiceAreRefused) {
  Write("a.csv", "id,id\nx,y\n");
  EXPECT_EQ(Fails("a.csv", "csv: { header: true }\n").code(), FaultCode::kDuplicateColumn);
  Write("b.csv", "id,\nx,y\n");
  EXPECT_EQ(Fails("b.csv", "csv: { header: true }\n").code(), FaultCode::kDuplicateColumn);
}

TEST_F(CsvFile, EveryTruncationIsReadOrRefused) {
  const std::string whole = "id,name,at\n1,\"a \"\"b\"\"\",2026-01-01\n22,\"c\nd\",2026-01-02\n";
  for (size_t size = 0; size < whole.size(); ++size) {
    Write("t/a.csv", whole.substr(0, size));
    const auto read = TryRead("t/a.csv");
    EXPECT_TRUE(read.ok() || CodeOf(read.status()) != FaultCode::kInternal) << size;
  }
}

TEST_F(CsvFile, ALineEndCutByABlockIsOneLineEnd) {
  // The first block of 64 KiB ends between \r and \n.
  Write("a.csv", "s\r\n" + std::string((64 << 10) - 1, 'x') + "\r\ny\r\n");
  const Read read = ReadAll("a.csv", "csv: { header: true }\n", {}, {.bytes = 1});
  EXPECT_EQ(read.table->num_rows(), 2);
  EXPECT_EQ(read.table->column(0)->null_count(), 0);
}

TEST_F(CsvFile, ANumberBehindTheSampleThatWouldComeBackAsAnotherIsRefused) {
  std::string rows = "id,x\n";
  for (int i = 1; i <= 15'000; ++i) rows += std::to_string(i) + ",1.5\n";
  Write("a.csv", rows + "01002,1.5\n");
  Fault fault = Fails("a.csv");
  EXPECT_EQ(fault.code(), FaultCode::kValueRefused);
  EXPECT_THAT(fault.message(), HasSubstr("a.csv\": row 15001: column \"id\": expected int64"));
  EXPECT_EQ(Column(ReadAll("a.csv", "types: { id: int64 }\n"), "id").substr(0, 7), "1, 2, 3");
  Write("a.csv", rows + "15001,12345678901234567.5\n");
  fault = Fails("a.csv");
  EXPECT_EQ(fault.code(), FaultCode::kValueRefused);
  EXPECT_EQ(fault.Detail("column"), "x");
  EXPECT_EQ(fault.Detail("row"), "15001");
}

}  // namespace
}  // namespace levada::files
