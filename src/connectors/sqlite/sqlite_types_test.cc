#include "connectors/sqlite/sqlite_types.h"

#include "base/testing.h"

namespace levada::sqlite {
namespace {

using testing::HasSubstr;

TEST(TypeOfDeclared, KnowsTheUsualWordsInAnyCaseAndSpacing) {
  const std::pair<const char*, std::shared_ptr<arrow::DataType>> kExpected[] = {
      {"INTEGER", arrow::int64()},
      {"int", arrow::int64()},
      {"Bigint", arrow::int64()},
      {"INT(11)", arrow::int64()},
      {"REAL", arrow::float64()},
      {" double   precision ", arrow::float64()},
      {"FLOAT", arrow::float64()},
      {"TEXT", arrow::utf8()},
      {"varchar(20)", arrow::utf8()},
      {"VARYING CHARACTER ( 255 )", arrow::utf8()},
      {"NCHAR(5)", arrow::utf8()},
      {"CLOB", arrow::utf8()},
      {"BLOB", arrow::binary()},
      {"varbinary(16)", arrow::binary()},
      {"BINARY(16)", arrow::binary()},
      {"BYTEA", arrow::binary()},
      {"JSON", arrow::utf8()},
      {"jsonb", arrow::utf8()},
      {"UUID", arrow::utf8()},
      {"uniqueidentifier", arrow::utf8()},
      {"NUMBER(10,2)", arrow::decimal128(10, 2)},
      {"BOOLEAN", arrow::boolean()},
      {"bool", arrow::boolean()},
      {"DECIMAL(10,2)", arrow::decimal128(10, 2)},
      {"NUMERIC( 38 , 38 )", arrow::decimal128(38, 38)},
      {"decimal(9)", arrow::decimal128(9, 0)},
      {"DATE", arrow::date32()},
      {"TIME", arrow::time64(arrow::TimeUnit::MICRO)},
      {"DATETIME", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"datetime(6)", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"TIMESTAMP", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"timestamp(6) without time zone", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"TIMESTAMPTZ", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"TIMESTAMP(3) WITH TIME ZONE", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
  };
  for (const auto& [declared, type] : kExpected) {
    auto found = TypeOfDeclared(declared);
    ASSERT_THAT(found, IsOk()) << declared;
    EXPECT_TRUE(found->type->Equals(*type)) << declared << " gave " << found->type->ToString();
  }
}

TEST(TypeOfDeclared, FollowsTheAffinityOfOtherWords) {
  const std::pair<const char*, std::shared_ptr<arrow::DataType>> kExpected[] = {
      {"UNSIGNED BIG INT", arrow::int64()},
      {"INT UNSIGNED", arrow::int64()},
      {"INTEGER UNSIGNED(3)(4)", arrow::int64()},
      {"INTEGER)", arrow::int64()},
      {"FLOATING POINT", arrow::int64()},  // as SQLite has it
      {"CHARINT", arrow::int64()},
      {"LONGTEXT", arrow::utf8()},
      {"VARCHAR2(20 CHAR)", arrow::utf8()},
      {"TEXT(1,2)", arrow::utf8()},
      {"VARCHAR(99999999999999)", arrow::utf8()},
      {"TEXTBLOB", arrow::utf8()},
      {"LONGBLOB", arrow::binary()},
      {"BLOBREAL", arrow::binary()},
      {"DOUBLE UNSIGNED", arrow::float64()},
      {"FLOAT8", arrow::float64()},
  };
  for (const auto& [declared, type] : kExpected) {
    auto found = TypeOfDeclared(declared);
    ASSERT_THAT(found, IsOk()) << declared;
    EXPECT_TRUE(found->type->Equals(*type)) << declared << " gave " << found->type->ToString();
  }
}

TEST(TypeOfDeclared, IsAsLongAsItNeedsAndNoLonger) {
  std::string hostile = "NUMERIC";
  for (int i = 0; i < 100'000; ++i) hostile += "(1)";
  const Status status = TypeOfDeclared(hostile).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kUnsupportedType));
  EXPECT_LT(FaultOf(status).message().size(), 1000u);
}

TEST(AffinityOf, IsThatOfSqlite) {
  EXPECT_EQ(AffinityOf(""), Affinity::kBlob);
  EXPECT_EQ(AffinityOf("blob"), Affinity::kBlob);
  EXPECT_EQ(AffinityOf("Tinyint"), Affinity::kInteger);
  EXPECT_EQ(AffinityOf("clob"), Affinity::kText);
  EXPECT_EQ(AffinityOf("real"), Affinity::kReal);
  for (const char* numeric : {"NUMERIC", "DATE", "BOOLEAN", "STRING", "JSON", "ANY", " "}) {
    EXPECT_EQ(AffinityOf(numeric), Affinity::kNumeric) << numeric;
  }
}

TEST(TypeOfDeclared, RefusesWhatSaysTooLittle) {
  for (const char* declared :
       {"", "  ", "NUMERIC", "DECIMAL", "STRING", "MONEY", "ANY", "DECIMAL(39,2)", "DECIMAL(5,6)",
        "DECIMAL(0)", "DECIMAL(5,-1)", "DECIMAL(1,2,3)", "DECIMAL(", "DECIMAL(5", "DECIMAL(x)",
        "DATE(3)", "UUID(3)", "(5)"}) {
    EXPECT_THAT(TypeOfDeclared(declared), FailsWith(FaultCode::kUnsupportedType)) << declared;
  }
  EXPECT_THAT(FaultOf(TypeOfDeclared("NUMERIC").status()).help(), HasSubstr("decimal(18,2)"));
  EXPECT_THAT(FaultOf(TypeOfDeclared("").status()).help(), HasSubstr("types:"));
}

TEST(TypeOfOption, TakesTheTypesWeDecode) {
  for (const char* name : {"bool", "int64", "float64", "decimal(38,2)", "text", "binary", "date",
                           "time", "timestamp", "timestamp(us, Europe/Lisbon)", "json", "UUID"}) {
    EXPECT_THAT(TypeOfOption(name), IsOk()) << name;
  }
  for (const char* name :
       {"int32", "uint64", "float32", "decimal(39,0)", "time(ms)", "timestamp(ns)",
        "timestamp(s, UTC)", "timestamp(ms, Europe/Brussels)", "timestamp(ns, Australia/Sydney)"}) {
    EXPECT_THAT(TypeOfOption(name), FailsWith(FaultCode::kUnsupportedType)) << name;
  }
  EXPECT_THAT(TypeOfOption("varchar"), FailsWith(FaultCode::kBadValue));
}

}  // namespace
}  // namespace levada::sqlite
