#include <algorithm>
#include <string>
#include <string_view>

#include "connectors/sqlite/sqlite_consumer.h"
#include "connectors/sqlite/sqlite_types.h"
#include "elt/catalog.h"

namespace levada::sqlite {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec text;
  text.name = "item";
  elt::OptionSpec path;
  path.name = "path";
  path.doc = "the database file, absolute or from the directory levada is started in";
  path.required = true;
  path.example = "./shop.db";
  elt::OptionSpec table;
  table.name = "table";
  table.doc = "the table or view to read";
  table.example = "order_lines";
  elt::OptionSpec query;
  query.name = "query";
  query.doc = "a SELECT to read instead of a table; say ORDER BY where the order matters";
  query.example = "SELECT id, name FROM customers ORDER BY id";
  elt::OptionSpec columns;
  columns.name = "columns";
  columns.type = elt::OptionType::kList;
  columns.doc = "the columns to read, in this order; all when left out";
  columns.example = "[id, amount]";
  columns.fields = {text};
  elt::OptionSpec types;
  types.name = "types";
  types.type = elt::OptionType::kMap;
  types.doc = "types of columns whose declared type is missing or says too little";
  types.example = "{ total: \"decimal(18,2)\" }";
  types.fields = {text};
  elt::OptionSpec busy_timeout;
  busy_timeout.name = "busy_timeout";
  busy_timeout.type = elt::OptionType::kDuration;
  busy_timeout.doc = "how long to wait while another process has the database locked";
  busy_timeout.default_text = "5s";
  busy_timeout.runtime = true;
  elt::OptionSpec spec;
  spec.name = "sqlite";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "reads a table or query of an SQLite file";
  spec.fields = {path, table, query, columns, types, busy_timeout};
  return spec;
}

Result<std::unique_ptr<elt::Consumer>> Make(const elt::Options& options, const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  auto refuse = [&](const elt::Options& where, std::string_view option, FaultCode code,
                    std::string message, std::string help) {
    problems.push_back(where.ErrorAt(option, code, std::move(message), std::move(help)));
  };
  if (options.Text("path").empty()) {
    refuse(options, "path", FaultCode::kBadValue, "\"path\" is empty", "name a database file");
  }
  if (options.Given("table") && options.Given("query")) {
    refuse(options, "query", FaultCode::kImpossiblePlan, "both \"table\" and \"query\"",
           "keep one of them");
  } else if (!options.Given("table") && !options.Given("query")) {
    refuse(options, "", FaultCode::kMissingKey, "neither \"table\" nor \"query\"",
           "say what to read, table: NAME");
  }
  if (options.Given("columns") && options.List("columns").empty()) {
    refuse(options, "columns", FaultCode::kBadValue, "\"columns\" is empty",
           "leave it out to read all columns");
  }
  if (options.Has("types")) {
    for (const auto& [column, type] : options.Map("types")) {
      if (auto parsed = TypeOfOption(type.Scalar()); !parsed.ok()) {
        const Fault fault = FaultOf(parsed.status());
        refuse(type, "", fault.code(), "column \"" + column + "\": " + fault.message(),
               fault.help());
      }
    }
  }
  if (!problems.empty()) {
    const FaultCode code = problems.front().code;
    const std::string message = "consumer \"sqlite\": " + problems.front().message;
    return Fault(code, message).At(std::move(problems));
  }
  return std::make_unique<SqliteConsumer>(options);
}

/// %41 as A; nullopt for a stray or broken %.
std::optional<std::string> PercentDecoded(std::string_view text) {
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
      return std::nullopt;
    decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

/// sqlite:///absolute/shop.db?table=t, sqlite://relative/shop.db?table=t, sqlite:shop.db?query=...
Result<elt::WrittenOptions> FromUrl(const std::string& url) {
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
  std::string_view parameters =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  while (!parameters.empty()) {
    const std::string_view parameter = parameters.substr(0, parameters.find('&'));
    parameters.remove_prefix(std::min(parameters.size(), parameter.size() + 1));
    const size_t equals = parameter.find('=');
    const std::string name(parameter.substr(0, equals));
    if (name != "table" && name != "query") {
      return refuse("unknown parameter \"" + name + "\", expected \"table\" or \"query\"");
    }
    const std::optional<std::string> value = equals == std::string_view::npos
                                                 ? std::nullopt
                                                 : PercentDecoded(parameter.substr(equals + 1));
    if (!value || value->empty()) return refuse("parameter \"" + name + "\" has no value");
    options.emplace_back(name, *value);
  }
  if (options.size() != 2) return refuse("expected one of \"table\" and \"query\"");
  return options;
}

}  // namespace

void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.kind = "sqlite";
  entry.doc = "reads a table or query of an SQLite file";
  entry.spec = Spec();
  entry.make = Make;
  entry.url_schemes = {"sqlite"};
  entry.from_url = FromUrl;
  catalog.Add(std::move(entry));
}

}  // namespace levada::sqlite
