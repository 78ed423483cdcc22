#include "connectors/postgres/postgres_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/url.h"
#include "connectors/postgres/statement_text.h"
#include "db/postgres/connection.h"
#include "elt/connections.h"
#include "elt/stage_problems.h"

namespace levada::postgres {
namespace {

using elt::OptionSpec;
using elt::OptionType;
using pgcopy::ValuePolicy;

OptionSpec PartitionSpec() {
  OptionSpec spec{.name = "partition",
                  .type = OptionType::kGroup,
                  .doc =
                      "how a run is cut into parts that are retried on their own; left out: one "
                      "part up to partition_bytes, then ranges of the key",
                  .example = "{ by: account_id, size: 500 }"};
  spec.fields = {
      {.name = "by",
       .doc = "the column whose value says which partition a row belongs to",
       .required = true,
       .example = "account_id"},
      {.name = "size",
       .type = OptionType::kInteger,
       .doc = "ranges of this many values of a whole-number column",
       .min = 1,
       .example = "500"},
      {.name = "count",
       .type = OptionType::kInteger,
       .doc = "this many ranges of about as many rows, by the column's statistics",
       .min = 1,
       .max = kPartitionsMax,
       .example = "16"},
      {.name = "values",
       .type = OptionType::kList,
       .doc = "one partition for each of these values and one for all others",
       .example = "[EU, US]",
       .fields = {{.name = "value", .doc = "a value"}}},
      {.name = "interval",
       .type = OptionType::kDuration,
       .doc = "ranges of this much time of a date or timestamp column",
       .example = "10m"},
      {.name = "hash",
       .type = OptionType::kInteger,
       .doc = "this many partitions by the server's hash of the value; each reads the whole table",
       .min = 1,
       .max = 1024,
       .example = "8"},
  };
  return spec;
}

OptionSpec NumericSpec() {
  return {.name = "numeric",
          .doc =
              "numeric columns without precision, or with more than 76 digits: error, string "
              "(exact), double (rounded), or decimal(p,s)",
          .default_text = "error",
          .example = "decimal(38,9)"};
}

std::vector<OptionSpec> ReadingSpecs() {
  return {
      {.name = "dsn",
       .doc = "libpq URL or key=value text; left out: PG* variables and the service file",
       .secret = true,
       .example = "${env:ORDERS_DSN}"},
      {.name = "table",
       .doc = "table or view to read, as schema.table with exact names",
       .example = "public.orders"},
      {.name = "query",
       .doc = "SELECT to read instead of a table",
       .example = "select id, total::text as total from public.orders"},
      {.name = "tables",
       .doc = "all tables like this, schema.table with * and ?: a dataset of each; path: names "
              "{schema} and {table}",
       .example = "public.*"},
      {.name = "exclude",
       .type = OptionType::kList,
       .doc = "tables that tables: does not mean, schema.table with * and ?",
       .example = "[public.audit_*]",
       .fields = {{.name = "pattern", .doc = "schema.table with * and ?"}}},
      {.name = "columns",
       .type = OptionType::kList,
       .doc = "the columns to read, in this order; left out: all",
       .example = "[id, amount]",
       .fields = {{.name = "column", .doc = "a column"}}},
      {.name = "as_text",
       .type = OptionType::kList,
       .doc =
           "columns that the server casts to text, as it does of types without a decoder: arrays "
           "of several dimensions, or any other",
       .example = "[matrix]",
       .fields = {{.name = "column", .doc = "a column"}}},
      PartitionSpec(),
      {.name = "connections",
       .doc = "connections that read one partition of a plain table at once: a number, or auto; "
              "each writes files of its own",
       .default_text = "1",
       .example = "auto"},
  };
}

std::vector<OptionSpec> ValueSpecs() {
  return {
      {.name = "trim",
       .type = OptionType::kBool,
       .doc = "char(n) without its padding",
       .default_text = "false"},
      NumericSpec(),
      {.name = "non_finite",
       .type = OptionType::kChoice,
       .doc = "NaN and infinities in numeric columns; string and double change the column's type",
       .default_text = "error",
       .choices = {"error", "null", "string", "double"}},
      {.name = "infinity",
       .type = OptionType::kChoice,
       .doc = "infinite dates, timestamps and intervals, and the time 24:00:00; string changes the "
              "column's type",
       .default_text = "error",
       .choices = {"error", "null", "string"}},
      {.name = "uuid",
       .type = OptionType::kChoice,
       .doc = "uuid as text or as 16 bytes",
       .default_text = "text",
       .choices = {"text", "binary"}},
      {.name = "time",
       .type = OptionType::kChoice,
       .doc = "time of day as text (Spark reads no other form) or as time64[us]",
       .default_text = "text",
       .choices = {"text", "time64"}},
      {.name = "statement_timeout",
       .type = OptionType::kDuration,
       .doc = "the server ends a statement that runs longer; 0s: never, whatever the role's own "
              "setting",
       .default_text = "0s",
       .runtime = true,
       .example = "2h"},
      {.name = "connect_timeout",
       .type = OptionType::kDuration,
       .doc = "for a connection to be made, over all hosts; left out: the dsn's for each, else 10s",
       .runtime = true,
       .example = "10s"},
  };
}

ValuePolicy PolicyOf(const std::string& name) {
  if (name == "null") return ValuePolicy::kNull;
  if (name == "string") return ValuePolicy::kString;
  return name == "double" ? ValuePolicy::kDouble : ValuePolicy::kError;
}

std::string Blanked(std::string_view text) {
  std::string kept;
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept), [](char c) { return c != ' '; });
  return kept;
}

