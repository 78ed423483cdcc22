#include "connectors/sqlite/sqlite_options.h"

#include <algorithm>
#include <utility>

#include "base/url.h"
#include "elt/connections.h"
#include "elt/stage_problems.h"

namespace levada::sqlite {
namespace {

using elt::OptionSpec;
using elt::OptionType;

OptionSpec TypesSpec() {
  OptionSpec column{.name = "type", .type = OptionType::kGroup};
  column.shorthand = "type";
  column.fields = {{.name = "type",
                    .doc = "in the words of cast, or json or uuid",
                    .example = "\"decimal(18,2)\""},
                   {.name = "mixed",
                    .type = OptionType::kChoice,
                    .doc = "the option mixed for this column alone",
                    .choices = {"error", "null", "string"}}};
  return {.name = "types",
          .type = OptionType::kMap,
          .doc =
              "types of columns whose declared type is missing or says too little, and what "
              "becomes of values that do not fit",
          .example = "{ total: \"decimal(18,2)\", note: { mixed: string } }",
          .fields = {column}};
}

OptionSpec PartitionSpec() {
  return {
      .name = "partition",
      .type = OptionType::kGroup,
      .doc =
          "how a run is cut into parts that are retried on their own; left out: one part up "
          "to partition_bytes, then ranges of the rowid",
      .example = "{ by: rowid, count: 8 }",
      .fields = {{.name = "by",
                  .doc = "rowid, or a column of whole numbers, whose value says which partition "
                         "a row belongs to",
                  .required = true,
                  .example = "rowid"},
                 {.name = "size",
                  .type = OptionType::kInteger,
                  .doc = "ranges of this many values",
                  .min = 1,
                  .example = "1000000"},
                 {.name = "count",
                  .type = OptionType::kInteger,
                  .doc = "this many ranges of about as many values, large gaps left out",
                  .min = 1,
                  .max = kPartitionsMax,
                  .example = "8"}}};
}

std::vector<OptionSpec> ReadingSpecs() {
  return {
      {.name = "path",
       .doc = "the database file, absolute or from the directory levada is started in",
       .required = true,
       .example = "./shop.db"},
      {.name = "attach",
       .type = OptionType::kMap,
       .doc = "further files, by the names that tables of theirs begin with: archive.orders",
       .example = "{ archive: ./archive.db }",
       .fields = {{.name = "path", .doc = "as path"}}},
      {.name = "table",
       .doc = "the table or view to read; of an attached file as name.table",
       .example = "order_lines"},
      {.name = "query",
       .doc = "a SELECT to read instead of a table; say ORDER BY where the order matters",
       .example = "SELECT id, name FROM customers ORDER BY id"},
      {.name = "columns",
       .type = OptionType::kList,
       .doc = "the columns to read, in this order; all when left out",
       .example = "[id, amount]",
       .fields = {{.name = "item"}}},
      TypesSpec(),
      {.name = "mixed",
       .type = OptionType::kChoice,
       .doc = "values that their column's type does not hold; string makes the column text, each "
              "value an SQL literal; left out: error",
       .choices = {"error", "null", "string"}}};
}

OptionSpec Spec() {
  OptionSpec spec{.name = "sqlite",
                  .type = OptionType::kGroup,
                  .doc = "reads a table or query of an SQLite file"};
  spec.fields = ReadingSpecs();
  spec.fields.push_back(PartitionSpec());
  spec.fields.push_back({.name = "connections",
                         .doc =
                             "connections that read one partition of a table at once, in ranges "
                             "of its rowid: a number, or auto; each writes files of its own; left "
                             "out: 1",
                         .example = "auto"});
  spec.fields.push_back({.name = "immutable",
                         .type = OptionType::kBool,
                         .doc =
                             "nobody writes the files meanwhile: they are read without locks, also "
                             "from a directory that cannot be written",
                         .default_text = "false",
                         .runtime = true});
  spec.fields.push_back({.name = "busy_timeout",
                         .type = OptionType::kDuration,
                         .doc = "how long to wait while another process has the database locked",
                         .default_text = "5s",
                         .runtime = true});
  return spec;
}

std::optional<Mixed> MixedOf(const elt::Options& options) {
  if (!options.Has("mixed")) return std::nullopt;
  const std::string& word = options.Text("mixed");
  if (word == "null") return Mixed::kNull;
  return word == "string" ? Mixed::kString : Mixed::kError;
}

/// A name that needs no quotes in a query.
bool IsPlainName(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// Collects problems, each at the option it is about.
class Checker {
 public:
  explicit Checker(const elt::Options& options) : options_(options) {}

  void Files(ConsumerOptions& read) {
    read.path = options_.Text("path");
    read.immutable = options_.Bool("immutable");
    CheckPath(options_, "path", read.path);
    if (!options_.Has("attach")) return;
    for (const auto& [name, value] : options_.Map("attach")) {
      AttachedFile file{name, value.Scalar(), value};
      CheckPath(value, "", file.path);
      CheckName(file, read);
      read.attached.push_back(std::move(file));
    }
    if (read.attached.size() > kAttachedMax) {
      Refuse(options_, "attach", FaultCode::kBadValue,
             "expected at most " + std::to_string(kAttachedMax) + " files, got " +
                 std::to_string(read.attached.size()),
             "SQLite attaches no more; copy tables into one file");
    }
  }

  void Subject(ConsumerOptions& read) {
    if (options_.Given("table") && options_.Given("query")) {
      return Refuse(options_, "query", FaultCode::kImpossiblePlan, "both \"table\" and \"query\"",
                    "keep one of them");
    }
    if (options_.Given("query")) {
      read.query = options_.Text("query");
      if (read.query.empty()) {
        Refuse(options_, "query", FaultCode::kBadValue, "\"query\" is empty", "write a SELECT");
      }
      return;
    }
    if (!options_.Given("table")) {
      return Refuse(options_, "", FaultCode::kMissingKey, "neither \"table\" nor \"query\"",
                    "say what to read, table: NAME");
    }
    read.table = options_.Text("table");
    if (read.table.empty()) {
      Refuse(options_, "table", FaultCode::kBadValue, "\"table\" is empty", "name a table or view");
    }
    const std::string file = read.table.substr(0, read.table.find('.'));
    if (file.size() == read.table.size()) return;
    const bool attached = std::ranges::any_of(
        read.attached, [&](const AttachedFile& one) { return SameName(one.name, file); });
    // Of any other name the dot is a part.
    if (!attached && !SameName(file, "main")) return;
    read.schema = file;
    read.table.erase(0, file.size() + 1);
  }

  void Columns(ConsumerOptions& read) {
    if (options_.Given("columns") && options_.List("columns").empty()) {
      Refuse(options_, "columns", FaultCode::kBadValue, "\"columns\" is empty",
             "leave it out to read all columns");
    }
    read.mixed = MixedOf(options_).value_or(Mixed::kError);
    if (!options_.Has("types")) return;
    for (const auto& [name, value] : options_.Map("types")) {
      ColumnOption column{name, std::nullopt, MixedOf(value), value};
      if (value.Has("type")) {
        Result<ColumnType> type = TypeOfOption(value.Text("type"));
        if (type.ok()) {
          column.type = *std::move(type);
        } else {
          const Fault fault = FaultOf(type.status());
          Refuse(value, "type", fault.code(), "column \"" + name + "\": " + fault.message(),
                 fault.help());
        }
        if (column.mixed == Mixed::kString) {
          Refuse(value, "mixed", FaultCode::kImpossiblePlan,
                 "column \"" + name + "\" has a type, and \"mixed: string\" makes it text",
                 "keep one of them");
        }
      } else if (!column.mixed) {
        Refuse(value, "", FaultCode::kMissingKey,
               "\"types\" says nothing of column \"" + name + "\"",
               "write a type, or mixed: null | string");
      }
      read.columns.push_back(std::move(column));
    }
  }

  void Partition(PartitionOptions& partition) {
    if (!options_.Given("partition")) return;
    const elt::Options group = options_.Group("partition");
    using Rule = PartitionOptions::Rule;
    partition.by = group.Text("by");
    const bool size = group.Given("size");
    if (size == group.Given("count")) {
      return Refuse(options_, "partition",
                    size ? FaultCode::kImpossiblePlan : FaultCode::kMissingKey,
                    size ? "both \"size\" and \"count\""
                         : "\"partition\" does not say how to cut: neither \"size\" nor \"count\"",
                    size ? "keep one of them" : "for example { by: rowid, count: 8 }");
    }
    partition.rule = size ? Rule::kSize : Rule::kCount;
    partition.number = group.Integer(size ? "size" : "count");
  }

  void Connections(ConsumerOptions& read) {
    if (!options_.Has("connections")) return;
    read.connections = elt::ReadConnections(options_, kConnectionsMax, read.whole_partitions,
                                            "the rowids of a table", problems_);
  }

  Status Problems() { return elt::Refused("consumer \"sqlite\"", std::move(problems_)); }

 private:
  void CheckPath(const elt::Options& where, std::string_view option, const std::string& path) {
    if (!path.empty()) return;
    Refuse(where, option, FaultCode::kBadValue,
           option.empty() ? "the path is empty" : "\"" + std::string(option) + "\" is empty",
           "name a database file");
  }

  void CheckName(const AttachedFile& file, const ConsumerOptions& read) {
    const std::string& name = file.name;
    const auto refuse = [&](const std::string& problem, const char* help) {
      Refuse(file.where, "", FaultCode::kBadValue, problem, help);
    };
    if (!IsPlainName(name)) {
      return refuse("\"" + name + "\" is no name for a file",
                    "letters, digits and _, no digit first: archive");
    }
    if (SameName(name, "main") || SameName(name, "temp")) {
      return refuse("\"" + name + "\" is SQLite's own name",
                    "the file of path: is main; choose another name");
    }
    for (const AttachedFile& other : read.attached) {
      if (!SameName(other.name, name)) continue;
      return refuse("\"" + name + "\" and \"" + other.name + "\" are one name to SQLite",
                    "choose another name");
    }
  }

  void Refuse(const elt::Options& where, std::string_view option, FaultCode code,
              std::string message, std::string help) {
    problems_.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  }

  const elt::Options& options_;
  std::vector<Diagnostic> problems_;
};

/// What a URL may say besides the path; the first two are what is read.
constexpr std::string_view kUrlOptions[] = {"table", "query", "mixed", "connections",
                                            "busy_timeout"};

}  // namespace

bool SameName(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

const ColumnOption* ConsumerOptions::Find(std::string_view column) const {
  const auto found = std::ranges::find_if(
      columns, [&](const ColumnOption& option) { return SameName(option.name, column); });
  return found == columns.end() ? nullptr : &*found;
}

Fault ConsumerOptions::At(FaultCode code, const std::string& message, const std::string& help,
                          std::string_view option) const {
  return elt::Placed(Fault(code, message).Help(help), written, option);
}

OptionSpec ConsumerSpec() { return Spec(); }

Result<std::shared_ptr<const ConsumerOptions>> ReadConsumerOptions(const elt::Options& options,
                                                                   bool whole_partitions) {
  auto read = std::make_shared<ConsumerOptions>();
  read->written = options;
  read->whole_partitions = whole_partitions;
  read->busy_timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.Duration("busy_timeout"));
  Checker checker(options);
  checker.Files(*read);
  checker.Subject(*read);
  checker.Columns(*read);
  checker.Partition(read->partition);
  checker.Connections(*read);
  ARROW_RETURN_NOT_OK(checker.Problems());
  return read;
}

Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url) {
  constexpr const char* kForm = "write sqlite:PATH?table=NAME; an absolute path as sqlite:///PATH";
  auto refuse = [&](const std::string& problem) {
    return Fault(FaultCode::kBadCommandLine, "\"" + url + "\": " + problem).Help(kForm);
  };
  std::string_view rest = url;
  rest.remove_prefix(std::min(rest.size(), std::string_view("sqlite:").size()));
  if (rest.starts_with("//")) rest.remove_prefix(2);
  const size_t question = rest.find('?');
  const std::optional<std::string> path = PercentDecoded(rest.substr(0, question));
  if (!path || path->empty()) return refuse("no path of a database file");
  elt::WrittenOptions options = {{"path", *path}};
  int subjects = 0;
  const std::string_view parameters =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  for (const UrlParameter& parameter : UrlParameters(parameters)) {
    const std::string name(parameter.name);
    if (std::ranges::find(kUrlOptions, name) == std::end(kUrlOptions)) {
      return refuse("unknown parameter \"" + name + "\", expected \"table\" or \"query\"; " +
                    "besides them mixed, connections, busy_timeout");
    }
    const std::optional<std::string> value =
        parameter.value ? PercentDecoded(*parameter.value) : std::nullopt;
    if (!value || value->empty()) return refuse("parameter \"" + name + "\" has no value");
    if (name == "table" || name == "query") ++subjects;
    options.emplace_back(name, *value);
  }
  if (subjects != 1) return refuse("expected one of \"table\" and \"query\"");
  return options;
}

}  // namespace levada::sqlite
