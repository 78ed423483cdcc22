#include "connectors/clickhouse/clickhouse_options.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/secret.h"
#include "base/url.h"
#include "elt/stage_problems.h"

namespace levada::clickhouse {
namespace {

using elt::OptionSpec;
using elt::OptionType;

constexpr int64_t kThreadsMax = 256;

OptionSpec PartitionSpec() {
  return {
      .name = "partition",
      .type = OptionType::kGroup,
      .doc = "how a run is cut into parts that are retried on their own; left out: one part",
      .example = "{ by: id, count: 8 }",
      .fields = {{.name = "by",
                  .doc = "the column whose value says which partition a row belongs to: a whole "
                         "number, Date or DateTime; for values any",
                  .required = true,
                  .example = "id"},
                 {.name = "size",
                  .type = OptionType::kInteger,
                  .doc = "ranges of this many values; of a Date days, of a DateTime seconds",
                  .min = 1,
                  .example = "1000000"},
                 {.name = "count",
                  .type = OptionType::kInteger,
                  .doc = "this many ranges of as many values each",
                  .min = 1,
                  .max = kPartitionsMax,
                  .example = "8"},
                 {.name = "values",
                  .type = OptionType::kList,
                  .doc = "one partition for each of these values, one for all others",
                  .example = "[eu, us]",
                  .fields = {{.name = "item"}}}}};
}

std::vector<OptionSpec> ReadingSpecs() {
  return {
      {.name = "dsn",
       .doc = "which server: clickhouse://user:password@host:port/database?secure=true; further "
              "parameters verify=false and ca=PATH",
       .required = true,
       .secret = true,
       .example = "\"clickhouse://reader:${env:CLICKHOUSE_PASSWORD}@ch.example.com/shop\""},
      {.name = "table",
       .doc = "the table or view to read, as name or database.name",
       .example = "orders"},
      {.name = "query",
       .doc = "a SELECT to read instead of a table; say ORDER BY where the order matters",
       .example = "SELECT id, name FROM customers FINAL"},
      {.name = "columns",
       .type = OptionType::kList,
       .doc = "the columns to read, in this order; all when left out",
       .example = "[id, amount]",
       .fields = {{.name = "item"}}},
      {.name = "strings",
       .type = OptionType::kChoice,
       .doc = "String columns as text, whose every value has to be UTF-8, or as bytes",
       .default_text = "utf8",
       .choices = {"utf8", "binary"}},
      {.name = "unsigned",
       .type = OptionType::kChoice,
       .doc = "unsigned integers as the next wider signed one (UInt64: decimal(20,0)), or as they "
              "are, which not every reader of Parquet can use",
       .default_text = "widen",
       .choices = {"widen", "keep"}}};
}

std::vector<OptionSpec> RunningSpecs() {
  return {
      {.name = "threads",
       .type = OptionType::kInteger,
       .doc = "threads of the server that work on one partition; from 2 on rows come in any order",
       .default_text = "1",
       .min = 1,
       .max = kThreadsMax},
      {.name = "settings",
       .type = OptionType::kMap,
       .doc = "settings of ClickHouse for every query",
       .example = "{ max_execution_time: 3600 }",
       .fields = {{.name = "value"}}},
      {.name = "compression",
       .type = OptionType::kChoice,
       .doc = "of what the server sends; auto is none on this machine and lz4 elsewhere",
       .default_text = "auto",
       .runtime = true,
       .choices = {"auto", "lz4", "zstd", "none"}},
      {.name = "connect_timeout",
       .type = OptionType::kDuration,
       .doc = "how long to wait for a connection and a hello",
       .default_text = "10s",
       .runtime = true},
      {.name = "read_timeout",
       .type = OptionType::kDuration,
       .doc = "how long a server may say nothing",
       .default_text = "5m",
       .runtime = true}};
}

Wire WireOf(const std::string& word) {
  if (word == "lz4") return Wire::kLz4;
  if (word == "zstd") return Wire::kZstd;
  return word == "none" ? Wire::kNone : Wire::kAuto;
}

/// Collects problems, each at the option it is about.
class Checker {
 public:
  explicit Checker(const elt::Options& options) : options_(options) {}

