#include "connectors/generate/generate_options.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/quantity.h"
#include "base/url.h"
#include "connectors/generate/column_options.h"
#include "connectors/generate/preset_tables.h"
#include "elt/stage_problems.h"

namespace levada::generate {
namespace {

using elt::OptionSpec;
using elt::OptionType;

// A row is made whole, and a batch has one at least: more than this would not be the batch that a
// memory budget counts with.
constexpr int64_t kRowBytesMax = int64_t{4} << 20;

OptionSpec PartitionSpec() {
  OptionSpec spec{.name = "partition",
                  .type = OptionType::kGroup,
                  .doc =
                      "how a run is cut into parts that are retried on their own, by the number "
                      "of a row; left out: as partition_bytes asks for",
                  .example = "{ size: 1000000 }"};
  spec.fields = {{.name = "size",
                  .type = OptionType::kInteger,
                  .doc = "parts of this many rows",
                  .min = 1,
                  .example = "1000000"},
                 {.name = "count",
                  .type = OptionType::kInteger,
                  .doc = "this many parts of about as many rows",
                  .min = 1,
                  .max = kPartitionsMax,
                  .example = "16"}};
  return spec;
}

/// Collects problems, each at the option it is about.
class Checker {
 public:
  explicit Checker(const elt::Options& options) : options_(options) {}

  void Table(ConsumerOptions& read) {
    const bool named = options_.Given("table");
    if (named == options_.Given("columns")) {
      Refuse(options_, named ? "columns" : "",
             named ? FaultCode::kImpossiblePlan : FaultCode::kMissingKey,
             named ? "both \"table\" and \"columns\"" : "neither \"table\" nor \"columns\"",
             named ? "keep one of them" : "say what to make, for example table: lineitem");
      return;
    }
    const int64_t rows = options_.Integer("rows");
    const auto seed = static_cast<uint64_t>(options_.Integer("seed"));
    const std::string name = named ? options_.Text("table") : "";
    auto columns = named ? PresetColumns(name, seed) : Columns(rows, seed);
    if (!problems_.empty()) return;
    read.table = std::make_shared<const GeneratedTable>(name, rows, seed, std::move(columns));
    const int64_t row_bytes = read.table->row_bytes_max();
    if (row_bytes <= kRowBytesMax) return;
    Refuse(options_, "columns", FaultCode::kImpossiblePlan,
           "the longest row would have " + FormatBytes(row_bytes) + ", more than " +
               FormatBytes(kRowBytesMax),
           "choose fewer columns, or a smaller length:");
  }

  void Partition(PartitionRule& rule) {
    if (!options_.Given("partition")) return;
    const elt::Options group = options_.Group("partition");
    const bool size = group.Given("size");
    if (size == group.Given("count")) {
      Refuse(size ? group : options_, size ? "count" : "partition",
             size ? FaultCode::kImpossiblePlan : FaultCode::kMissingKey,
             size ? "\"count\" beside another way to cut" : "\"partition\" does not say how to cut",
             size ? "keep one of size and count" : "add one of size and count");
      return;
    }
    rule.kind = size ? PartitionRule::Kind::kSize : PartitionRule::Kind::kCount;
    rule.number = group.Integer(size ? "size" : "count");
  }

  void Slices(ConsumerOptions& read, bool whole_partitions) {
    read.slices = static_cast<int>(options_.Integer("slices"));
    if (read.slices == 1 || !whole_partitions) return;
    Refuse(options_, "slices", FaultCode::kImpossiblePlan,
           "\"slices\" divides a partition, and a transformer of this pipeline compares all of its "
           "rows",
           "remove it; parallel: { partitions: " + std::to_string(read.slices) +
               " } makes several partitions at once");
  }

  Status Problems() { return elt::Refused("consumer \"generate\"", std::move(problems_)); }

