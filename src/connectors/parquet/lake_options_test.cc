#include "connectors/parquet/lake_options.h"

#include "base/testing.h"
#include "elt/value.h"

namespace levada::parquet {
namespace {

namespace format = levada::parquet_format;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Checked {
  Result<LakeOptions> options = Fault(FaultCode::kInternal, "not read");
  std::vector<Diagnostic> problems;
};

Checked Check(const std::string& yaml, bool has_windows = true) {
  const auto source = std::make_shared<const SourceText>(SourceText{"p.yaml", yaml});
  const elt::Value value = ValueOf(elt::ParseYaml(source));
  const auto environment = std::make_shared<const elt::Environment>(
      elt::Environment{[](const std::string&) { return std::optional<std::string>(); },
                       [](const std::string&) { return Result<std::string>(std::string()); }});
  Checked checked;
  const elt::Options options = elt::ValidateOptions(LakeOptionSpec(), value, "loader \"parquet\"",
                                                    source, environment, checked.problems);
  if (!checked.problems.empty()) return checked;
  elt::StageInput input;
  input.environment = environment.get();
  if (has_windows) input.sample_run.window = elt::Window{0, 3'600'000'000, "1970-01-01", "UTC"};
  checked.options = ReadLakeOptions(options, input);
  if (!checked.options.ok()) checked.problems = FaultOf(checked.options.status()).diagnostics();
  return checked;
}

std::vector<FaultCode> CodesOf(const std::vector<Diagnostic>& problems) {
  std::vector<FaultCode> codes;
  for (const Diagnostic& problem : problems) codes.push_back(problem.code);
  return codes;
}

TEST(LakeOptions, HaveDefaultsForAllButThePath) {
  const LakeOptions options = ValueOf(Check("path: ./lake").options);
  EXPECT_EQ(options.path, "./lake");
  EXPECT_EQ(options.layout, "");
  EXPECT_THAT(options.partition_by, IsEmpty());
  EXPECT_EQ(options.profile, format::Profile::kSpark3);
  EXPECT_EQ(options.codec, format::Codec::kZstd);
  EXPECT_FALSE(options.level || options.file_bytes || options.row_group_rows ||
               options.row_group_bytes || options.page_bytes);
  EXPECT_EQ(options.dictionary, format::DictionaryUse::kAuto);
  EXPECT_THAT(options.dictionary_of, IsEmpty());
  EXPECT_TRUE(options.statistics);
  EXPECT_EQ(options.threads, 1);
}

TEST(LakeOptions, ReadEverythingThatCanBeSaid) {
  const LakeOptions options = ValueOf(Check(R"(
path: file:///lake/a%20b
layout: "year={run.start:%Y}/day={run.start:%F}"
partition_by: [country, kind]
profile: arrow
codec: zstd
level: 7
file_bytes: 64MiB
row_group_rows: 65536
row_group_bytes: 4MiB
page_bytes: 256KiB
dictionary: { all: off, columns: { country: on, note: auto } }
statistics: false
concurrency: 3
)")
                                          .options);
  EXPECT_EQ(options.path, "/lake/a b");
  EXPECT_EQ(options.layout, "year={run.start:%Y}/day={run.start:%F}");
  EXPECT_THAT(options.partition_by, ElementsAre("country", "kind"));
  EXPECT_EQ(options.profile, format::Profile::kArrow);
  EXPECT_EQ(options.level, 7);
  EXPECT_EQ(options.file_bytes, 64 << 20);
  EXPECT_EQ(options.row_group_rows, 65536);
  EXPECT_EQ(options.row_group_bytes, 4 << 20);
  EXPECT_EQ(options.page_bytes, 256 << 10);
  EXPECT_EQ(options.dictionary, format::DictionaryUse::kOff);
  EXPECT_THAT(options.dictionary_of, ElementsAre(Pair("country", format::DictionaryUse::kOn),
                                                 Pair("note", format::DictionaryUse::kAuto)));
  EXPECT_FALSE(options.statistics);
  EXPECT_EQ(options.threads, 3);
}

TEST(LakeOptions, TakeOneWordForAllDictionaries) {
  EXPECT_EQ(ValueOf(Check("path: x\ndictionary: on").options).dictionary,
            format::DictionaryUse::kOn);
}

TEST(LakeOptions, LeaveThreadsOutOfThePlanHash) {
  const auto canonical = [](const std::string& yaml) {
    const auto source = std::make_shared<const SourceText>(SourceText{"p.yaml", yaml});
    std::vector<Diagnostic> problems;
    return elt::ValidateOptions(LakeOptionSpec(), ValueOf(elt::ParseYaml(source)), "loader", source,
                                std::make_shared<const elt::Environment>(), problems)
        .Canonical();
  };
  EXPECT_EQ(canonical("path: x"), canonical("path: x\nconcurrency: 4"));
  EXPECT_NE(canonical("path: x"), canonical("path: x\ncodec: snappy"));
}

TEST(LakeOptions, RefuseWhatCannotWorkWithItsPlace) {
  struct Case {
    std::string yaml;
    FaultCode code;
    uint32_t line;
  };
  for (const Case& broken : std::vector<Case>{
           {"path: s3://bucket/x?colour=red", FaultCode::kBadValue, 1},
           {"path: file://host/x", FaultCode::kBadValue, 1},
           {"path: x\ncodec: snappy\nlevel: 3", FaultCode::kBadValue, 3},
           {"path: x\nlayout: \"day={run.begin:%Y}\"", FaultCode::kBadLayout, 2},
           {"path: x\nlayout: /abs", FaultCode::kBadLayout, 2},
           {"path: x\nlayout: _hidden", FaultCode::kBadLayout, 2},
           {"path: x\nlayout: a/../../b", FaultCode::kBadLayout, 2},
           {"path: x\npartition_by: [a, b, a]", FaultCode::kDuplicateColumn, 2},
           {"path: x\npartition_by: [a, b, A]", FaultCode::kDuplicateColumn, 2},
           {"path: ~/lake", FaultCode::kBadValue, 1},
           {"path: x\npartition_by: [a, b, c, d, e, f, g, h, i]", FaultCode::kBadValue, 2},
           {"path: x\ncodec: gzip", FaultCode::kBadValue, 2},
           {"path: x\nlevel: 23", FaultCode::kBadValue, 2},
           {"path: x\nrow_group_rows: 1", FaultCode::kBadValue, 2},
           {"path: x\ndictionary: maybe", FaultCode::kBadValue, 2},
           {"path: x\nconcurrency: 0", FaultCode::kBadValue, 2},
           {"path: x\ncodecs: zstd", FaultCode::kUnknownKey, 2},
           {"codec: zstd", FaultCode::kMissingKey, 1},
       }) {
    const auto problems = Check(broken.yaml).problems;
    ASSERT_THAT(CodesOf(problems), ElementsAre(broken.code)) << broken.yaml;
    EXPECT_EQ(problems[0].span.line, broken.line) << broken.yaml;
  }
}

TEST(LakeOptions, TellAllProblemsAtOnce) {
  EXPECT_THAT(CodesOf(Check("path: x\nlayout: \"d={run.start:%Y}\"", false).problems),
              ElementsAre(FaultCode::kBadLayout));
  EXPECT_THAT(CodesOf(Check("path: s3://x/y\nlayout: /a\ncodec: lz4\nlevel: 1").problems),
              ElementsAre(FaultCode::kBadValue, FaultCode::kBadLayout, FaultCode::kBadValue));
}

TEST(LakeOptionsFromUrl, TakesPathsAndFileUrls) {
  EXPECT_THAT(ValueOf(LakeOptionsFromUrl("./lake/t?x")), ElementsAre(Pair("path", "./lake/t?x")));
  EXPECT_THAT(ValueOf(LakeOptionsFromUrl("file:///lake/t?codec=snappy&layout=a")),
              ElementsAre(Pair("path", "/lake/t"), Pair("codec", "snappy"), Pair("layout", "a")));
  EXPECT_THAT(
      ValueOf(LakeOptionsFromUrl("s3://lake/t?region=eu&codec=snappy&scheme=http")),
      ElementsAre(Pair("path", "s3://lake/t?region=eu&scheme=http"), Pair("codec", "snappy")));
}

TEST(LakeOptionsFromUrl, RefusesWhatIsNoLocation) {
  for (const char* url : {"gs://b/x", "file:///x?codec", "file:///x?=1", ""}) {
    EXPECT_THAT(LakeOptionsFromUrl(url), FailsWith(FaultCode::kBadValue)) << url;
  }
  EXPECT_THAT(LakeOptionsFromUrl("file:///x?codec"),
              FailsWith(FaultCode::kBadValue, HasSubstr("option=value")));
}

}  // namespace
}  // namespace levada::parquet
