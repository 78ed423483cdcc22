#include "connectors/files/files_options.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/url.h"
#include "base/utf8.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"

namespace levada::files {
namespace {

using elt::OptionSpec;
using elt::OptionType;

OptionSpec CsvSpec() {
  return {.name = "csv",
          .type = OptionType::kGroup,
          .doc = "how CSV files are written; what is left out is guessed from the first file",
          .example = "{ delimiter: \";\", header: true }",
          .fields = {{.name = "delimiter",
                      .doc = "the character between fields; \"\\t\" is a tab",
                      .example = "\";\""},
                     {.name = "quote",
                      .doc = "the character around fields; none: quotes are a part of the text",
                      .example = "\"'\""},
                     {.name = "escape",
                      .doc = "the character before a quote inside of quotes; none: it is doubled",
                      .example = "\"\\\\\""},
                     {.name = "header",
                      .type = OptionType::kChoice,
                      .doc = "whether the first row has the names of the columns",
                      .default_text = "auto",
                      .choices = {"auto", "true", "false"}},
                     {.name = "null_values",
                      .type = OptionType::kList,
                      .doc = "fields that are NULL where they stand without quotes; left out: the "
                             "empty one",
                      .example = "[\"\", NULL]",
                      .fields = {{.name = "item"}}},
                     {.name = "skip_rows",
                      .type = OptionType::kInteger,
                      .doc = "lines before the header or the first row",
                      .default_text = "0",
                      .max = 10'000},
                     {.name = "columns",
                      .type = OptionType::kList,
                      .doc = "names of the columns, instead of those of a header",
                      .example = "[id, amount]",
                      .fields = {{.name = "item"}}}}};
}

OptionSpec PartitionSpec() {
  return {.name = "partition",
          .type = OptionType::kGroup,
          .doc =
              "how a run is cut into parts that are retried on their own; left out: files in "
              "the order of their names, up to partition_bytes",
          .example = "{ by: file }",
          .fields = {{.name = "by",
                      .type = OptionType::kChoice,
                      .doc = "file: one part for each",
                      .required = true,
                      .choices = {"file"}}}};
}

std::optional<char> CharacterOf(const std::string& text) {
  if (text == "\\t") return '\t';
  // What the readers of rows can tell from the rows themselves.
  const bool is_one = text.size() == 1 && static_cast<unsigned char>(text.front()) < 0x80;
  return is_one && text != "\n" && text != "\r" ? std::optional(text.front()) : std::nullopt;
}

/// Collects problems, each at the option it is about.
class Checker {
 public:
  explicit Checker(const elt::Options& options) : options_(options) {}

  void Files(ConsumerOptions& read) {
    read.path = options_.Text("path");
    if (read.path.empty()) {
      Refuse(options_, "path", FaultCode::kBadValue, "\"path\" is empty",
             "name a file, a directory, or a pattern such as in/*.csv");
    } else if (!IsUtf8(read.path) || read.path.find('\0') != std::string::npos) {
      Refuse(options_, "path", FaultCode::kBadValue, "\"path\" is no text", "write UTF-8");
    }
    read.format = FormatOfWord(options_.Text("format"));
    const std::string& hive = options_.Text("hive");
    read.hive = hive == "auto" ? Hive::kAuto : hive == "true" ? Hive::kYes : Hive::kNo;
    read.schema = options_.Text("schema") == "union" ? SchemaRule::kUnion : SchemaRule::kStrict;
    if (options_.Given("file_column")) read.file_column = options_.Text("file_column");
    read.by_file = options_.Given("partition");
  }

  void Columns(ConsumerOptions& read) {
    if (options_.Given("columns")) {
      read.columns = options_.Texts("columns");
      CheckNames(options_, "columns", read.columns);
    }
    if (!options_.Has("types")) return;
    for (const auto& [name, value] : options_.Map("types")) {
      Result<std::shared_ptr<arrow::DataType>> type = elt::ParseTypeName(value.Scalar());
      if (type.ok()) {
        read.types.push_back({name, *type, value});
        continue;
      }
      const Fault fault = FaultOf(type.status());
      Refuse(value, "", fault.code(), "column \"" + name + "\": " + fault.message(), fault.help());
    }
  }

  void Csv(CsvOptions& read) {
    if (!options_.Given("csv")) return;
    const elt::Options group = options_.Group("csv");
    read.known.delimiter = Character(group, "delimiter", false, read.dialect.delimiter);
    read.known.quote = Character(group, "quote", true, read.dialect.quote);
    read.known.escape = Character(group, "escape", true, read.dialect.escape);
    if (read.known.delimiter && read.known.quote && read.dialect.delimiter == read.dialect.quote) {
      Refuse(group, "quote", FaultCode::kImpossiblePlan, "\"quote\" is the delimiter too",
             "choose another one");
    }
    const std::string& header = group.Text("header");
    read.known.header = header != "auto";
    if (read.known.header) read.dialect.header = header == "true";
    if (group.Given("null_values")) read.null_values = group.Texts("null_values");
    read.skip_rows = static_cast<int32_t>(group.Integer("skip_rows"));
    if (!group.Given("columns")) return;
    read.columns = group.Texts("columns");
    CheckNames(group, "columns", read.columns);
  }

  Status Problems() { return elt::Refused("consumer \"files\"", std::move(problems_)); }

 private:
  bool Character(const elt::Options& group, const char* name, bool may_be_none, char& out) {
    if (!group.Given(name)) return false;
    const std::string& text = group.Text(name);
    if (may_be_none && (text == "none" || text.empty())) {
      out = 0;
    } else if (const auto character = CharacterOf(text)) {
      out = *character;
    } else {
      Refuse(group, name, FaultCode::kBadValue,
             "\"" + std::string(name) + "\": expected one ASCII character, got \"" + text + "\"",
             may_be_none ? "write one, or none" : "write one, such as \";\" or \"\\t\"");
    }
    return true;
  }

  void CheckNames(const elt::Options& where, const char* option,
                  const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (!name.empty() && seen.insert(name).second) continue;
      return Refuse(where, option, FaultCode::kDuplicateColumn,
                    name.empty() ? "\"" + std::string(option) + "\" has an empty name"
                                 : "column \"" + name + "\" is there twice",
                    "name each column once");
    }
    if (names.empty()) {
      Refuse(where, option, FaultCode::kBadValue, "\"" + std::string(option) + "\" is empty",
             "leave it out to read all columns");
    }
  }

  void Refuse(const elt::Options& where, std::string_view option, FaultCode code,
              std::string message, std::string help) {
    problems_.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  }

  const elt::Options& options_;
  std::vector<Diagnostic> problems_;
};

/// What a URL may say besides the path.
constexpr std::string_view kUrlOptions[] = {"format", "hive", "schema", "file_column"};

}  // namespace

const TypeOption* ConsumerOptions::Find(std::string_view column) const {
  const auto found = std::ranges::find(types, column, &TypeOption::column);
  return found == types.end() ? nullptr : &*found;
}

Fault ConsumerOptions::At(FaultCode code, const std::string& message, const std::string& help,
                          std::string_view option) const {
  return elt::Placed(Fault(code, message).Help(help), written, option);
}

OptionSpec ConsumerSpec() {
  OptionSpec spec{.name = "files",
                  .type = OptionType::kGroup,
                  .doc = "reads Parquet, CSV, JSON lines, Arrow IPC and ORC files"};
  spec.fields = {
      {.name = "path",
       .doc = "a file, a directory with all below it, or a pattern with *, ?, [a-z] and **",
       .required = true,
       .example = "\"./in/*.csv\""},
      {.name = "format",
       .type = OptionType::kChoice,
       .doc = "what the files are; auto: as their names end",
       .default_text = "auto",
       .choices = {"auto", "parquet", "csv", "jsonl", "arrow", "orc"}},
      {.name = "columns",
       .type = OptionType::kList,
       .doc = "the columns to read, in this order; all when left out",
       .example = "[id, amount]",
       .fields = {{.name = "item"}}},
      {.name = "types",
       .type = OptionType::kMap,
       .doc = "types of columns, in the words of cast; those of CSV and JSON lines are found out "
              "from the beginning of the files when left out",
       .example = "{ amount: \"decimal(18,2)\", zip: text }",
       .fields = {{.name = "type"}}},
      {.name = "hive",
       .type = OptionType::kChoice,
       .doc = "whether directories such as country=DE are columns; auto: where all files have them",
       .default_text = "auto",
       .choices = {"auto", "true", "false"}},
      {.name = "schema",
       .type = OptionType::kChoice,
       .doc = "strict: all files have the same columns; union: a column that a file lacks is NULL",
       .default_text = "strict",
       .choices = {"strict", "union"}},
      {.name = "file_column",
       .doc = "the name of one more column, which has the path of each row's file",
       .example = "file"},
      CsvSpec(),
      PartitionSpec()};
  return spec;
}

Result<std::shared_ptr<const ConsumerOptions>> ReadConsumerOptions(const elt::Options& options) {
  auto read = std::make_shared<ConsumerOptions>();
  read->written = options;
  Checker checker(options);
  checker.Files(*read);
  checker.Columns(*read);
  checker.Csv(read->csv);
  ARROW_RETURN_NOT_OK(checker.Problems());
  return read;
}

Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url) {
  const size_t question = url.find('?');
  const std::string path = url.substr(0, question);
  const auto refuse = [&](const std::string& problem) {
    return Fault(FaultCode::kBadCommandLine, "\"" + url + "\": " + problem)
        .Help(
            "write file:PATH or file:///PATH, options behind a \"?\": format, hive, schema, "
            "file_column; a \"?\" of a pattern is \"%3F\"");
  };
  if (path == "file:" || path == "file://") return refuse("no path of files");
  elt::WrittenOptions options = {{"path", path}};
  const std::string_view parameters = question == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(url).substr(question + 1);
  for (const UrlParameter& parameter : UrlParameters(parameters)) {
    const std::string name(parameter.name);
    if (std::ranges::find(kUrlOptions, name) == std::end(kUrlOptions)) {
      return refuse("unknown parameter \"" + name + "\"");
    }
    const std::optional<std::string> value =
        parameter.value ? PercentDecoded(*parameter.value) : std::nullopt;
    if (!value || value->empty()) return refuse("parameter \"" + name + "\" has no value");
    options.emplace_back(name, *value);
  }
  return options;
}

}  // namespace levada::files