  void Subject(ConsumerOptions& read) {
    if (options_.Given("table") && options_.Given("query")) {
      return Refuse(options_, "query", FaultCode::kImpossiblePlan, "both \"table\" and \"query\"",
                    "keep one of them");
    }
    if (options_.Given("query")) {
      read.query = options_.Text("query");
      while (!read.query.empty() &&
             std::string_view("; \t\r\n").find(read.query.back()) != std::string_view::npos) {
        read.query.pop_back();
      }
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
    const size_t dot = read.table.find('.');
    if (dot != std::string::npos) {
      read.database = read.table.substr(0, dot);
      read.table.erase(0, dot + 1);
    }
    if (read.table.empty() || (dot != std::string::npos && read.database.empty())) {
      Refuse(options_, "table", FaultCode::kBadValue, "\"table\" names no table",
             "write name or database.name");
    }
  }

  void Columns(ConsumerOptions& read) {
    if (!options_.Given("columns")) return;
    read.columns = options_.Texts("columns");
    const std::vector<elt::Options> written = options_.List("columns");
    if (read.columns.empty()) {
      Refuse(options_, "columns", FaultCode::kBadValue, "\"columns\" is empty",
             "leave it out to read all columns");
    }
    for (size_t i = 0; i < read.columns.size(); ++i) {
      if (std::count(read.columns.begin(), read.columns.begin() + static_cast<ptrdiff_t>(i),
                     read.columns[i]) == 0) {
        continue;
      }
      Refuse(written[i], "", FaultCode::kDuplicateColumn,
             "column \"" + read.columns[i] + "\" is listed twice", "remove one of them");
    }
  }

  void Partition(PartitionOptions& partition) {
    if (!options_.Given("partition")) return;
    using Rule = PartitionOptions::Rule;
    const elt::Options group = options_.Group("partition");
    partition.by = group.Text("by");
    const int given = group.Given("size") + group.Given("count") + group.Given("values");
    if (given != 1) {
      return Refuse(options_, "partition",
                    given == 0 ? FaultCode::kMissingKey : FaultCode::kImpossiblePlan,
                    given == 0 ? "\"partition\" does not say how to cut"
                               : "\"partition\" says more than one way to cut",
                    "write one of size, count and values");
    }
    if (!group.Given("values")) {
      partition.rule = group.Given("size") ? Rule::kSize : Rule::kCount;
      partition.number = group.Integer(group.Given("size") ? "size" : "count");
      return;
    }
    partition.rule = Rule::kValues;
    partition.values = group.Texts("values");
    if (partition.values.empty() ||
        partition.values.size() >= static_cast<size_t>(kPartitionsMax)) {
      Refuse(group, "values", FaultCode::kBadValue,
             "expected 1 to " + std::to_string(kPartitionsMax - 1) + " values",
             "list the values that deserve a partition of their own");
    }
    std::vector<std::string> sorted = partition.values;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) {
      Refuse(group, "values", FaultCode::kBadValue, "a value is listed twice",
             "remove one of them");
    }
  }

  void Settings(clickhouse::Settings& settings) {
    if (!options_.Has("settings")) return;
    for (const auto& [name, value] : options_.Map("settings")) {
      if (name == "max_threads") {
        Refuse(value, "", FaultCode::kImpossiblePlan, "\"max_threads\" is what \"threads\" says",
               "write threads: N");
      }
      settings.emplace_back(name, value.Scalar());
    }
  }

  Status Problems() { return elt::Refused("consumer \"clickhouse\"", std::move(problems_)); }

 private:
  void Refuse(const elt::Options& where, std::string_view option, FaultCode code,
              std::string message, std::string help) {
    problems_.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  }