 private:
  std::vector<std::unique_ptr<const Column>> Columns(int64_t rows, uint64_t seed) {
    const auto entries = options_.Map("columns");
    if (entries.empty()) {
      Refuse(options_, "columns", FaultCode::kBadValue, "\"columns\" is empty",
             "name a column and its type, columns: { id: int64 }");
    }
    std::set<std::string> names;
    std::vector<std::unique_ptr<const Column>> columns;
    for (const auto& [name, column] : entries) {
      if (name.empty()) {
        Refuse(column, "", FaultCode::kBadValue, "a column without a name",
               "write its name before the colon");
      } else if (!names.insert(LowerAscii(name)).second) {
        Refuse(column, "", FaultCode::kDuplicateColumn,
               "column \"" + name + "\" differs from another one in case only",
               "rename one of them");
      }
      columns.push_back(ReadColumn(name, column, seed, rows, problems_));
    }
    return columns;
  }

  void Refuse(const elt::Options& where, std::string_view option, FaultCode code,
              std::string message, std::string help) {
    problems_.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  }

  const elt::Options& options_;
  std::vector<Diagnostic> problems_;
};

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

elt::OptionSpec ConsumerSpec() {
  OptionSpec spec{.name = "generate",
                  .type = OptionType::kGroup,
                  .doc =
                      "makes rows of its own, the same ones each time: for tests, benchmarks and "
                      "first tries"};
  spec.fields = {
      {.name = "table",
       .type = OptionType::kChoice,
       .doc = "a table that is known here; this or columns",
       .choices = PresetNames(),
       .example = "lineitem"},
      {.name = "columns",
       .type = OptionType::kMap,
       .doc = "the columns of a table of your own, in this order",
       .example = "{ id: { type: int64, sequence: 1 }, kind: { type: text, values: [a, b] } }",
       .fields = {ColumnSpec()}},
      {.name = "rows",
       .type = OptionType::kInteger,
       .doc = "how many, up to 50,000,000,000",
       .required = true,
       .max = kRowsMax,
       .example = "1000000"},
      {.name = "seed",
       .type = OptionType::kInteger,
       .doc = "another seed gives other random values",
       .default_text = "0",
       .example = "7"},
      PartitionSpec(),
      {.name = "slices",
       .type = OptionType::kInteger,
       .doc = "parts of one partition that are made at once; each has files of its own",
       .default_text = "1",
       .min = 1,
       .max = kSlicesMax,
       .example = "2"},
  };
  return spec;
}

Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options, bool whole_partitions) {
  ConsumerOptions read;
  Checker checker(options);
  checker.Table(read);
  checker.Partition(read.partition);
  checker.Slices(read, whole_partitions);
  ARROW_RETURN_NOT_OK(checker.Problems());
  return read;
}

Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url) {
  const auto refuse = [&](const std::string& problem) {
    return Fault(FaultCode::kBadCommandLine, "\"" + url + "\": " + problem)
        .Help(
            "write generate:TABLE?rows=N&seed=N; the tables are lineitem, events, narrow and "
            "wide-500");
  };
  std::string_view rest = url;
  rest.remove_prefix(std::min(rest.size(), std::string_view("generate:").size()));
  if (rest.starts_with("//")) rest.remove_prefix(2);
  const size_t question = rest.find('?');
  const std::string table(rest.substr(0, question));
  if (table.empty()) return refuse("no table");
  elt::WrittenOptions options = {{"table", table}};
  const std::string_view parameters =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  bool has_rows = false;
  for (const UrlParameter& parameter : UrlParameters(parameters)) {
    const std::string name(parameter.name);
    if (name != "rows" && name != "seed") {
      return refuse("unknown parameter \"" + name + "\", expected \"rows\" or \"seed\"");
    }
    if (!parameter.value || !IsNumber(*parameter.value)) {
      return refuse("parameter \"" + name + "\": expected a whole number");
    }
    has_rows |= name == "rows";
    options.emplace_back(name, *parameter.value);
  }
  if (!has_rows) return refuse("it does not say how many rows");
  return options;
}

}  // namespace levada::generate