/// "decimal(38,9)" with blanks anywhere.
std::optional<pgcopy::NumericBounds> ParseDecimal(std::string_view written) {
  const std::string text = Blanked(written);
  constexpr std::string_view kStart = "decimal(";
  if (!text.starts_with(kStart) || !text.ends_with(')')) return std::nullopt;
  const std::string_view inner =
      std::string_view(text).substr(kStart.size(), text.size() - kStart.size() - 1);
  pgcopy::NumericBounds bounds;
  const char* end = inner.data() + inner.size();
  const auto precision = std::from_chars(inner.data(), end, bounds.precision);
  if (precision.ec != std::errc() || precision.ptr == end || *precision.ptr != ',') {
    return std::nullopt;
  }
  const auto scale = std::from_chars(precision.ptr + 1, end, bounds.scale);
  if (scale.ec != std::errc() || scale.ptr != end) return std::nullopt;
  const bool fits = bounds.precision >= 1 && bounds.precision <= 76 && bounds.scale >= 0 &&
                    bounds.scale <= bounds.precision;
  return fits ? std::optional(bounds) : std::nullopt;
}

/// Collects problems, each at the option it is about.
class Checker {
 public:
  explicit Checker(const elt::Options& options) : options_(options) {}

  void Source(ConsumerOptions& read) {
    const char* first = nullptr;
    for (const char* name : {"table", "query", "tables"}) {
      if (!options_.Given(name)) continue;
      if (first == nullptr) {
        first = name;
        continue;
      }
      Refuse(options_, name, FaultCode::kImpossiblePlan,
             "both \"" + std::string(first) + "\" and \"" + name + "\"", "keep one of them");
      return;
    }
    if (first == nullptr) {
      Refuse(options_, "", FaultCode::kMissingKey, "none of \"table\", \"query\" and \"tables\"",
             "say what to read, for example table: public.orders");
      return;
    }
    Tables(read);
    if (options_.Given("query")) {
      read.query = WithoutClosing(options_.Text("query"));
      if (read.query.empty()) {
        Refuse(options_, "query", FaultCode::kBadValue, "\"query\" is empty", "write a SELECT");
      }
    }
    if (!options_.Given("table")) return;
    Result<TableName> name = ParseTableName(options_.Text("table"));
    if (name.ok()) {
      read.table = *std::move(name);
    } else {
      const Fault fault = FaultOf(name.status());
      Refuse(options_, "table", fault.code(), fault.message(), fault.help());
    }
  }

  void Columns(ConsumerOptions& read) {
    read.columns = Names("columns", "leave it out to read all columns");
    read.as_text = Names("as_text", "leave it out, or name a column");
  }