  const elt::Options& options_;
  std::vector<Diagnostic> problems_;
};

/// What a URL may say of ours; the rest is the dsn's.
constexpr std::string_view kUrlOptions[] = {"table",           "query",       "strings",
                                            "unsigned",        "threads",     "compression",
                                            "connect_timeout", "read_timeout"};

}  // namespace

std::string ConsumerOptions::What() const {
  if (!query.empty()) return "the query";
  return "table \"" + (database.empty() ? "" : database + ".") + table + "\"";
}

Fault ConsumerOptions::At(FaultCode code, const std::string& message, const std::string& help,
                          std::string_view option) const {
  Fault fault(code, message);
  if (!help.empty()) fault.Help(help);
  return elt::Placed(fault, written, option);
}

Result<SessionOptions> ConsumerOptions::OfSession() const {
  ARROW_ASSIGN_OR_RAISE(const Secret text, written.Reveal("dsn"));
  const Result<Dsn> dsn = ParseDsn(text.Reveal());
  if (!dsn.ok()) return elt::Placed(FaultOf(dsn.status()), written, "dsn");
  SessionOptions session;
  session.dsn = *dsn;
  session.timeouts = timeouts;
  session.wire = wire;
  session.types = types;
  session.version = version;
  session.settings = settings;
  session.settings.emplace_back("max_threads", std::to_string(threads));
  return session;
}

OptionSpec ConsumerSpec() {
  OptionSpec spec{.name = "clickhouse",
                  .type = OptionType::kGroup,
                  .doc = "reads a table or query of ClickHouse by its native protocol"};
  spec.fields = ReadingSpecs();
  spec.fields.push_back(PartitionSpec());
  for (OptionSpec& field : RunningSpecs()) spec.fields.push_back(std::move(field));
  return spec;
}

Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options,
                                            const std::string& version) {
  ConsumerOptions read;
  read.written = options;
  read.version = version;
  read.types.strings_as_binary = options.Text("strings") == "binary";
  read.types.keep_unsigned = options.Text("unsigned") == "keep";
  read.wire = WireOf(options.Text("compression"));
  read.threads = options.Integer("threads");
  read.timeouts.connect = options.Duration("connect_timeout");
  read.timeouts.silence = options.Duration("read_timeout");
  Checker checker(options);
  checker.Subject(read);
  checker.Columns(read);
  checker.Partition(read.partition);
  checker.Settings(read.settings);
  ARROW_RETURN_NOT_OK(checker.Problems());
  return read;
}

Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url) {
  const auto refuse = [&](const std::string& problem) {
    return Fault(FaultCode::kBadCommandLine, "\"" + RedactUrl(url) + "\": " + problem)
        .Help("write clickhouse://user@host/database?table=NAME");
  };
  const size_t question = url.find('?');
  std::string dsn = url.substr(0, question);
  elt::WrittenOptions ours;
  int subjects = 0;
  char separator = '?';
  const std::string_view parameters = question == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(url).substr(question + 1);
  for (const UrlParameter& parameter : UrlParameters(parameters)) {
    if (std::ranges::find(kUrlOptions, parameter.name) == std::end(kUrlOptions)) {
      dsn += separator;
      dsn += parameter.written;
      separator = '&';
      continue;
    }
    const std::optional<std::string> value =
        parameter.value ? PercentDecoded(*parameter.value) : std::nullopt;
    if (!value || value->empty()) {
      return refuse("parameter \"" + std::string(parameter.name) + "\" has no value");
    }
    if (parameter.name == "table" || parameter.name == "query") ++subjects;
    ours.emplace_back(parameter.name, *value);
  }
  if (subjects != 1) return refuse("expected one of \"table\" and \"query\"");
  ours.insert(ours.begin(), {"dsn", std::move(dsn)});
  return ours;
}

}  // namespace levada::clickhouse
