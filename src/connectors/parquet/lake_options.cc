#include "connectors/parquet/lake_options.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/ascii.h"
#include "connectors/parquet/lake_layout.h"
#include "elt/plan.h"
#include "elt/stage_problems.h"
#include "places/local_place.h"
#include "places/s3/open_place.h"

namespace levada::parquet {
namespace {

using elt::OptionSpec;
using elt::OptionType;
namespace format = levada::parquet_format;

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kThreadsMax = 64;
// Directories below directories: more levels than this were not meant.
constexpr size_t kPartitionColumnsMax = 8;

std::vector<std::string> DictionaryChoices() { return {"auto", "on", "off"}; }

OptionSpec DictionarySpec() {
  OptionSpec spec;
  spec.name = "dictionary";
  spec.type = OptionType::kGroup;
  spec.doc = "whether repeated values are written once: by the source's statistics, always, never";
  spec.shorthand = "all";
  spec.example = "{ all: auto, columns: { country: on, comment: off } }";
  OptionSpec all;
  all.name = "all";
  all.type = OptionType::kChoice;
  all.doc = "for every column that `columns` does not name";
  all.default_text = "auto";
  all.choices = DictionaryChoices();
  OptionSpec columns;
  columns.name = "columns";
  columns.type = OptionType::kMap;
  columns.doc = "by column";
  OptionSpec column;
  column.name = "column";
  column.type = OptionType::kChoice;
  column.choices = DictionaryChoices();
  columns.fields = {column};
  spec.fields = {all, columns};
  return spec;
}

OptionSpec Text(std::string name, std::string doc, std::string example) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.doc = std::move(doc);
  spec.example = std::move(example);
  return spec;
}

OptionSpec Choice(std::string name, std::string doc, std::string standard,
                  std::vector<std::string> choices) {
  OptionSpec spec = Text(std::move(name), std::move(doc), choices.back());
  spec.type = OptionType::kChoice;
  spec.default_text = std::move(standard);
  spec.choices = std::move(choices);
  return spec;
}

OptionSpec Number(OptionType type, std::string name, std::string doc, std::string example,
                  int64_t min, int64_t max) {
  OptionSpec spec = Text(std::move(name), std::move(doc), std::move(example));
  spec.type = type;
  spec.min = min;
  spec.max = max;
  return spec;
}

std::optional<int64_t> GivenInteger(const elt::Options& options, std::string_view name) {
  if (!options.Given(name)) return std::nullopt;
  return options.Integer(name);
}

format::DictionaryUse ParseUse(const std::string& text) {
  if (text == "on") return format::DictionaryUse::kOn;
  return text == "off" ? format::DictionaryUse::kOff : format::DictionaryUse::kAuto;
}

class Reader {
 public:
  Reader(const elt::Options& options, const elt::StageInput& input)
      : options_(options), input_(input) {}

  Result<LakeOptions> Read() {
    lake_.written = options_;
    ReadPath();
    ReadLayout();
    ReadEncoding();
    if (problems_.empty()) return std::move(lake_);
    return Fault(problems_.front().code, problems_.front().message).At(std::move(problems_));
  }

 private:
  void Refuse(std::string_view option, const Status& why) {
    const Fault fault = FaultOf(why);
    problems_.push_back(options_.ErrorAt(option, fault.code(), fault.message(), fault.help()));
  }

  void ReadPath() {
    lake_.path = options_.Text("path");
    if (places::IsS3Url(lake_.path)) {
      ReadS3Url();
      return;
    }
    auto path = places::LocalPathOf(lake_.path);
    if (path.ok()) {
      lake_.path = std::move(*path);
    } else {
      Refuse("path", path.status());
    }
  }

  void ReadS3Url() {
    const Status checked = places::CheckLocation(lake_.path, input_.environment->variable);
    if (!checked.ok()) Refuse("path", checked);
    if (!input_.reads_back) return;
    Refuse("path",
           Fault(FaultCode::kImpossiblePlan,
                 "verify: readback reads what is staged, and S3 shows nobody a file before "
                 "it is published")
               .Help("use verify: count; S3 compares the SHA-256 of every part it is sent"));
  }

  void ReadLayout() {
    if (options_.Has("layout")) lake_.layout = options_.Text("layout");
    // The template's own mistakes, before any run is known.
    auto expanded = elt::ExpandTemplate(lake_.layout, input_.sample_run);
    Status checked = expanded.status();
    if (checked.ok()) checked = DirectoryOf(*expanded).status();
    if (!checked.ok()) Refuse("layout", checked);

    lake_.partition_by = options_.Texts("partition_by");
    ReadPartitionBy();
  }

  void ReadPartitionBy() {
    std::set<std::string> seen;
    for (const std::string& column : lake_.partition_by) {
      // Readers such as Spark ignore case.
      if (seen.insert(LowerAscii(column)).second) continue;
      Refuse("partition_by", Fault(FaultCode::kDuplicateColumn,
                                   fmt::format("partition_by names column \"{}\" twice", column))
                                 .Help("name it once; names must differ in more than case"));
    }
    if (lake_.partition_by.size() > kPartitionColumnsMax) {
      Refuse("partition_by", Fault(FaultCode::kBadValue,
                                   fmt::format("partition_by: at most {} columns, got {}",
                                               kPartitionColumnsMax, lake_.partition_by.size()))
                                 .Help("each is a level of directories; name fewer columns"));
    }
  }