  void Partition(PartitionOptions& partition) {
    if (!options_.Given("partition")) return;
    const elt::Options group = options_.Group("partition");
    using Rule = PartitionOptions::Rule;
    constexpr auto kRules =
        std::to_array<std::pair<const char*, Rule>>({{"size", Rule::kSize},
                                                     {"count", Rule::kCount},
                                                     {"values", Rule::kValues},
                                                     {"interval", Rule::kInterval},
                                                     {"hash", Rule::kHash}});
    partition.by = group.Text("by");
    int given = 0;
    for (const auto& [name, rule] : kRules) {
      if (!group.Given(name)) continue;
      partition.rule = rule;
      if (++given > 1) {
        Refuse(group, name, FaultCode::kImpossiblePlan,
               "\"" + std::string(name) + "\" beside another way to cut",
               "keep one of size, count, values, interval and hash");
      }
    }
    if (given == 0) {
      Refuse(options_, "partition", FaultCode::kMissingKey, "\"partition\" does not say how to cut",
             "add one of size, count, values, interval and hash");
    }
    if (given == 1) PartitionNumbers(group, partition);
  }

  void Connections(ConsumerOptions& read) {
    read.connections = elt::ReadConnections(options_, kConnectionsMax, read.whole_partitions,
                                            "the blocks of a table", problems_);
  }

  void Values(ConsumerOptions& read) {
    read.trim = options_.Bool("trim");
    read.non_finite = PolicyOf(options_.Text("non_finite"));
    read.infinity = PolicyOf(options_.Text("infinity"));
    read.uuid_as_bytes = options_.Text("uuid") == "binary";
    read.time_as_text = options_.Text("time") == "text";
    const std::string& numeric = options_.Text("numeric");
    if (numeric == "error" || numeric == "string" || numeric == "double") {
      read.unbounded = PolicyOf(numeric);
      return;
    }
    read.numeric = ParseDecimal(numeric);
    if (read.numeric) return;
    Refuse(options_, "numeric", FaultCode::kBadValue,
           "expected error, string, double or decimal(p,s), got \"" + numeric + "\"",
           "p is 1 to 76, s is 0 to p, for example decimal(38,9)");
  }

  void Timeouts(ConsumerOptions& read) {
    read.statement_timeout = options_.Duration("statement_timeout");
    if (options_.Given("connect_timeout")) {
      read.connect_timeout = options_.Duration("connect_timeout");
    }
  }

  Status Problems() { return elt::Refused("consumer \"postgres\"", std::move(problems_)); }

 private:
  void Tables(ConsumerOptions& read) {
    if (options_.Given("tables")) {
      read.tables = options_.Text("tables");
      Pattern(options_, "tables", read.tables);
    }
    read.exclude = options_.Texts("exclude");
    const std::vector<elt::Options> patterns = options_.List("exclude");
    for (size_t i = 0; i < patterns.size(); ++i) Pattern(patterns[i], "", read.exclude[i]);
    if (options_.Given("exclude") && !options_.Given("tables")) {
      Refuse(options_, "exclude", FaultCode::kImpossiblePlan,
             "\"exclude\" has no meaning without \"tables\"", "remove it");
    }
  }

  void Pattern(const elt::Options& where, std::string_view option, const std::string& text) {
    const size_t dot = text.find('.');
    const bool whole = dot != std::string::npos && dot > 0 && dot + 1 < text.size() &&
                       text.find('.', dot + 1) == std::string::npos;
    if (whole) return;
    Refuse(where, option, FaultCode::kBadValue,
           "expected schema.table with * and ?, got \"" + text + "\"", "for example public.*");
  }

  /// A list of columns, each once.
  std::vector<std::string> Names(const std::string& option, const char* instead_of_none) {
    if (!options_.Given(option)) return {};
    const std::vector<std::string> names = options_.Texts(option);
    if (names.empty()) {
      Refuse(options_, option, FaultCode::kBadValue, "\"" + option + "\" is empty",
             instead_of_none);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      const auto end = names.begin() + static_cast<ptrdiff_t>(i);
      if (std::find(names.begin(), end, names[i]) == end) continue;
      Refuse(options_.List(option)[i], "", FaultCode::kDuplicateColumn,
             "column \"" + names[i] + "\" is listed twice", "remove one of them");
    }
    return names;
  }

  void PartitionNumbers(const elt::Options& group, PartitionOptions& partition) {
    using Rule = PartitionOptions::Rule;
    switch (partition.rule) {
      case Rule::kSize:
        partition.number = group.Integer("size");
        break;
      case Rule::kCount:
        partition.number = group.Integer("count");
        break;
      case Rule::kHash:
        partition.number = group.Integer("hash");
        break;
      case Rule::kInterval:
        partition.interval = group.Duration("interval");
        if (partition.interval < std::chrono::seconds(1)) {
          Refuse(group, "interval", FaultCode::kBadValue, "expected one second or more",
                 "for example interval: 10m");
        }
        break;
      case Rule::kValues:
        partition.values = group.Texts("values");
        if (partition.values.empty() ||
            partition.values.size() >= static_cast<size_t>(kPartitionsMax)) {
          Refuse(group, "values", FaultCode::kBadValue,
                 "expected 1 to " + std::to_string(kPartitionsMax - 1) + " values",
                 "list the values that deserve a partition of their own");
        }
        break;
      case Rule::kDerived:
        break;
    }
  }

  void Refuse(const elt::Options& where, std::string_view option, FaultCode code,
              std::string message, std::string help) {
    problems_.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  }

  const elt::Options& options_;
  std::vector<Diagnostic> problems_;
};

/// What a URL may say of ours; everything else in it is libpq's.
constexpr auto kUrlOptions = std::to_array<std::string_view>(
    {"table", "query", "connections", "trim", "numeric", "non_finite", "infinity", "uuid", "time",
     "statement_timeout"});

}  // namespace

elt::OptionSpec ConsumerSpec() {
  OptionSpec spec{.name = "postgres",
                  .type = OptionType::kGroup,
                  .doc = "reads a table or query of PostgreSQL by binary COPY"};
  spec.fields = ReadingSpecs();
  for (OptionSpec& field : ValueSpecs()) spec.fields.push_back(std::move(field));
  return spec;
}

Result<ConsumerOptions> ReadConsumerOptions(const elt::Options& options, bool whole_partitions) {
  ConsumerOptions read;
  read.written = options;
  read.whole_partitions = whole_partitions;
  Checker checker(options);
  checker.Source(read);
  checker.Columns(read);
  checker.Partition(read.partition);
  checker.Connections(read);
  checker.Values(read);
  checker.Timeouts(read);
  ARROW_RETURN_NOT_OK(checker.Problems());
  return read;
}

Fault RefusedUrl(const std::string& url, const std::string& problem) {
  return Fault(FaultCode::kBadCommandLine, "\"" + RedactUrl(url) + "\": " + problem)
      .Help("write postgres://user@host/database?table=schema.table");
}

Result<elt::WrittenOptions> TakeFromUrl(const std::string& url,
                                        std::span<const std::string_view> names) {
  const size_t question = url.find('?');
  std::string dsn = url.substr(0, question);
  elt::WrittenOptions ours;
  char separator = '?';
  const std::string_view parameters = question == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(url).substr(question + 1);
  for (const UrlParameter& parameter : UrlParameters(parameters)) {
    if (std::ranges::find(names, parameter.name) == names.end()) {
      dsn += separator;
      dsn += parameter.written;
      separator = '&';
      continue;
    }
    const std::optional<std::string> value =
        parameter.value ? PercentDecoded(*parameter.value) : std::nullopt;
    if (!value || value->empty()) {
      return RefusedUrl(url, "parameter \"" + std::string(parameter.name) + "\" has no value");
    }
    ours.emplace_back(parameter.name, *value);
  }
  ours.insert(ours.begin(), {"dsn", std::move(dsn)});
  return ours;
}

Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(elt::WrittenOptions ours, TakeFromUrl(url, kUrlOptions));
  const auto sources = std::ranges::count_if(
      ours, [](const auto& option) { return option.first == "table" || option.first == "query"; });
  if (sources == 1) return ours;
  Fault fault = RefusedUrl(url, "expected one of \"table\" and \"query\"");
  // A host behind the first "?": that was one of the password's.
  const std::string& dsn = ours.front().second;
  const bool password = dsn.find('@', std::min(url.find('?'), dsn.size())) != std::string::npos;
  if (sources == 0 && password) fault.Help(std::string(pq::kPasswordHelp));
  return fault;
}

}  // namespace levada::postgres