  void ReadEncoding() {
    lake_.profile = *format::FindProfile(options_.Text("profile"));
    lake_.codec = *format::FindCodec(options_.Text("codec"));
    if (options_.Given("level")) {
      lake_.level = static_cast<int>(options_.Integer("level"));
      if (lake_.codec != format::Codec::kZstd) {
        Refuse("level", Fault(FaultCode::kBadValue,
                              fmt::format("codec {} has no levels", format::NameOf(lake_.codec)))
                            .Help("leave level out, or use codec: zstd"));
      }
    }
    lake_.encoding = *format::FindValueEncoding(options_.Text("encoding"));
    lake_.file_bytes = GivenInteger(options_, "file_bytes");
    lake_.row_group_rows = GivenInteger(options_, "row_group_rows");
    lake_.row_group_bytes = GivenInteger(options_, "row_group_bytes");
    lake_.page_bytes = GivenInteger(options_, "page_bytes");
    if (options_.Has("dictionary")) {
      const elt::Options dictionary = options_.Group("dictionary");
      lake_.dictionary = ParseUse(dictionary.Text("all"));
      if (dictionary.Has("columns")) {
        for (const auto& [column, use] : dictionary.Map("columns")) {
          lake_.dictionary_of.emplace(column, ParseUse(use.Scalar()));
        }
      }
    }
    lake_.statistics = options_.Bool("statistics");
    lake_.threads = static_cast<int>(options_.Integer("concurrency"));
  }

  const elt::Options& options_;
  const elt::StageInput& input_;
  LakeOptions lake_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

elt::OptionSpec LakeOptionSpec() {
  OptionSpec path =
      Text("path", "directory of the dataset, its file:// URL, or an s3:// URL", "./lake/orders");
  path.required = true;
  OptionSpec partition_by =
      Text("partition_by", "columns that become directories, country=DE, and leave the files",
           "[country]");
  partition_by.type = OptionType::kList;
  partition_by.fields = {Text("column", "name of a column", "country")};
  OptionSpec statistics =
      Text("statistics", "minimum and maximum of each column in the footers", "false");
  statistics.type = OptionType::kBool;
  statistics.default_text = "true";
  OptionSpec concurrency = Number(OptionType::kInteger, "concurrency",
                                  "threads that encode one stream of rows", "2", 1, kThreadsMax);
  concurrency.default_text = "1";
  concurrency.runtime = true;

  OptionSpec spec;
  spec.name = "parquet";
  spec.type = OptionType::kGroup;
  spec.shorthand = "path";
  spec.doc = "a dataset of Parquet files in a directory or a bucket";
  spec.fields = {
      path,
      Text("layout", "directories below the path, from the run's window",
           "\"day={run.start:%Y-%m-%d}\""),
      partition_by,
      Choice("profile", "the reader whose rules the files must satisfy", "spark-3",
             {"spark-3", "spark-4", "arrow"}),
      Choice("codec", "compression of the pages", "zstd", {"none", "snappy", "zstd", "lz4"}),
      Number(OptionType::kInteger, "level",
             "of zstd: 1 is the fastest and what is used unless said", "3", 1, 22),
      Choice(
          "encoding",
          "of texts, integers, dates, times and decimals to 18 digits: auto takes the smaller of "
          "PLAIN and a delta encoding, plain is for Spark before 3.4",
          "auto", {"auto", "plain"}),
      Number(OptionType::kBytes, "file_bytes",
             "a file ends with the row group that reaches this; 512MiB unless said", "256MiB", kMiB,
             int64_t{1} << 40),
      Number(OptionType::kInteger, "row_group_rows",
             "a row group has at most so many rows; 1048576 unless said", "131072", 1024,
             INT32_MAX),
      Number(OptionType::kBytes, "row_group_bytes",
             "a row group ends when so many encoded bytes wait in memory; 8MiB to 64MiB by the "
             "width of a row unless said, with partition_by 2MiB",
             "16MiB", 64 * 1024, int64_t{1} << 30),
      Number(OptionType::kBytes, "page_bytes",
             "the pages of all columns end when the rows in them have so many bytes; 8MiB to 32MiB "
             "by the width of a row unless said",
             "4MiB", 4096, 256 * kMiB),
      DictionarySpec(),
      statistics,
      concurrency,
  };
  return spec;
}

Result<LakeOptions> ReadLakeOptions(const elt::Options& options, const elt::StageInput& input) {
  return Reader(options, input).Read();
}

Result<elt::WrittenOptions> LakeOptionsFromUrl(const std::string& url) {
  const bool is_s3 = places::IsS3Url(url);
  const bool has_query = is_s3 || url.starts_with("file://");
  const size_t question = has_query ? url.find('?') : std::string::npos;
  std::string path = url.substr(0, question);
  if (!is_s3) {
    ARROW_ASSIGN_OR_RAISE(path, places::LocalPathOf(path));
  }
  elt::WrittenOptions written = {{"path", std::move(path)}};
  for (size_t at = question; at != std::string::npos;) {
    const size_t end = url.find('&', at + 1);
    const std::string item = url.substr(at + 1, end == std::string::npos ? end : end - at - 1);
    const size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fault(
          FaultCode::kBadValue,
          fmt::format("location \"{}\": expected option=value after \"?\", got \"{}\"", url, item));
    }
    if (is_s3 && places::IsS3Parameter(item.substr(0, equals))) {
      written.front().second +=
          (written.front().second.find('?') == std::string::npos ? "?" : "&") + item;
    } else {
      written.emplace_back(item.substr(0, equals), item.substr(equals + 1));
    }
    at = end;
  }
  return written;
}

}  // namespace levada::parquet
